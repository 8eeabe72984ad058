//! The operations by name.

macro_rules! operations {
    ($($name:ident $id:literal)*) => {
        /// Every operation by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the table says what each one does")]
        pub enum Op { $($name,)* }

        impl Op {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in the OpenAPI document.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }
        }
    };
}

operations! {
    Whoami "whoami"
    CreateProject "createProject"
    ListProjects "listProjects"
    ShowProject "showProject"
    UpdateProject "updateProject"
    SuspendProject "suspendProject"
    ResumeProject "resumeProject"
    ArchiveProject "archiveProject"
    RestoreProject "restoreProject"
    Publication "publication"
    Republish "republish"
    CreateEnvironment "createEnvironment"
    ListEnvironments "listEnvironments"
    ArchiveEnvironment "archiveEnvironment"
    RestoreEnvironment "restoreEnvironment"
    SuspendOwner "suspendOwner"
    ResumeOwner "resumeOwner"
    LimitOwner "limitOwner"
    ChangeOwnerCredits "changeOwnerCredits"
    ListOwners "listOwners"
    ProjectUsage "projectUsage"
    CreateKey "createKey"
    ListKeys "listKeys"
    ListAccountKeys "listAccountKeys"
    ShowKey "showKey"
    UpdateKey "updateKey"
    DeleteKey "deleteKey"
    UndeleteKey "undeleteKey"
    RotateKey "rotateKey"
    RevokeKey "revokeKey"
    DisableKey "disableKey"
    EnableKey "enableKey"
    RevokeSecret "revokeSecret"
    ChangeCredits "changeCredits"
    WhereKey "whereKey"
    KeyLimits "keyLimits"
    KeyUsage "keyUsage"
    ImportKeys "importKeys"
    ExportKeys "exportKeys"
    SelfRevoke "selfRevoke"
    CreateWebhook "createWebhook"
    ListWebhooks "listWebhooks"
    ShowWebhook "showWebhook"
    UpdateWebhook "updateWebhook"
    DeleteWebhook "deleteWebhook"
    RotateWebhook "rotateWebhook"
    DisableWebhook "disableWebhook"
    EnableWebhook "enableWebhook"
    TestWebhook "testWebhook"
    SetCredential "setCredential"
    ListCredentials "listCredentials"
    DeleteCredential "deleteCredential"
    FindLeaks "findLeaks"
    ReportLeaks "reportLeaks"
    GithubLeaks "githubLeaks"
    ProjectAudit "projectAudit"
    ExportProjectAudit "exportProjectAudit"
    AccountAudit "accountAudit"
    ExportAccountAudit "exportAccountAudit"
    CreateManagementKey "createManagementKey"
    ListManagementKeys "listManagementKeys"
    ShowManagementKey "showManagementKey"
    UpdateManagementKey "updateManagementKey"
    DeleteManagementKey "deleteManagementKey"
    RotateManagementKey "rotateManagementKey"
    RevokeManagementKey "revokeManagementKey"
    DisableManagementKey "disableManagementKey"
    EnableManagementKey "enableManagementKey"
    RevokeManagementSecret "revokeManagementSecret"
}
