//! Adds what KV has to be told, one name at a time.

use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::standing::SETTLE_MS;
use super::{Event, Target, Urgency};

/// The name's record has changed.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owe(
    storage: &Storage,
    target: &Target,
    event: Event,
    now: Millis,
) -> Result<(), StorageError> {
    let urgency = match event {
        Event::Withdrawn => Urgency::Withdrawal,
        Event::Created | Event::Granted => Urgency::Grant,
        Event::Imported => Urgency::SweptGrant,
    };
    add(storage, target, event, urgency, now)
}

/// The name's record has changed with those of many other keys, and nobody waits for this one.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owe_swept(
    storage: &Storage,
    target: &Target,
    event: Event,
    now: Millis,
) -> Result<(), StorageError> {
    let urgency = if event == Event::Withdrawn {
        Urgency::SweptWithdrawal
    } else {
        Urgency::SweptGrant
    };
    add(storage, target, event, urgency, now)
}

/// Adds a row, or raises the generation of the one that is there. What is still owed never becomes
/// less urgent: a key that was revoked and then renamed is still a revocation. (The statement turns
/// the numbers of [`Urgency::code`], the most urgent first 1, 3, 0, 2, into 2, 1, 0, -1.)
///
/// The row says whose the name is now: after a key has been purged, its secret may be imported as
/// another key's, while KV is still owed that the old record goes.
fn add(
    storage: &Storage,
    target: &Target,
    event: Event,
    urgency: Urgency,
    now: Millis,
) -> Result<(), StorageError> {
    let written_before = !matches!(event, Event::Created | Event::Imported);
    let settle_at = written_before.then(|| now.plus(SETTLE_MS));
    storage.run(
        "INSERT INTO outbox (name, entry, key, secret, generation, acknowledged, withdraws, due_at,
                             attempts, settle_at, doubtful)
         VALUES (?1, ?2, ?3, ?4, 1, 0, ?5, ?6, 0, ?7, 0)
         ON CONFLICT (name) DO UPDATE SET generation = generation + 1, attempts = 0,
            entry = excluded.entry, key = excluded.key, secret = excluded.secret,
            withdraws = CASE
                WHEN acknowledged < generation
                    AND 2 * (withdraws & 1) - (withdraws >> 1)
                        > 2 * (excluded.withdraws & 1) - (excluded.withdraws >> 1)
                THEN withdraws ELSE excluded.withdraws END,
            due_at = min(due_at, excluded.due_at),
            settle_at = nullif(max(coalesce(settle_at, 0), coalesce(excluded.settle_at, 0)), 0)",
        &[
            (&target.name).into(),
            (&target.entry).into(),
            (&target.key).into(),
            (&target.secret).into(),
            urgency.code().into(),
            now.into(),
            settle_at.into(),
        ],
    )
}

/// The name has no record, or none that is known of: unless the row that is there says so already,
/// one is added. There is no earlier write that could be unaccounted for. `withdraws`: a record from
/// long ago may stand there that allows more.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn owe_if_absent(
    storage: &Storage,
    target: &Target,
    withdraws: bool,
    now: Millis,
) -> Result<(), StorageError> {
    let urgency = if withdraws {
        Urgency::SweptWithdrawal
    } else {
        Urgency::SweptGrant
    };
    storage.run(
        "INSERT OR IGNORE INTO outbox (name, entry, key, secret, generation, acknowledged,
                                       withdraws, due_at, attempts, doubtful)
         VALUES (?1, ?2, ?3, ?4, 1, 0, ?5, ?6, 0, 0)",
        &[
            (&target.name).into(),
            (&target.entry).into(),
            (&target.key).into(),
            (&target.secret).into(),
            urgency.code().into(),
            now.into(),
        ],
    )
}
