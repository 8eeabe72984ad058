//! A page of a list, and what it shows of the rows that were found.

use keyward_edge::storage::{Row, StorageError};
use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) limit: u32,
    /// Newest first: only what is older than this position. Oldest first (exports): only what is
    /// newer.
    pub(crate) from: Option<u64>,
}

impl Page {
    /// The rows to show of a result that was asked for one more than the page holds, and the
    /// position (in this column) from which to go on, when there is more.
    ///
    /// # Errors
    /// [`StorageError::Row`].
    pub(super) fn cut<'a>(
        &self,
        rows: &'a [Row],
        position: u32,
    ) -> Result<(&'a [Row], Option<u64>), StorageError> {
        let Some((shown, [_, ..])) = rows.split_at_checked(self.limit as usize) else {
            return Ok((rows, None));
        };
        let next = shown.last().map(|row| row.number(position)).transpose()?;
        Ok((shown, next))
    }
}
