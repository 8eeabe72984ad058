//! What is written under a name: the newest state, read when the write starts.

use keyward_core::derived;
use keyward_core::keyring::{Entry, Keyring};
use keyward_core::record::Record;
use keyward_edge::kv::Write;
use keyward_edge::storage::StorageError;

use super::Publisher;
use crate::registry::credentials;
use crate::registry::keys::{self, secrets};
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
        let credential = credentials::write(&self.storage, &due.target);
        if let Some(write) = credential.map_err(Unwritable::Storage)? {
            return Ok(write);
        }
        let record =
            keys::record(&self.storage, &due.target.secret).map_err(Unwritable::Storage)?;
        let keyring = self.keyring.as_ref().ok_or(Unwritable::Keyring)?;
        Ok(match (record, keyring.entry(&due.target.entry)) {
            (Some(mut record), Some(entry)) => {
                record.derivation = self.derivation(keyring, entry, &record)?;
                Write::Put(record.seal(entry, &due.target.name))
            }
            // The key is gone, or names of this entry are not read any more.
            _ => Write::Delete,
        })
    }

    /// The derivation key of a record's secret, sealed under the entry under which the record is: the
    /// other ones may go.
    fn derivation(
        &self,
        keyring: &Keyring,
        entry: &Entry,
        record: &Record,
    ) -> Result<Option<String>, Unwritable> {
        let Some(sealed) = &record.derivation else {
            return Ok(None);
        };
        let digest = secrets::digest(&self.storage, &record.secret_id);
        let digest = digest.map_err(Unwritable::Storage)?;
        let (project, key) = (&record.project, &record.key_id);
        let plain = derived::open(keyring, project, key, &digest, sealed);
        Ok(plain.map(|plain| derived::seal(entry, project, key, &digest, &plain)))
    }
}
