//! What the management API and the registries say to each other: one call in, one reply out.

pub(crate) use super::page::Page;

use keyward_core::limits::Limits;
use keyward_core::metering::{CreditAct, Of};
use keyward_core::record::Status;
use keyward_core::spec::FieldError;
use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

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
    /// These keys have been used since they were last told of.
    Seen {
        keys: Vec<String>,
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
    /// Changes the credits that an owner's keys share.
    OwnerCredits {
        owner: String,
        act: CreditAct,
    },
}

/// What is done with one key.
#[derive(Serialize, Deserialize)]
pub(crate) enum KeyAct {
    Show,
    /// Which meters count for it: an item, [`Metered`].
    Metered,
    Where,
    /// A merge patch (RFC 7396) of the fields that may change; hosts are in ASCII already.
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
    Undelete,
    /// Changes the balance.
    Credits {
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

/// Why something is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Revocation {
    /// A word of RFC 5280, section 5.3.1.
    pub(crate) reason: keyward_core::revocation::Reason,
    pub(crate) note: Option<String>,
}

/// When a rotation's new secret begins to hold, and how long the old one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rotation {
    /// Seconds, 0 to 30 days.
    pub(crate) overlap_s: u64,
    /// None: at once.
    pub(crate) at: Option<Millis>,
}

/// A key to be created. Its secret has been minted by who sends this: the registry never sees it.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewKey {
    pub(crate) id: String,
    /// The fields of the key, valid by [`keyward_core::spec::validate`].
    pub(crate) fields: Value,
    pub(crate) secret: NewSecret,
}

/// All that the registry ever knows of a secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct NewSecret {
    pub(crate) id: String,
    /// SHA-256 of the secret, in hexadecimal.
    pub(crate) digest: String,
    /// The derivation key, sealed and bound to project and key id; empty when it is not known.
    pub(crate) sealed: String,
    pub(crate) redacted: String,
}

/// One line of an import whose fields are valid by themselves.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ImportLine {
    /// Its number in the request, from 1.
    pub(crate) line: u32,
    /// Given, or minted.
    pub(crate) id: String,
    /// The key's fields, valid by [`keyward_core::spec::validate`], hosts in ASCII.
    pub(crate) fields: Value,
    pub(crate) created_at: Option<Millis>,
    pub(crate) revocation: Option<Revocation>,
    /// When it was revoked; none for now.
    pub(crate) revoked_at: Option<Millis>,
    /// One or two.
    pub(crate) secrets: Vec<ImportSecret>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ImportSecret {
    pub(crate) secret: NewSecret,
    pub(crate) not_before: Option<Millis>,
    pub(crate) not_after: Option<Millis>,
    pub(crate) created_at: Option<Millis>,
}

/// Which keys to list. `unused_s`, `expiring_s`, `unrestricted` and `full_access` are alternatives
/// to each other; everything else narrows.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct KeyFilter {
    pub(crate) status: Option<Status>,
    pub(crate) owner: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) kind: Option<keyward_core::kind::Kind>,
    /// A part of the name, the owner or the key id, in any case.
    pub(crate) text: Option<String>,
    pub(crate) unused_s: Option<u64>,
    pub(crate) expiring_s: Option<u64>,
    pub(crate) unrestricted: bool,
    pub(crate) full_access: bool,
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

/// Which meters count for a key.
#[derive(Serialize, Deserialize)]
pub(crate) struct Metered {
    /// Its own does.
    pub(crate) limited: bool,
    /// That of this owner, whose keys share limits.
    pub(crate) owner: Option<String>,
}

/// From a registry.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It is done, and there is nothing to show.
    Done,
    /// What was asked for or created, with its version when it has one.
    Item { item: Shown, version: Option<u64> },
    /// A page, and the position from which to go on, when there is more.
    Items {
        items: Vec<Shown>,
        next: Option<u64>,
    },
    /// A key, project, environment or owner after a change.
    Changed {
        item: Shown,
        version: Option<u64>,
        publication: Publication,
        /// When no isolate anywhere lets through any more what the change took away; none where that
        /// is not known. Of a reply that has yet to wait for meters: from when on it may be.
        #[serde(default)]
        in_force_by: Option<Millis>,
    },
    /// What a meter is to know: [`keyward_core::metering::Knowledge`], which only meters read.
    Metering(Shown),
    /// The report of an import.
    Imported { report: Shown },
    /// Who calls.
    Principal(Principal),
    /// A project's id.
    Project { id: String },
    /// Names that another project holds.
    Taken { names: Vec<String> },
    /// The answer that the same request was given before, and its sealed secret.
    Replayed {
        reply: Box<Reply>,
        sealed: Option<String>,
    },
    /// No, with the refusal's code.
    Refused {
        code: String,
        errors: Vec<FieldError>,
    },
    /// The account registry has not founded this registry.
    Unfounded,
}

/// The holder of a management key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) id: String,
    pub(crate) name: String,
    /// None: the whole account.
    pub(crate) project: Option<String>,
    pub(crate) scopes: Vec<keyward_core::management::Scope>,
    /// Addresses that it may be used from; empty: any.
    pub(crate) ips: Vec<keyward_core::restrict::ip::IpRule>,
    pub(crate) expires_at: Option<Millis>,
}

/// Whether KV has what the registry decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Publication {
    /// KV has acknowledged the newest state, and no earlier write of it is unaccounted for.
    Published,
    /// Not yet; the registry goes on until it holds.
    Pending,
}

impl Reply {
    /// A refusal without fields.
    pub(crate) fn refused(refusal: keyward_core::refusal::Refusal) -> Self {
        Self::Refused {
            code: refusal.code().to_owned(),
            errors: Vec::new(),
        }
    }
}
