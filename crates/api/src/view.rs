//! What answers show. What is empty or absent is left out, and times are RFC 3339.
//!
//! The registries write items from these types; the management API wraps them as JSON that it
//! does not read, which is why the wrapping types take any item.

mod audit;
mod caller;
mod credential;
mod key;
mod leak;
mod limits;
mod management_key;
mod page;
mod project;
mod report;
mod time;
mod usage;
mod webhook;

pub use self::audit::{ACTIONS, AuditActor, AuditChange, AuditEntry};
pub use self::caller::{Caller, CallerType, SelfRevoked};
pub use self::credential::{Credential, CredentialChanged};
pub use self::key::{
    Attention, Cause, ExpiresSoon, Key, KeyChanged, KeyCreated, KeyPage, Revoked, Secret,
    SecretStatus, SuspendedBy,
};
pub use self::leak::{GithubLabel, Leaked, LeakedSecret, LeakedSecrets};
pub use self::limits::{KeyLimits, LimitStanding, LimitType};
pub use self::management_key::{ManagementKey, ManagementKeyChanged, ManagementKeyCreated};
pub use self::page::Page;
pub use self::project::{
    Environment, EnvironmentChanged, EnvironmentStatus, Owner, OwnerChanged, OwnerKeys, Project,
    ProjectChanged, ProjectStatus, ProjectSummary,
};
pub use self::report::{
    EntryState, EntryStatus, ImportError, ImportOutcome, ImportReport, ImportedKey, Outbox,
    Publication, PublicationStatus, Replica, ReplicaState, Where,
};
pub use self::time::Time;
pub use self::usage::{Usage, UsageSpan};
pub use self::webhook::{
    FailureCause, Webhook, WebhookCreated, WebhookDisabled, WebhookFailure, WebhookReason,
    WebhookStatus, WebhookTested,
};

/// Whether a number or a flag is what it is when it is left out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
