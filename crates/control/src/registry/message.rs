//! What the management API and the registries say to each other: one call in, one reply out.

mod credential;
mod key;
mod leak;
mod reply;
mod webhook;

use keyward_core::limits::Limits;
use keyward_core::metering::{CreditAct, Of, Passed};
use keyward_core::record::Status;
use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use self::credential::NewCredential;
pub(crate) use self::key::{
    ImportLine, ImportSecret, KeyAct, KeyFilter, Metered, NewKey, NewSecret, Revocation, Rotation,
};
pub(crate) use self::leak::{Leak, LeaksOfAccount};
pub(crate) use self::reply::{Principal, Publication, Reply};
pub(crate) use self::webhook::{NewWebhook, WebhookAct, WebhookPatch};
pub(crate) use super::page::Page;

/// A thing as it is shown: the registry writes this JSON, and nobody on its way to the caller
/// reads it.
pub(crate) type Shown = Box<RawValue>;

/// A command, who gives it, and how it may be repeated.
#[derive(Serialize, Deserialize)]
pub(crate) struct Call<C> {
    pub(crate) by: Actor,
    /// The client's address, for the audit log.
    pub(crate) ip: Option<String>,
    pub(crate) request_id: String,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) command: C,
}

/// Who gives a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Actor {
    /// The management key with this id.
    ManagementKey(String),
    /// The holder of the bootstrap secret.
    Bootstrap,
    /// GitHub's secret scanning.
    GitHub,
    /// Whoever holds a secret of the key with this id.
    Holder(String),
    /// The gateway itself.
    Keyward,
}

/// What makes the repetition of a request recognisable.
#[derive(Serialize, Deserialize)]
pub(crate) struct Idempotency {
    /// The management key's id, or `bootstrap`.
    pub(crate) caller: String,
    /// SHA-256 of the Idempotency-Key, in hexadecimal.
    pub(crate) key_hash: String,
    /// SHA-256 of method, path, query and body, in hexadecimal.
    pub(crate) request_hash: String,
    /// The secret that the answer shows, sealed; opened again only by the management API.
    pub(crate) sealed: Option<String>,
}

/// The version that a change is meant for; none for any.
pub(crate) type IfMatch = Option<u64>;

/// To the account registry.
#[derive(Serialize, Deserialize)]
pub(crate) enum AccountCommand {
    /// Who holds this management secret now: [`Reply::Principal`], or refused `key_invalid`.
    Authenticate {
        digest: String,
    },
    /// Whether the bootstrap secret with this SHA-256 may still be used: done, or refused.
    AuthenticateBootstrap {
        digest: String,
    },
    /// Reserves names (`d:<digest>`, `k:<key id>`) for a project; [`Reply::Taken`] lists those that
    /// another project holds, and then none was reserved. `dry_run` only asks whether they could be.
    Reserve {
        project: String,
        names: Vec<String>,
        #[serde(default)]
        dry_run: bool,
    },
    /// All names of a project are reserved that are free.
    AllReserved {
        project: String,
    },
    /// The project that a name is reserved for: [`Reply::Project`], or refused `key_invalid`.
    Locate {
        name: String,
    },
    CreateProject {
        id: String,
        name: String,
    },
    /// Whether there is such a project: an item, or refused `project_unknown`.
    ShowProject {
        id: String,
    },
    /// `only`: the one project that the caller may see.
    ListProjects {
        page: Page,
        status: Option<ProjectStatus>,
        only: Option<String>,
    },
    /// A project's registry tells its name and status, with its version.
    NoteProject {
        id: String,
        name: String,
        status: ProjectStatus,
        version: u64,
    },
    CreateManagementKey(Box<NewManagementKey>),
    ListManagementKeys {
        page: Page,
        status: Option<Status>,
        project: Option<String>,
    },
    /// On one management key.
    ManagementKey {
        id: String,
        caller: Caller,
        if_match: IfMatch,
        act: ManagementKeyAct,
    },
    /// What is known of these secrets: an item, [`LeaksOfAccount`]. When they are reported, those of
    /// management keys are revoked. `only`: the one project that the caller may see.
    Leaked {
        leaks: Vec<Leak>,
        report: bool,
        only: Option<String>,
    },
    /// Its holder revokes a secret.
    SelfRevoke {
        digest: String,
        revocation: Revocation,
    },
    Audit {
        page: Page,
        filter: AuditFilter,
        oldest_first: bool,
    },
}

/// What is done with one management key.
#[derive(Serialize, Deserialize)]
pub(crate) enum ManagementKeyAct {
    Show,
    /// A merge patch of `name`, `scopes`, `ips`, `not_before`, `expires_at`.
    Update {
        patch: Value,
    },
    Rotate {
        secret: NewSecret,
        rotation: Rotation,
    },
    RevokeSecret {
        secret: String,
        revocation: Revocation,
    },
    Revoke(Revocation),
    Disable,
    Enable,
    Delete,
}

/// Within what a management key may be made or changed: the id of the calling key, whose rights
/// the account registry looks up in the same transaction; none for the bootstrap secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct Caller {
    pub(crate) id: Option<String>,
}

/// A management key to be created; its secret has been minted by who sends this.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewManagementKey {
    pub(crate) id: String,
    /// `name`, `project`, `scopes`, `ips`, `not_before`, `expires_at`.
    pub(crate) fields: Value,
    pub(crate) secret: NewSecret,
    pub(crate) caller: Caller,
    /// SHA-256 of the bootstrap secret when that is the caller.
    pub(crate) bootstrap: Option<String>,
}

/// To the registry of one project.
#[derive(Serialize, Deserialize)]
pub(crate) enum ProjectCommand {
    /// Makes the registry the one of this project. Repeating it changes nothing.
    Found {
        id: String,
        name: String,
        created_at: Millis,
    },
    Show,
    Update {
        patch: Value,
        if_match: IfMatch,
    },
    ChangeProject {
        change: ProjectChange,
        note: Option<String>,
    },
    CreateEnvironment {
        id: String,
    },
    ListEnvironments,
    ArchiveEnvironment {
        id: String,
        archived: bool,
    },
    SuspendOwner {
        owner: String,
        note: Option<String>,
    },
    ResumeOwner {
        owner: String,
        note: Option<String>,
    },
    ListOwners(Page),
    Publication,
    Republish,
    CreateKey(Box<NewKey>),
    ListKeys {
        page: Page,
        filter: KeyFilter,
    },
    /// On one key.
    Key {
        id: String,
        if_match: IfMatch,
        act: KeyAct,
    },
    /// The holder of a secret revokes it.
    SelfRevoke {
        digest: String,
        revocation: Revocation,
    },
    /// Lines of an import, already parsed and with minted ids.
    Import {
        lines: Vec<ImportLine>,
        dry_run: bool,
    },
    /// Keys as lines of an export, oldest first.
    Export(Page),
    Audit {
        page: Page,
        filter: AuditFilter,
        oldest_first: bool,
    },
    /// This key was used last in the minute that began at this time.
    Seen {
        key: String,
        at: Millis,
    },
    /// Pages have sent this key, which is private: of each its origin, and after a blank the id of the
    /// secret that it has sent.
    UsedInBrowser {
        key: String,
        pages: Vec<String>,
    },
    /// Thresholds of limits were passed.
    Passed {
        of: Of,
        limits: Vec<Passed>,
    },
    /// A meter asks what it is to know: [`Reply::Metering`]. From then on it is told of changes.
    /// `known`: the newest version that it has heard of.
    Metering {
        of: Of,
        #[serde(default)]
        known: u64,
    },
    /// The limits that an owner's keys share; none takes them away.
    LimitOwner {
        owner: String,
        limits: Option<Limits>,
    },
    /// What is known of these secrets: items, each a `LeakedSecret`; and when they are reported,
    /// what is done about them.
    Leaked {
        leaks: Vec<Leak>,
        report: bool,
    },
    CreateWebhook(NewWebhook),
    UpdateWebhook {
        id: String,
        if_match: IfMatch,
        patch: WebhookPatch,
    },
    ListWebhooks,
    ShowWebhook {
        id: String,
    },
    /// On one endpoint.
    Webhook {
        id: String,
        act: WebhookAct,
    },
    /// Sends a message to one endpoint now.
    TestWebhook {
        id: String,
    },
    /// Gives out the version of a credential's value that is to be set: an item without content.
    NumberCredential,
    SetCredential(NewCredential),
    ListCredentials,
    DeleteCredential {
        name: String,
    },
    /// Changes the credits that an owner's keys share.
    OwnerCredits {
        owner: String,
        act: CreditAct,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ProjectChange {
    Suspend,
    Resume,
    Archive,
    Restore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProjectStatus {
    Active,
    Suspended,
    Archived,
}

/// Which entries of an audit log to show.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct AuditFilter {
    pub(crate) key: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) since: Option<Millis>,
    pub(crate) until: Option<Millis>,
}
