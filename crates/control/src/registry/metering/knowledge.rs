//! What a meter is to know: the newest state, read when it is sent.

use keyward_core::limits::Limits;
use keyward_core::metering::{Knowledge, Of};
use keyward_edge::storage::{Storage, StorageError};

use super::credits;
use crate::registry::keys::{self, from_json};

/// What the meter of this subject is to know; none of a key that is not there.
///
/// # Errors
/// Those of the storage.
pub(super) fn of(storage: &Storage, of: &Of) -> Result<Option<Knowledge>, StorageError> {
    let Some((version, limits)) = limits(storage, of)? else {
        return Ok(None);
    };
    let records = match of {
        Of::Key(key) => keys::records(storage, key)?,
        Of::Owner(_) | Of::Project => Vec::new(),
    };
    Ok(Some(Knowledge {
        version,
        limits,
        records,
        credits: credits::unconfirmed(storage, of)?,
    }))
}

/// The same of a subject that is metered: of a key that has been purged, that nothing is left.
///
/// # Errors
/// Those of the storage.
pub(super) fn newest(storage: &Storage, subject: &Of) -> Result<Knowledge, StorageError> {
    if let Some(knowledge) = of(storage, subject)? {
        return Ok(knowledge);
    }
    let version = match subject {
        Of::Key(key) => keys::purged_version(storage, key)?,
        Of::Owner(_) | Of::Project => None,
    };
    Ok(Knowledge {
        version: version.ok_or(StorageError::Row)?,
        limits: Limits::default(),
        records: Vec::new(),
        credits: Vec::new(),
    })
}

/// Version and limits. An owner whose keys have never shared limits has version 0.
fn limits(storage: &Storage, of: &Of) -> Result<Option<(u64, Limits)>, StorageError> {
    let (statement, id) = match of {
        Of::Key(key) => ("SELECT version, limits FROM key WHERE id = ?1", key),
        Of::Owner(owner) => (
            "SELECT limits_version, limits FROM owner WHERE owner = ?1",
            owner,
        ),
        Of::Project => return Ok(Some((0, Limits::default()))),
    };
    match (storage.row(statement, &[id.into()])?, of) {
        (Some(row), _) => Ok(Some((row.number(0)?, from_json(&row.text(1)?)?))),
        (None, Of::Key(_)) => Ok(None),
        (None, Of::Owner(_) | Of::Project) => Ok(Some((0, Limits::default()))),
    }
}
