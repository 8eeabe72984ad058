//! How an older database becomes a newer one.
//!
//! The runtime does not let `PRAGMA user_version` be set, so a table of one row holds the version.

use super::{Storage, StorageError};

impl Storage {
    /// The version of the database; 0 for one without a table.
    ///
    /// # Errors
    /// As [`Storage::rows`].
    pub fn version(&self) -> Result<u64, StorageError> {
        let exists = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
        if self.row(exists, &[])?.is_none() {
            return Ok(0);
        }
        match self.row("SELECT version FROM schema_version", &[])? {
            Some(row) => row.number(0),
            None => Ok(0),
        }
    }

    /// Brings the database to the version that all the steps make; whether it was an older one.
    /// Step `n` turns a database of version `n` into one of version `n + 1`, so a list of steps
    /// only ever grows.
    ///
    /// # Errors
    /// As [`Storage::rows`], and [`StorageError::Row`] for a database that a later version wrote:
    /// what its tables mean is not known here, so nothing is read from them.
    pub fn migrate(&self, steps: &[&str]) -> Result<bool, StorageError> {
        let done = self.version()?;
        let target = steps.len() as u64;
        if done == target {
            return Ok(false);
        }
        if done > target {
            return Err(StorageError::Row);
        }
        self.transaction(|| {
            self.run(
                "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT",
                &[],
            )?;
            for step in steps
                .iter()
                .skip(usize::try_from(done).unwrap_or(usize::MAX))
            {
                self.run(step, &[])?;
            }
            self.run("DELETE FROM schema_version", &[])?;
            self.run(
                "INSERT INTO schema_version (version) VALUES (?1)",
                &[target.into()],
            )
        })?;
        Ok(0 < done)
    }
}
