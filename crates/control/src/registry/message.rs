//! What the management API and the registries say to each other: one command in, one reply out.

use keyward_core::record::Status;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A project or a key as it is shown: the registry writes this JSON, and nobody on its way to the
/// caller reads it.
pub(crate) type Shown = Box<RawValue>;

/// A page of a list, the newest first.
#[derive(Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) limit: u32,
    /// Only what is older than this position.
    pub(crate) before: Option<u64>,
}

/// To the account registry.
#[derive(Serialize, Deserialize)]
pub(crate) enum AccountCommand {
    /// Adds a project; a conflict when there is one with this id.
    Create { id: String, name: String },
    /// All projects.
    List(Page),
    /// One project.
    Show { id: String },
}

/// To the registry of one project.
#[derive(Serialize, Deserialize)]
pub(crate) enum ProjectCommand {
    /// Makes the registry the one of this project. Repeating it changes nothing.
    Found { id: String },
    /// Adds a key.
    Create(Box<NewKey>),
    /// The keys that the filter lets through.
    List { page: Page, filter: KeyFilter },
    /// One key.
    Show { id: String },
    /// Changes a key's state; a conflict when its state does not allow that.
    Change { id: String, change: Change },
    /// Removes a key.
    Delete { id: String },
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
#[derive(Serialize, Deserialize)]
pub(crate) struct NewSecret {
    pub(crate) id: String,
    /// SHA-256 of the secret, in hexadecimal.
    pub(crate) digest: String,
    /// The derivation key, sealed and bound to project and key id.
    pub(crate) sealed: String,
    pub(crate) redacted: String,
}

/// Which keys to list.
#[derive(Serialize, Deserialize)]
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

/// From a registry.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It is done, and there is nothing to show.
    Done,
    /// What was asked for or created; a key with its version.
    Item { item: Shown, version: Option<u64> },
    /// A page, and the position from which to go on, when there is more.
    Items {
        items: Vec<Shown>,
        next: Option<u64>,
    },
    /// A key after a change.
    Changed {
        item: Shown,
        publication: Publication,
    },
    /// There is no such thing.
    Unknown,
    /// What there is does not allow it.
    Conflict,
    /// The account registry has not founded this registry.
    Unfounded,
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
