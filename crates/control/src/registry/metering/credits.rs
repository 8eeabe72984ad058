//! Changes of balances: the tables `credit_change` and `credit_number`. The balance itself is the
//! meter's; what the registry has decided about it is kept here until the meter confirms it.

use keyward_core::changes::FieldChange;
use keyward_core::limits::Limits;
use keyward_core::metering::{CreditAct, CreditChange, Of};
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
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
/// have been taken away since. With those, what was to become of them is void. Belongs into the
/// transaction of the change.
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
        (_, Some(_)) => Ok(()),
        (_, None) => storage.run(
            "DELETE FROM credit_change WHERE subject = ?1",
            &[(&name(of)).into()],
        ),
    }
}

/// The changes that the meter has not confirmed, in the order of their numbers.
///
/// # Errors
/// Those of the storage.
pub(super) fn unconfirmed(storage: &Storage, of: &Of) -> Result<Vec<CreditChange>, StorageError> {
    let rows = storage.rows(
        "SELECT number, act, units, at FROM credit_change WHERE subject = ?1 ORDER BY number LIMIT ?2",
        &[(&name(of)).into(), AT_ONCE.into()],
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
