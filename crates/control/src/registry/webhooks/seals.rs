//! Secrets of endpoints are stored sealed, under the current entry of the deployment's secret.

use keyward_core::keyring::Keyring;
use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::{crypto, log};

/// What the seal of an endpoint's secret is bound to.
///
/// # Errors
/// Those of the storage.
pub(super) fn context(storage: &Storage, webhook: &str) -> Result<String, StorageError> {
    let row = storage.row("SELECT id FROM project", &[])?;
    let project = row.ok_or(StorageError::Row)?.text(0)?;
    Ok(crypto::webhook_context(&project, webhook))
}

/// Whether a secret of an endpoint is sealed under this entry.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn holds(storage: &Storage, entry: &str) -> Result<bool, StorageError> {
    exists(storage, "GLOB", entry)
}

/// Whether one is sealed under another.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn needed(storage: &Storage, current: &str) -> Result<bool, StorageError> {
    exists(storage, "NOT GLOB", current)
}

/// A pattern for seals of [`crypto::seal`] under this entry, whose id has letters and digits only.
fn under(entry: &str) -> String {
    format!("1.{entry}.*")
}

fn exists(storage: &Storage, compares: &str, entry: &str) -> Result<bool, StorageError> {
    let row = storage.row(
        &format!(
            "SELECT 1 FROM webhook WHERE sealed {compares} ?1 OR old_sealed {compares} ?1 LIMIT 1"
        ),
        &[(&under(entry)).into()],
    )?;
    Ok(row.is_some())
}

/// Seals under the current entry what is sealed under another. What cannot be opened stays.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] when nothing can be sealed.
pub(in crate::registry) async fn reseal(
    storage: &Storage,
    keyring: &Keyring,
) -> Result<(), StorageError> {
    for column in ["sealed", "old_sealed"] {
        let rows = storage.rows(
            &format!("SELECT id, {column} FROM webhook WHERE {column} NOT GLOB ?1"),
            &[(&under(keyring.current().id())).into()],
        )?;
        for row in &rows {
            let (id, old) = (row.text(0)?, row.text(1)?);
            let context = context(storage, &id)?;
            let Ok(plain) = crypto::open(keyring, &context, &old).await else {
                let detail = "a webhook's secret cannot be opened; its seal stays as it is";
                log::registry("resealing_failed", None, detail);
                continue;
            };
            let new = crypto::seal(keyring.current(), &context, &plain)
                .await
                .map_err(|_| StorageError::Runtime)?;
            storage.run(
                &format!("UPDATE webhook SET {column} = ?3 WHERE id = ?1 AND {column} = ?2"),
                &[(&id).into(), (&old).into(), (&new).into()],
            )?;
        }
    }
    Ok(())
}
