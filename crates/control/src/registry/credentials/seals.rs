//! Credentials are sealed under each entry in force of the deployment's secret.

use keyward_core::keyring::Keyring;
use keyward_core::time::Millis;
use keyward_edge::crypto::{self, CredentialContext};
use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::{clock, log};

use super::{owe, project};
use crate::registry::outbox::Event;
use crate::registry::publication::Publisher;

/// Whether a credential is sealed under this entry and under no other.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn holds(storage: &Storage, entry: &str) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM credential_seal AS one WHERE entry = ?1 AND NOT EXISTS
            (SELECT 1 FROM credential_seal AS other
             WHERE other.name = one.name AND other.entry <> ?1) LIMIT 1",
        &[entry.into()],
    )?;
    Ok(row.is_some())
}

/// Whether one is not sealed under this entry.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn needed(storage: &Storage, entry: &str) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM credential WHERE NOT EXISTS
            (SELECT 1 FROM credential_seal
             WHERE credential_seal.name = credential.name AND entry = ?1) LIMIT 1",
        &[entry.into()],
    )?;
    Ok(row.is_some())
}

/// KV is owed all of them: it may have none of them any more, and under an entry that has come back one that
/// was deleted meanwhile. Belongs into a transaction.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
pub(in crate::registry) fn owe_all(publisher: &Publisher, now: Millis) -> Result<(), StorageError> {
    for (query, event) in [
        ("SELECT name FROM credential_deleted", Event::Withdrawn),
        ("SELECT name FROM credential", Event::Granted),
    ] {
        for row in &publisher.storage().rows(query, &[])? {
            owe(publisher, &row.text(0)?, event, now)?;
        }
    }
    Ok(())
}

/// Seals under each entry in force what is not yet sealed under it, and owes it to KV. What cannot be
/// opened stays as it is.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] when nothing can be sealed.
pub(in crate::registry) async fn reseal(
    publisher: &Publisher,
    keyring: &Keyring,
) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let project = project(storage)?;
    for entry in keyring.in_force() {
        let rows = storage.rows(
            "SELECT name, origin, version FROM credential WHERE NOT EXISTS
                (SELECT 1 FROM credential_seal
                 WHERE credential_seal.name = credential.name AND entry = ?1)",
            &[entry.id().into()],
        )?;
        for row in &rows {
            let (name, origin, version) = (row.text(0)?, row.text(1)?, row.number(2)?);
            let context = CredentialContext {
                project: &project,
                name: &name,
                origin: &origin,
                version,
            };
            let seals = storage.rows(
                "SELECT entry, sealed FROM credential_seal WHERE name = ?1",
                &[(&name).into()],
            )?;
            let mut plain = None;
            for seal in &seals {
                if let Some(own) = keyring.entry(&seal.text(0)?)
                    && plain.is_none()
                {
                    let opened = crypto::open_credential(own, &context, &seal.text(1)?).await;
                    plain = opened.ok();
                }
            }
            let Some(plain) = plain else {
                let detail = "a project's credential cannot be opened; its seal stays as it is";
                log::registry("resealing_failed", Some(&super::id(&name)), detail);
                continue;
            };
            let sealed = crypto::seal_credential(entry, &context, &plain)
                .await
                .map_err(|_| StorageError::Runtime)?;
            storage.transaction(|| {
                // Not when it was set or deleted meanwhile.
                storage.run(
                    "INSERT OR IGNORE INTO credential_seal (name, entry, sealed)
                     SELECT name, ?2, ?3 FROM credential WHERE name = ?1 AND version = ?4",
                    &[
                        (&name).into(),
                        entry.id().into(),
                        (&sealed).into(),
                        version.into(),
                    ],
                )?;
                owe(publisher, &name, Event::Granted, clock::now())
            })?;
        }
    }
    Ok(())
}
