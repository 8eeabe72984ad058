//! What the first version of this registry did not know of its project: its name, and when it was
//! created. The account registry knows both; they are taken over before either is shown, changed
//! or told.

use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::client;
use super::publication::Publisher;

/// Asks for what is not known, if anything is.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] when the account registry does not answer:
/// what is not known must not be shown.
pub(super) async fn ask(publisher: &Publisher) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let nameless = storage.row(
        "SELECT id FROM project WHERE told = 0 AND created_at = 0",
        &[],
    )?;
    let Some(row) = nameless else { return Ok(()) };
    let id = row.text(0)?;
    let known = client::known(publisher.env(), &id, "").await;
    match known.map_err(|_| StorageError::Runtime)? {
        Some(project) => adopt(storage, &project.name, project.created_at.0),
        // The account registry was set back in time: it learns of the project from here.
        None => Ok(()),
    }
}

/// Takes over name and time of creation, unless they are known.
///
/// # Errors
/// Those of the storage.
pub(super) fn adopt(storage: &Storage, name: &str, created_at: Millis) -> Result<(), StorageError> {
    storage.run(
        "UPDATE environment SET created_at = ?1 WHERE created_at = 0
            AND EXISTS (SELECT 1 FROM project WHERE told = 0 AND created_at = 0)",
        &[created_at.into()],
    )?;
    storage.run(
        "UPDATE project SET name = ?1, created_at = ?2, updated_at = max(updated_at, ?2)
         WHERE told = 0 AND created_at = 0",
        &[name.into(), created_at.into()],
    )
}
