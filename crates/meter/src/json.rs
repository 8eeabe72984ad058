//! JSON in the storage.

use keyward_edge::storage::StorageError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is written.
///
/// # Errors
/// [`StorageError::Row`]: never, as nothing is written that JSON does not have.
pub(crate) fn written(value: &impl Serialize) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|_| StorageError::Row)
}

/// What was written.
///
/// # Errors
/// [`StorageError::Row`] for what this version does not write.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|_| StorageError::Row)
}
