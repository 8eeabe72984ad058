//! Derivation keys, secrets of webhooks and credentials that are sealed under an older entry of the deployment's
//! secret are sealed under the current one, so that the older one can go.
//!
//! Those that were sealed with AES-256-GCM, by the first version, are sealed as
//! [`derived`] does: the edge can open those, and so their records are published again.
//!
//! It runs beside everything else, a few keys at a time: WebCrypto answers later, so a seal is
//! replaced only where it still is what was opened, and progress is noted with the new seals in
//! one transaction. A kill at any point repeats a few keys and loses none. What cannot be opened
//! stays as it is, and keeps its entry from being called droppable.

use std::rc::Rc;

use keyward_core::derived;
use keyward_core::keyring::Keyring;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};
use keyward_edge::{clock, crypto, log};
use zeroize::Zeroizing;

use super::credentials;
use super::keys;
use super::outbox::Event;
use super::publication::Publisher;
use super::webhooks;

/// Keys that are done at once.
const BATCH: u64 = 100;
/// After so many batches the alarm goes on: no invocation takes longer the more keys there are.
const BATCHES: usize = 100;

/// A seal to replace, and what it becomes.
struct Replaced {
    secret: String,
    old: String,
    new: String,
}

impl Replaced {
    /// Whether the edge could not open it before.
    fn is_news(&self) -> bool {
        !self.old.starts_with("2.")
    }
}

/// Whether anything is sealed under another entry than this one.
///
/// # Errors
/// Those of the storage.
pub(super) fn needed(storage: &Storage, current: &str) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM secret WHERE sealed <> '' AND sealed NOT GLOB ?1 LIMIT 1",
        &[(&under(current)).into()],
    )?;
    Ok(row.is_some()
        || webhooks::needed(storage, current)?
        || credentials::needed(storage, current)?)
}

/// Whether anything is sealed under this entry.
///
/// # Errors
/// Those of the storage.
pub(super) fn holds(storage: &Storage, entry: &str) -> Result<bool, StorageError> {
    Ok(is_sealed(storage, &format!("[12].{entry}.*"))?
        || webhooks::holds(storage, entry)?
        || credentials::holds(storage, entry)?)
}

fn is_sealed(storage: &Storage, pattern: &str) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM secret WHERE sealed GLOB ?1 LIMIT 1",
        &[pattern.into()],
    )?;
    Ok(row.is_some())
}

/// Begins anew when something is sealed under an older entry after all: an isolate of the
/// management API may have had that entry for longer than the registry. Belongs into a transaction.
///
/// # Errors
/// Those of the storage.
pub(super) fn resume(
    storage: &Storage,
    keyring: &Keyring,
    now: Millis,
) -> Result<(), StorageError> {
    let current = keyring.current().id();
    // Only what can be opened: the rest would begin it again and again.
    for entry in keyring.in_force() {
        let stale = if entry.id() == current {
            is_sealed(storage, &format!("1.{current}.*"))?
        } else {
            holds(storage, entry.id())?
        };
        if stale {
            return again(storage, current, 0, now);
        }
    }
    Ok(())
}

/// The same for one key that has just been given a seal.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring.
pub(super) fn given(
    publisher: &Publisher,
    key: &str,
    sealed: &str,
    now: Millis,
) -> Result<(), StorageError> {
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let entry = sealed.split('.').nth(1);
    let current = keyring.current().id();
    // From a digest nothing is derived: it has no seal.
    if sealed.is_empty() || (entry == Some(current) && sealed.starts_with("2.")) {
        return Ok(());
    }
    let storage = publisher.storage();
    let row = storage.row("SELECT position FROM key WHERE id = ?1", &[key.into()])?;
    let position = row.ok_or(StorageError::Row)?.number(0)?;
    again(storage, current, position.saturating_sub(1), now)
}

/// The keys after this position have their turn, whatever had been done already.
fn again(storage: &Storage, current: &str, from: u64, now: Millis) -> Result<(), StorageError> {
    storage.run(
        "INSERT INTO sweep (scope, name, withdraws, next, started_at)
         VALUES ('seal', ?1, 0, ?2, ?3)
         ON CONFLICT (scope, name) DO UPDATE SET next = min(next, excluded.next)",
        &[current.into(), from.into(), now.into()],
    )?;
    storage.wake_at(now)
}

/// Goes on in the background, if there is anything to do and it is not being done.
///
/// # Errors
/// Those of the storage.
pub(super) fn start(publisher: &Rc<Publisher>) -> Result<(), StorageError> {
    if publisher.resealing.get() || position(publisher.storage())?.is_none() {
        return Ok(());
    }
    publisher.resealing.set(true);
    let running = Rc::clone(publisher);
    publisher.spawn(async move {
        let outcome = run(&running).await;
        running.resealing.set(false);
        if let Err(error) = outcome.and_then(|()| running.storage().wake_at(clock::now())) {
            log::registry("resealing_postponed", None, &error.to_string());
        }
    });
    Ok(())
}

async fn run(publisher: &Publisher) -> Result<(), StorageError> {
    let storage = publisher.storage();
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let project = storage.row("SELECT id FROM project", &[])?;
    let project = project.ok_or(StorageError::Row)?.text(0)?;
    webhooks::reseal(storage, keyring).await?;
    credentials::reseal(publisher, keyring).await?;
    for _ in 0..BATCHES {
        let Some(from) = position(storage)? else {
            return Ok(());
        };
        let rows = storage.rows(
            "SELECT done.position, secret.key, secret.id, secret.sealed, secret.digest
             FROM (SELECT position, id FROM key WHERE position > ?1 ORDER BY position LIMIT ?2)
                AS done
             LEFT JOIN secret ON secret.key = done.id AND secret.sealed <> ''
                AND secret.sealed NOT GLOB ?3
             ORDER BY done.position",
            &[
                from.into(),
                BATCH.into(),
                (&under(keyring.current().id())).into(),
            ],
        )?;
        let mut replaced = Vec::new();
        for row in &rows {
            if let Some(old) = row.optional_text(3)? {
                replaced.extend(anew(keyring, &project, row, old).await?);
            }
        }
        let last = rows.last().map(|row| row.number(0)).transpose()?;
        storage.transaction(|| {
            note(storage, from, last, &replaced)?;
            for one in &replaced {
                if one.is_news() || is_out(storage, &one.secret, keyring.current().id())? {
                    keys::owe_secret(publisher, &one.secret, Event::Granted, clock::now())?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Whether a record under this entry may have been written already, with the older seal. The others
/// are written later, with the new one; and a meter asks again before the older entry may go.
fn is_out(storage: &Storage, secret: &str, entry: &str) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM replica WHERE secret = ?1 AND entry = ?2
         UNION ALL SELECT 1 FROM outbox
            WHERE key = (SELECT key FROM secret WHERE id = ?1) AND secret = ?1 AND entry = ?2
         LIMIT 1",
        &[secret.into(), entry.into()],
    )?;
    Ok(row.is_some())
}

/// The seal of this row under the current entry; none when it cannot be opened.
async fn anew(
    keyring: &Keyring,
    project: &str,
    row: &Row,
    old: String,
) -> Result<Option<Replaced>, StorageError> {
    let (key, secret) = (row.text(1)?, row.text(2)?);
    let digest = Digest::from_hex(&row.text(4)?).ok_or(StorageError::Row)?;
    let plain = match old.strip_prefix("1.") {
        Some(_) => {
            let context = crypto::derivation_context(project, &key);
            let opened = crypto::open(keyring, &context, &old).await;
            opened
                .ok()
                .and_then(|plain| plain.first_chunk().copied().map(Zeroizing::new))
        }
        None => derived::open(keyring, project, &key, &digest, &old),
    };
    let Some(plain) = plain else {
        let detail = "a derivation key cannot be opened; its seal stays as it is";
        log::registry("resealing_failed", Some(&key), detail);
        return Ok(None);
    };
    let new = derived::seal(keyring.current(), project, &key, &digest, &plain);
    Ok(Some(Replaced { secret, old, new }))
}

fn note(
    storage: &Storage,
    from: u64,
    last: Option<u64>,
    replaced: &[Replaced],
) -> Result<(), StorageError> {
    for Replaced { secret, old, new } in replaced {
        storage.run(
            "UPDATE secret SET sealed = ?3 WHERE id = ?1 AND sealed = ?2",
            &[secret.into(), old.into(), new.into()],
        )?;
    }
    // Not when it has begun anew meanwhile.
    match last {
        Some(last) => storage.run(
            "UPDATE sweep SET next = ?2 WHERE scope = 'seal' AND next = ?1",
            &[from.into(), last.into()],
        ),
        None => storage.run(
            "DELETE FROM sweep WHERE scope = 'seal' AND next = ?1",
            &[from.into()],
        ),
    }
}

/// The position of the key to go on after; none when there is nothing to do.
fn position(storage: &Storage) -> Result<Option<u64>, StorageError> {
    let row = storage.row("SELECT next FROM sweep WHERE scope = 'seal'", &[])?;
    row.map(|row| row.number(0)).transpose()
}

/// A pattern for seals under this entry, whose id has letters and digits only.
fn under(entry: &str) -> String {
    format!("2.{entry}.*")
}
