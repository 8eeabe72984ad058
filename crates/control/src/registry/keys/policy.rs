//! What the project says about all its keys.

use keyward_core::life;
use keyward_edge::storage::{Storage, StorageError};

/// The project, as far as its keys are concerned.
pub(in crate::registry) struct Policy {
    pub(in crate::registry) project: String,
    /// How old a secret may become, in milliseconds.
    pub(in crate::registry) max_age: Option<u64>,
    /// How long before an end to warn, in seconds.
    pub(in crate::registry) warning_s: u64,
    /// No key of it may be changed.
    pub(in crate::registry) archived: bool,
}

impl Policy {
    /// The policy of the project that this registry is the one of.
    ///
    /// # Errors
    /// Those of the storage.
    pub(in crate::registry) fn of(storage: &Storage) -> Result<Self, StorageError> {
        let row = storage
            .row(
                "SELECT id, max_age_s * 1000, coalesce(warn_s, ?1), archived_at FROM project",
                &[life::DEFAULT_WARNING_S.into()],
            )?
            .ok_or(StorageError::Row)?;
        Ok(Self {
            project: row.text(0)?,
            max_age: row.optional_time(1)?.map(|time| time.0),
            warning_s: row.number(2)?,
            archived: row.optional_time(3)?.is_some(),
        })
    }
}
