//! The frame of every change: one transaction in which an earlier answer to the same request is
//! looked for, the change is made and logged, its answer is kept for repetition, and the alarm is
//! set.

use keyward_core::changes::FieldChange;
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::audit;
use super::message::{Actor, Call, Idempotency, Reply};

/// For so long an answer is kept: 10 minutes. It may have a secret.
pub(super) const KEPT_MS: u64 = 10 * 60 * 1000;
/// That to a change of credits is kept for a day: it has none, and twice would be money.
pub(super) const KEPT_LONG_MS: u64 = 24 * 3_600_000;

/// What every change is written with: its storage, who asks, and when.
pub(super) struct Context<'a> {
    pub(super) storage: &'a Storage,
    pub(super) by: &'a Actor,
    pub(super) ip: Option<&'a str>,
    pub(super) request_id: &'a str,
    pub(super) now: Millis,
}

/// What an entry of the audit log is about.
#[derive(Clone, Copy, Default)]
pub(super) struct Subject<'a> {
    pub(super) project: Option<&'a str>,
    pub(super) key: Option<&'a str>,
    /// A secret, an environment or an owner.
    pub(super) target: Option<&'a str>,
}

impl Context<'_> {
    /// Appends to the audit log; belongs into the transaction of the change.
    ///
    /// # Errors
    /// Those of the storage.
    pub(super) fn log(
        &self,
        action: &str,
        subject: Subject<'_>,
        changes: &[FieldChange],
    ) -> Result<(), StorageError> {
        audit::append(self, action, subject, changes)
    }
}

/// Answers a call that may change something: with the answer that the same request was given
/// before, or by running `change`. Of a change that is refused nothing stays. `arm` sets the
/// alarm, with the kept answer ([`next_wake`]) in mind, which is kept for `kept_ms`.
///
/// An answer is kept without whether KV has what it tells of: that is asked anew.
///
/// # Errors
/// Those of the storage, of `change` and of `arm`; then nothing is changed.
pub(super) fn run<Command>(
    storage: &Storage,
    call: &Call<Command>,
    now: Millis,
    kept_ms: u64,
    arm: impl FnOnce() -> Result<(), StorageError>,
    change: impl FnOnce(&Context<'_>) -> Result<Reply, StorageError>,
) -> Result<Reply, StorageError> {
    let mut refused = None;
    let outcome = storage.transaction(|| {
        if let Some(given) = &call.idempotency
            && let Some(reply) = replay(storage, given, now)?
        {
            return Ok(reply);
        }
        let context = Context {
            storage,
            by: &call.by,
            ip: call.ip.as_deref(),
            request_id: &call.request_id,
            now,
        };
        let reply = change(&context)?;
        if matches!(reply, Reply::Refused { .. } | Reply::Taken { .. }) {
            refused = Some(reply);
            // Takes back what had been written before the refusal.
            return Err(StorageError::Refused);
        }
        if let Some(given) = &call.idempotency {
            // The table says from when on each is kept for as long as most are.
            let at = now.plus(kept_ms.saturating_sub(KEPT_MS));
            keep(storage, given, &reply, at)?;
        }
        arm()?;
        Ok(reply)
    });
    match (outcome, refused) {
        (Err(StorageError::Refused), Some(reply)) => Ok(reply),
        (outcome, _) => outcome,
    }
}

/// When kept answers have to be erased next.
///
/// # Errors
/// Those of the storage.
pub(super) fn next_wake(storage: &Storage) -> Result<Option<Millis>, StorageError> {
    let row = storage.row("SELECT min(at) FROM idempotency", &[])?;
    let kept_at = row.ok_or(StorageError::Row)?.optional_time(0)?;
    Ok(kept_at.map(|at| at.plus(KEPT_MS)))
}

/// Erases the answers that have been kept long enough.
///
/// # Errors
/// Those of the storage.
pub(super) fn erase_old(storage: &Storage, now: Millis) -> Result<(), StorageError> {
    let at = now.0.checked_sub(KEPT_MS);
    storage.run("DELETE FROM idempotency WHERE at <= ?1", &[at.into()])
}

/// The answer that this request was given before, if it is still kept.
fn replay(
    storage: &Storage,
    given: &Idempotency,
    now: Millis,
) -> Result<Option<Reply>, StorageError> {
    erase_old(storage, now)?;
    let row = storage.row(
        "SELECT request_hash, reply, sealed FROM idempotency WHERE caller = ?1 AND key_hash = ?2",
        &[(&given.caller).into(), (&given.key_hash).into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    if row.text(0)? != given.request_hash {
        return Ok(Some(Reply::refused(Refusal::IdempotencyMismatch)));
    }
    let reply = serde_json::from_str(&row.text(1)?).map_err(|_| StorageError::Row)?;
    Ok(Some(Reply::Replayed {
        reply: Box::new(reply),
        sealed: row.optional_text(2)?,
    }))
}

fn keep(
    storage: &Storage,
    given: &Idempotency,
    reply: &Reply,
    at: Millis,
) -> Result<(), StorageError> {
    let reply = serde_json::to_string(reply).map_err(|_| StorageError::Row)?;
    storage.run(
        "INSERT INTO idempotency (caller, key_hash, request_hash, reply, sealed, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            (&given.caller).into(),
            (&given.key_hash).into(),
            (&given.request_hash).into(),
            (&reply).into(),
            given.sealed.as_ref().into(),
            at.into(),
        ],
    )
}
