//! What the edge needs to decide about a key, as it travels through KV.
//!
//! The value in KV is `<schema>.<entry id>.<base64url MAC>`, a line end, and JSON. The MAC covers
//! the schema version, the name in KV and the whole JSON (project, key id and record version
//! among it): who writes KV mints no record, changes none and moves none to another name. What
//! remains is replay: an older value of the same name is as genuine as the newest.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::keyring::{Entry, Keyring};
use crate::kind::Kind;
use crate::limits::{Limits, OnMeterError};
use crate::restrict::Restrictions;
use crate::secret::Shape;
use crate::time::Millis;

/// Schema version written into each record. A worker that meets another does not guess.
pub const SCHEMA: u32 = 1;

/// What the owner of a key made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It may be used.
    #[default]
    Active,
    /// It may not be used for now.
    Disabled,
    /// It may never be used again.
    Revoked,
    /// The platform stopped it, not its owner.
    Suspended,
    /// It is gone, and can come back for some days: to callers it does not exist.
    Deleted,
}

/// What the edge knows of a key: one record for each of its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The tenant that the key belongs to.
    pub project: String,
    /// The environment that the key belongs to.
    pub environment: String,
    /// Survives rotation; may be logged.
    pub key_id: String,
    /// The secret under whose name this record stands.
    pub secret_id: String,
    /// What the key is for; the secret's prefix must agree (see [`Record::agrees_with`]).
    pub kind: Kind,
    /// Counts the changes of the key; a higher one is newer.
    pub version: u64,
    /// Whether the key may be used.
    pub status: Status,
    /// Whoever the key was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The key is valid from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Millis>,
    /// The key is valid until just before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// This secret is valid until just before: the end of its overlap after a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Millis>,
    /// The secret was made elsewhere and brought here: it need not be of this deployment's form.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// Where, from where and for what the key may be used.
    #[serde(default)]
    pub restrictions: Restrictions,
    /// How much it may be used.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
    /// The keys of its owner share limits: what is to be known of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_limits: Option<OwnerLimits>,
    /// How soon a change of the key holds. A record without it is of a version that had no meters:
    /// none is asked about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<RevocationMode>,
    /// The derivation key of this secret, [sealed](crate::derived::seal). Without it nothing that is
    /// derived from the secret is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derivation: Option<String>,
}

/// What a key's record says of the limits that the keys of its owner share; they themselves are
/// their meter's to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerLimits {
    /// Their version: their meter may not answer by an older one without asking the registry.
    pub version: u64,
    /// What happens when their meter does not answer.
    pub on_meter_error: OnMeterError,
}

/// How soon a change of a key holds everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevocationMode {
    /// Within one lease, always: the first call of an isolate waits for the meter.
    Strict,
    /// Within one lease while the key is in use; after a pause a call is decided by memory or KV,
    /// and the meter is asked in the background.
    Eventual,
}

/// Why a value of KV is no record that this worker may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Nobody who holds an entry in force wrote this value under this name.
    #[error("the record's MAC does not verify")]
    Forged,
    /// It is genuine, or claims a later schema, and says something that this version does not
    /// know. To ignore that could widen the key, so its validity is not known (503).
    #[error("the record's schema or a restriction in it is not known")]
    Unknown,
}

impl Record {
    /// The value to put into KV under `name`.
    #[must_use]
    pub fn seal(&self, entry: &Entry, name: &str) -> String {
        // Strings, numbers and lists under fixed names: there is nothing that could fail.
        let json = serde_json::to_string(self).unwrap_or_default();
        let mac = mac(entry, self.schema, name, &json);
        format!("{}.{}.{mac}\n{json}", self.schema, entry.id())
    }

    /// Opens what KV returned for `name`.
    ///
    /// # Errors
    /// [`RecordError::Forged`] when no entry in force made this value for this name,
    /// [`RecordError::Unknown`] when its schema is another, or a field, a restriction or a rule in
    /// it is none that this version knows.
    pub fn open(value: &str, name: &str, keyring: &Keyring) -> Result<Self, RecordError> {
        let (head, json) = value.split_once('\n').ok_or(RecordError::Forged)?;
        let (schema, rest) = head.split_once('.').ok_or(RecordError::Forged)?;
        if number(schema).ok_or(RecordError::Forged)? != SCHEMA {
            // A later schema may have another MAC, so whether this one holds says nothing.
            return Err(RecordError::Unknown);
        }
        let (id, given) = rest.split_once('.').ok_or(RecordError::Forged)?;
        let entry = keyring.entry(id).ok_or(RecordError::Forged)?;
        // Compared as text: base64 has no second spelling of a MAC that could pass.
        let genuine = mac(entry, SCHEMA, name, json)
            .as_bytes()
            .ct_eq(given.as_bytes());
        if !bool::from(genuine) {
            return Err(RecordError::Forged);
        }
        let record: Self = serde_json::from_str(json).map_err(|_| RecordError::Unknown)?;
        if record.schema == SCHEMA {
            Ok(record)
        } else {
            Err(RecordError::Unknown)
        }
    }

    /// Whether kind and environment are those that the secret's prefix names. The record decides
    /// about a key; a secret whose prefix says otherwise is not valid.
    #[must_use]
    pub fn agrees_with(&self, shape: &Shape<'_>) -> bool {
        self.kind == shape.kind() && self.environment == shape.environment()
    }
}

/// The MAC in base64url. The name's length stands before it, so that no byte can move between
/// name and JSON.
fn mac(entry: &Entry, schema: u32, name: &str, json: &str) -> String {
    let length = (name.len() as u64).to_be_bytes();
    let parts = [
        &schema.to_be_bytes()[..],
        &length,
        name.as_bytes(),
        json.as_bytes(),
    ];
    Base64UrlUnpadded::encode_string(&entry.record_mac(&parts))
}

/// Reads a number as [`Record::seal`] writes it: without sign or leading zeros.
fn number(text: &str) -> Option<u32> {
    let canonical = text.starts_with(|first| matches!(first, '1'..='9'));
    if canonical { text.parse().ok() } else { None }
}
