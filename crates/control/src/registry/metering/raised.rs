//! A registry that was set back to an earlier time begins again with versions that its meters, and
//! whoever remembers a record, have long heard of, and would pass over. What it knows gets a version
//! above the one that was heard of, and goes out once more, to KV and to the meter.

use keyward_core::metering::Of;
use keyward_core::time::Millis;
use keyward_edge::log;
use keyward_edge::storage::StorageError;

use super::key;
use crate::registry::outbox::Event;
use crate::registry::publication::Publisher;
use crate::registry::{keys, state};

/// Goes above a version that a meter knows. Belongs into a transaction.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
pub(super) fn above(
    publisher: &Publisher,
    of: &Of,
    version: u64,
    now: Millis,
) -> Result<(), StorageError> {
    let detail = "a meter knows a newer version than the registry, which goes above it";
    log::registry("version_raised", key(of), detail);
    match of {
        Of::Key(key) => {
            let to = [key.into(), version.saturating_add(1).into()];
            let storage = publisher.storage();
            for table in ["key", "purged"] {
                storage.run(
                    &format!("UPDATE {table} SET version = ?2 WHERE id = ?1 AND version < ?2"),
                    &to,
                )?;
            }
            // What was passed over may withdraw something.
            keys::owe(publisher, key, Event::Withdrawn, now)
        }
        Of::Owner(owner) => state::raise_owner_limits(publisher, owner, version, now),
        Of::Project => Ok(()),
    }
}
