//! Changes of balances: the tables `credit_change` and `credit_number`. The balance itself is the
//! meter's; what the registry has decided about it is kept here until the meter confirms it.

use keyward_core::changes::FieldChange;
use keyward_core::limits::{Limits, Refill};
use keyward_core::metering::{CreditAct, CreditChange, Of};
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use keyward_core::spec::limits::LARGEST_LIMIT;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};
use serde_json::json;

use super::{name, owed};
use crate::registry::message::Reply;

/// So many changes are sent at once; the others follow when these are confirmed.
const AT_ONCE: u64 = 1_000;

/// Notes a change, to be told like any other. Belongs into its transaction.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn change(
    storage: &Storage,
    of: &Of,
    act: CreditAct,
    now: Millis,
) -> Result<(), StorageError> {
    let subject = name(of);
    let number = storage
        .row(
            "INSERT INTO credit_number (subject, number) VALUES (?1, 1)
             ON CONFLICT (subject) DO UPDATE SET number = number + 1 RETURNING number",
            &[(&subject).into()],
        )?
        .ok_or(StorageError::Row)?
        .number(0)?;
    let (word, units) = words(act);
    storage.run(
        "INSERT INTO credit_change (subject, number, act, units, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            (&subject).into(),
            number.into(),
            word.into(),
            units.into(),
            now.into(),
        ],
    )?;
    owed::owe(storage, of, now)
}

/// The limits have changed. Credits that appear begin with their balance, by a change of its own:
/// so it does not matter when their meter hears of it, or whether it still counts credits that
/// have been taken away since. With those, what was to become of them is void. Another refill
/// begins now, also where no meter has heard of the credits yet. Belongs into the transaction of
/// the change.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn follow(
    storage: &Storage,
    of: &Of,
    before: &Limits,
    after: &Limits,
    now: Millis,
) -> Result<(), StorageError> {
    match (&before.credits, &after.credits) {
        (None, Some(credits)) => change(storage, of, CreditAct::Set(credits.balance), now),
        (Some(had), Some(has)) if had.refill != has.refill => {
            settle(storage, of, had.refill.as_ref(), now)
        }
        (Some(_), Some(_)) => Ok(()),
        (_, None) => storage.run(
            "DELETE FROM credit_change WHERE subject = ?1",
            &[(&name(of)).into()],
        ),
    }
}

/// Credits that nobody has used are what they would be by now: a meter that hears of them later
/// knows nothing of the refill that there was, and begins with the new one at their last change.
fn settle(
    storage: &Storage,
    of: &Of,
    refill: Option<&Refill>,
    now: Millis,
) -> Result<(), StorageError> {
    if owed::is_metered(storage, of)? {
        return Ok(());
    }
    let changes = changes(storage, of, u32::MAX.into())?;
    let Some(last) = changes.last() else {
        return Ok(());
    };
    confirm(storage, of, last.number.saturating_sub(1))?;
    storage.run(
        "UPDATE credit_change SET act = 'set', units = ?2, at = ?3 WHERE subject = ?1",
        &[
            (&name(of)).into(),
            unused(refill, &changes, now).into(),
            now.into(),
        ],
    )
}

/// The balance after these changes, if nothing was spent.
fn unused(refill: Option<&Refill>, changes: &[CreditChange], now: Millis) -> u64 {
    let refilled = |balance: u64, from: Millis, to: Millis| match refill {
        Some(refill) if refill.schedule().span(from).end <= to => refill.amount,
        _ => balance,
    };
    let mut balance = 0;
    let mut from = now;
    for change in changes {
        balance = match change.act {
            CreditAct::Set(units) => units,
            CreditAct::Add(units) => refilled(balance, from, change.at)
                .saturating_add(units)
                .min(LARGEST_LIMIT),
        };
        from = change.at;
    }
    refilled(balance, from, now)
}

/// The changes that the meter has not confirmed, in the order of their numbers.
///
/// # Errors
/// Those of the storage.
pub(super) fn unconfirmed(storage: &Storage, of: &Of) -> Result<Vec<CreditChange>, StorageError> {
    changes(storage, of, AT_ONCE)
}

fn changes(storage: &Storage, of: &Of, most: u64) -> Result<Vec<CreditChange>, StorageError> {
    let rows = storage.rows(
        "SELECT number, act, units, at FROM credit_change WHERE subject = ?1 ORDER BY number LIMIT ?2",
        &[(&name(of)).into(), most.into()],
    )?;
    rows.iter().map(read).collect()
}

/// The meter has applied all changes up to this number.
///
/// # Errors
/// Those of the storage.
pub(super) fn confirm(storage: &Storage, of: &Of, number: u64) -> Result<(), StorageError> {
    storage.run(
        "DELETE FROM credit_change WHERE subject = ?1 AND number <= ?2",
        &[(&name(of)).into(), number.into()],
    )
}

/// Whether any change has not been confirmed.
///
/// # Errors
/// Those of the storage.
pub(super) fn any(storage: &Storage, of: &Of) -> Result<bool, StorageError> {
    let row = storage.row(
        "SELECT 1 FROM credit_change WHERE subject = ?1 LIMIT 1",
        &[(&name(of)).into()],
    )?;
    Ok(row.is_some())
}

/// What the audit log says of a change: the balance before it is the meter's, and not known here.
pub(in crate::registry) fn logged(act: CreditAct) -> FieldChange {
    let (word, units) = words(act);
    FieldChange {
        field: "credits".to_owned(),
        before: None,
        after: Some(json!({ word: units })),
    }
}

/// There are no credits that could change.
pub(in crate::registry) fn refused(detail: &str) -> Reply {
    Reply::Refused {
        code: Refusal::KeySpecInvalid.code().to_owned(),
        errors: vec![FieldError {
            field: "credits".to_owned(),
            detail: detail.to_owned(),
        }],
    }
}

const fn words(act: CreditAct) -> (&'static str, u64) {
    match act {
        CreditAct::Set(units) => ("set", units),
        CreditAct::Add(units) => ("add", units),
    }
}

fn read(row: &Row) -> Result<CreditChange, StorageError> {
    let units = row.number(2)?;
    let act = match row.text(1)?.as_str() {
        "set" => CreditAct::Set(units),
        "add" => CreditAct::Add(units),
        _ => return Err(StorageError::Row),
    };
    Ok(CreditChange {
        number: row.number(0)?,
        at: row.time(3)?,
        act,
    })
}

#[cfg(test)]
mod tests {
    use keyward_core::limits::Period;

    use super::*;

    const DAY_MS: u64 = 86_400_000;

    #[test]
    fn unused_credits_are_what_was_set_added_and_refilled() {
        let refill = Refill {
            amount: 100,
            period: Period::Day,
            reset_day: None,
        };
        let (set, add) = (CreditAct::Set, CreditAct::Add);
        // In hours; a day has 24.
        for (changes, now, without, with) in [
            (vec![(1, set(5))], 23, 5, 5),
            (vec![(1, set(5))], 24, 5, 100),
            (vec![(1, set(5))], 240, 5, 100),
            (vec![(1, set(5)), (2, add(7)), (25, add(1))], 26, 13, 101),
            (vec![(1, set(5)), (25, add(1)), (26, set(8))], 47, 8, 8),
            (vec![(1, set(5)), (25, add(1)), (26, set(8))], 48, 8, 100),
            (
                vec![(1, set(5)), (2, add(u64::MAX))],
                3,
                LARGEST_LIMIT,
                LARGEST_LIMIT,
            ),
        ] {
            let hours = |hours: u64| Millis(hours * DAY_MS / 24);
            let changes: Vec<_> = changes
                .iter()
                .map(|(at, act)| CreditChange {
                    number: 1,
                    at: hours(*at),
                    act: *act,
                })
                .collect();
            assert_eq!(unused(None, &changes, hours(now)), without, "{changes:?}");
            assert_eq!(
                unused(Some(&refill), &changes, hours(now)),
                with,
                "{changes:?}"
            );
        }
    }
}
