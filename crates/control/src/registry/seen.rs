//! When keys were last used: their meters tell it now and then.

use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::message::Reply;

/// Notes when a key was used last. No version of it: nothing that anybody decides by has changed.
/// An id that is not known is passed over.
///
/// # Errors
/// Those of the storage.
pub(super) fn seen(storage: &Storage, key: &str, at: Millis) -> Result<Reply, StorageError> {
    storage.run(
        "UPDATE key SET last_used_at = ?2 WHERE id = ?1 AND coalesce(last_used_at, 0) < ?2",
        &[key.into(), at.into()],
    )?;
    Ok(Reply::Done)
}
