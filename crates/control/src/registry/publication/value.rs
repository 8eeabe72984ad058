//! What is written under a name: the newest state, read when the write starts.

use keyward_edge::kv::Write;
use keyward_edge::storage::StorageError;

use super::Publisher;
use crate::registry::keys;
use crate::registry::outbox::Due;

/// Why the value of a record cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritable {
    #[error("the deployment's secret is not valid")]
    Keyring,
    #[error(transparent)]
    Storage(StorageError),
}

impl Publisher {
    /// What to write, from the newest state.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub(super) fn write(&self, due: &Due) -> Result<Write, Unwritable> {
        let record =
            keys::record(&self.storage, &due.target.secret).map_err(Unwritable::Storage)?;
        let keyring = self.keyring.as_ref().ok_or(Unwritable::Keyring)?;
        Ok(match (record, keyring.entry(&due.target.entry)) {
            (Some(record), Some(entry)) => Write::Put(record.seal(entry, &due.target.name)),
            // The key is gone, or names of this entry are not read any more.
            _ => Write::Delete,
        })
    }
}
