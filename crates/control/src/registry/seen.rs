//! When keys were last used, to about an hour: the gateways tell it now and then.

use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::message::Reply;

/// So many keys are taken from one message; a gateway sends no more.
const MOST_KEYS: usize = 1_000;

/// Notes that these keys have been used. No version of a key: nothing that anybody decides by has
/// changed. An id that is not known is passed over.
///
/// # Errors
/// Those of the storage.
pub(super) fn seen(storage: &Storage, keys: &[String], now: Millis) -> Result<Reply, StorageError> {
    let keys: Vec<_> = keys.iter().take(MOST_KEYS).collect();
    let keys = serde_json::to_string(&keys).map_err(|_| StorageError::Row)?;
    storage.run(
        "UPDATE key SET last_used_at = ?2
         WHERE id IN (SELECT value FROM json_each(?1)) AND coalesce(last_used_at, 0) < ?2",
        &[(&keys).into(), now.into()],
    )?;
    Ok(Reply::Done)
}
