//! What the management API and the registries say to each other: one command in, one answer out.

use keyward_core::kind::Kind;
use keyward_core::record::Status;
use keyward_core::restrict::Restrictions;
use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A project as the account registry knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: Millis,
}

/// A key as its project's registry knows it, without anything of its secrets that is secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) status: Status,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) environment: String,
    pub(crate) owner: Option<String>,
    pub(crate) restrictions: Restrictions,
    pub(crate) not_before: Option<Millis>,
    pub(crate) expires_at: Option<Millis>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

/// What may be shown of a secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub(crate) id: String,
    pub(crate) redacted: String,
    pub(crate) created_at: Millis,
}

/// A key to be created. Its secret has been minted by who sends this: the registry never sees it.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewKey {
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) environment: String,
    pub(crate) owner: Option<String>,
    pub(crate) restrictions: Restrictions,
    pub(crate) not_before: Option<Millis>,
    pub(crate) expires_at: Option<Millis>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) secret: NewSecret,
}

/// All that the registry ever knows of a secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct NewSecret {
    pub(crate) id: String,
    /// SHA-256 of the secret, in hexadecimal.
    pub(crate) digest: String,
    /// The derivation key, sealed and bound to project and key id.
    pub(crate) sealed: String,
    pub(crate) redacted: String,
}

/// To the account registry.
#[derive(Serialize, Deserialize)]
pub(crate) enum AccountCommand {
    /// Adds a project.
    Create { id: String, name: String },
    /// The newest projects, or those older than a position.
    List { limit: u32, before: Option<u64> },
    /// One project.
    Show { id: String },
}

/// From the account registry.
#[derive(Serialize, Deserialize)]
pub(crate) enum AccountAnswer {
    Project(Project),
    Projects {
        items: Vec<Project>,
        next: Option<u64>,
    },
    /// There is a project with this id already.
    Exists,
    Unknown,
}

/// Which keys to list.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct KeyFilter {
    pub(crate) status: Option<Status>,
    pub(crate) owner: Option<String>,
    /// A part of the name, the owner or the key id, in any case.
    pub(crate) text: Option<String>,
}

/// A change of a key's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    Revoke,
    Disable,
    Enable,
}

/// To the registry of one project.
#[derive(Serialize, Deserialize)]
pub(crate) enum ProjectCommand {
    /// Makes the registry the one of this project. Repeating it changes nothing.
    Found {
        id: String,
    },
    Create(Box<NewKey>),
    List {
        limit: u32,
        before: Option<u64>,
        filter: KeyFilter,
    },
    Show {
        id: String,
    },
    Change {
        id: String,
        change: Change,
    },
    Delete {
        id: String,
    },
}

/// From the registry of one project.
#[derive(Serialize, Deserialize)]
pub(crate) enum ProjectAnswer {
    Founded,
    /// The account registry has not founded this one.
    Unfounded,
    Key(Box<Key>),
    Keys {
        items: Vec<Key>,
        next: Option<u64>,
    },
    /// The key after a change.
    Changed {
        key: Box<Key>,
        publication: Publication,
    },
    Deleted {
        publication: Publication,
    },
    Unknown,
    /// The key's state does not allow the change.
    Conflict,
}

/// Whether KV has what the registry decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Publication {
    /// KV has acknowledged the newest state of the key, and no earlier write of it is unaccounted
    /// for.
    Published,
    /// Not yet; the registry goes on until it holds.
    Pending,
}
