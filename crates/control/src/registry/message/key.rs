//! What is said about keys.

use keyward_core::kind::Kind;
use keyward_core::metering::CreditAct;
use keyward_core::record::Status;
use keyward_core::revocation::Reason;
use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// Why something is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Revocation {
    /// A word of RFC 5280, section 5.3.1.
    pub(crate) reason: Reason,
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
    pub(crate) kind: Option<Kind>,
    /// A part of the name, the owner or the key id, in any case.
    pub(crate) text: Option<String>,
    pub(crate) unused_s: Option<u64>,
    pub(crate) expiring_s: Option<u64>,
    pub(crate) unrestricted: bool,
    pub(crate) full_access: bool,
}

/// Which meters count for a key.
#[derive(Serialize, Deserialize)]
pub(crate) struct Metered {
    /// Its own does.
    pub(crate) limited: bool,
    /// That of this owner, whose keys share limits.
    pub(crate) owner: Option<String>,
}
