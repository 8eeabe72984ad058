//! An operation: what is called, by whom, with what, and what comes back.

mod body;
mod name;
mod refusals;

use keyward_core::management::Scope;
use keyward_core::refusal::Refusal;

pub use self::body::Body;
pub use self::name::Op;
use crate::parameter::Parameter;

/// A method that operations have. HEAD comes with GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are HTTP's own")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// Every method.
    pub const ALL: &'static [Self] = &[Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// As it stands in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may call, besides having the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A management key of the account.
    Account,
    /// Any management key; one of a project only on its own project.
    Key,
    /// Any management key, and the bootstrap secret.
    KeyOrBootstrap,
    /// Whoever holds the secret that is sent.
    Holder,
    /// GitHub, which signs what it sends.
    GitHub,
}

/// Whether the version that is meant has to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// There is no version.
    None,
    /// `If-Match` is honoured.
    Optional,
    /// A change that could undo another one has to carry `If-Match`.
    Required,
}

/// What a success holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is a type of `view`")]
pub enum Answer {
    Whoami,
    Project,
    Projects,
    ProjectChanged,
    PublicationStatus,
    Environment,
    Environments,
    EnvironmentChanged,
    Owners,
    OwnerChanged,
    Key,
    Keys,
    KeyChanged,
    KeyCreated,
    Where,
    KeyLimits,
    Usage,
    ImportReport,
    /// Lines that can be imported.
    KeyLines,
    SelfRevoked,
    Audit,
    AuditLines,
    Webhook,
    Webhooks,
    WebhookCreated,
    WebhookTested,
    Credentials,
    CredentialChanged,
    LeakedSecrets,
    GithubLabels,
    ManagementKey,
    ManagementKeys,
    ManagementKeyChanged,
    ManagementKeyCreated,
}

impl Answer {
    /// Whether it is NDJSON, and not one JSON document.
    #[must_use]
    pub const fn is_lines(self) -> bool {
        matches!(self, Self::KeyLines | Self::AuditLines)
    }

    /// Whether it carries the version of what it shows, as `ETag`.
    #[must_use]
    pub const fn has_version(self) -> bool {
        matches!(
            self,
            Self::Project
                | Self::ProjectChanged
                | Self::Key
                | Self::KeyChanged
                | Self::KeyCreated
                | Self::Webhook
                | Self::ManagementKey
                | Self::ManagementKeyChanged
                | Self::ManagementKeyCreated
        )
    }
}

/// One operation of the management API.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Which one.
    pub op: Op,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its method.
    pub method: Method,
    /// The path below [`crate::BASE`]; a segment in braces stands for any that is not empty.
    pub path: &'static str,
    /// Who may call it.
    pub who: Who,
    /// The scope that the management key needs.
    pub scope: Option<Scope>,
    /// The query parameters that it knows.
    pub query: &'static [Parameter],
    /// The body that it reads.
    pub body: Body,
    /// Whether it takes `If-Match`.
    pub precondition: Precondition,
    /// The status of a success.
    pub status: u16,
    /// What a success holds.
    pub answer: Answer,
    /// What only this operation is refused with; [`Operation::refusals`] has all.
    pub refused: &'static [Refusal],
}

impl Operation {
    /// Whether it creates something that has an address of its own.
    #[must_use]
    pub const fn has_location(&self) -> bool {
        matches!(
            self.op,
            Op::CreateProject | Op::CreateKey | Op::CreateManagementKey | Op::CreateWebhook
        )
    }

    /// The names in braces of its path, in order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }
}
