//! The rows with what was counted: [`keyward_core::usage::retention`] says which span's row counts
//! a call when.

use std::collections::BTreeMap;

use keyward_core::metering::Span;
use keyward_core::time::Millis;
use keyward_core::usage::{Counts, Minute};
use keyward_edge::storage::{Storage, StorageError};

use crate::json::{read, written};

/// So many rows are read at once: they are held in memory.
const PAGE: u64 = 500;

/// Adds to a minute's row. `unsent`: the project's meter is to be told of it.
///
/// # Errors
/// Those of the storage.
pub(crate) fn add(
    storage: &Storage,
    minute: Minute,
    counts: &Counts,
    unsent: bool,
) -> Result<(), StorageError> {
    let row = storage.row(
        "SELECT counts, unsent FROM usage WHERE span = 1 AND first = ?1",
        &[minute.0.into()],
    )?;
    let (mut sum, mut rest) = (Counts::default(), None);
    if let Some(row) = row {
        sum = read(&row.text(0)?)?;
        rest = row.optional_text(1)?;
    }
    sum.take_in(counts);
    if unsent {
        let mut left: Counts = rest.as_deref().map_or(Ok(Counts::default()), read)?;
        left.take_in(counts);
        rest = Some(written(&left)?);
    }
    storage.run(
        "INSERT INTO usage (span, first, counts, unsent) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (span, first) DO UPDATE SET counts = ?2, unsent = ?3",
        &[
            minute.0.into(),
            (&written(&sum)?).into(),
            rest.as_ref().into(),
        ],
    )
}

/// The first minute from this one on of which something is unsent.
///
/// # Errors
/// Those of the storage.
pub(crate) fn first_unsent(
    storage: &Storage,
    from: Minute,
) -> Result<Option<Minute>, StorageError> {
    let row = storage.row(
        "SELECT first FROM usage WHERE span = 1 AND first >= ?1 AND unsent IS NOT NULL
         ORDER BY first LIMIT 1",
        &[from.0.into()],
    )?;
    row.map(|row| row.number(0).map(Minute)).transpose()
}

/// What is unsent from this minute on, so many minutes of it, which is unsent no more: belongs into
/// a transaction that writes it elsewhere.
///
/// # Errors
/// Those of the storage.
pub(crate) fn take_unsent(
    storage: &Storage,
    from: Minute,
    most: u64,
) -> Result<Vec<(Minute, Counts)>, StorageError> {
    let rows = storage.rows(
        "SELECT first, unsent FROM usage WHERE span = 1 AND first >= ?1 AND unsent IS NOT NULL
         ORDER BY first LIMIT ?2",
        &[from.0.into(), most.into()],
    )?;
    let mut taken = Vec::new();
    for row in rows {
        taken.push((Minute(row.number(0)?), read(&row.text(1)?)?));
    }
    if let Some((last, _)) = taken.last() {
        storage.run(
            "UPDATE usage SET unsent = NULL
             WHERE span = 1 AND first BETWEEN ?1 AND ?2 AND unsent IS NOT NULL",
            &[from.0.into(), last.0.into()],
        )?;
    }
    Ok(taken)
}

/// The last minute of those that are kept in which a call was let through.
///
/// # Errors
/// Those of the storage.
pub(crate) fn last_used(storage: &Storage) -> Result<Option<Minute>, StorageError> {
    let row = storage.row(
        "SELECT first FROM usage WHERE span = 1 AND json_extract(counts, '$.calls') > 0
         ORDER BY first DESC LIMIT 1",
        &[],
    )?;
    row.map(|row| row.number(0).map(Minute)).transpose()
}

/// Moves what is old to longer spans, and deletes what is older than all, a part of it at a time.
///
/// # Errors
/// Those of the storage.
pub(crate) fn roll_up(storage: &Storage, now: Millis) -> Result<(), StorageError> {
    for span in [Span::Minute, Span::Hour] {
        let before = span.old_before(now);
        let rows = storage.rows(
            "SELECT first, counts FROM usage
             WHERE span = ?1 AND first < ?2 AND unsent IS NULL ORDER BY first LIMIT ?3",
            &[span.minutes().into(), before.0.into(), PAGE.into()],
        )?;
        let longer = span.longer().unwrap_or(span);
        let mut sums = BTreeMap::<Minute, Counts>::new();
        for row in rows {
            let first = Minute(row.number(0)?);
            let counts = read(&row.text(1)?)?;
            sums.entry(longer.first(first))
                .or_default()
                .take_in(&counts);
            storage.run(
                "DELETE FROM usage WHERE span = ?1 AND first = ?2",
                &[span.minutes().into(), first.0.into()],
            )?;
        }
        for (first, mut sum) in sums {
            let place = [longer.minutes().into(), first.0.into()];
            let select = "SELECT counts FROM usage WHERE span = ?1 AND first = ?2";
            if let Some(row) = storage.row(select, &place)? {
                sum.take_in(&read(&row.text(0)?)?);
            }
            storage.run(
                "INSERT INTO usage (span, first, counts) VALUES (?1, ?2, ?3)
                 ON CONFLICT (span, first) DO UPDATE SET counts = ?3",
                &[
                    longer.minutes().into(),
                    first.0.into(),
                    (&written(&sum)?).into(),
                ],
            )?;
        }
    }
    storage.run(
        "DELETE FROM usage WHERE span = ?1 AND first < ?2",
        &[
            Span::Day.minutes().into(),
            Span::Day.old_before(now).0.into(),
        ],
    )
}

/// When the first row becomes too old for its span; none when nothing is counted.
///
/// # Errors
/// Those of the storage.
pub(crate) fn first_old(storage: &Storage) -> Result<Option<Millis>, StorageError> {
    let mut first_old = None::<Millis>;
    for span in [Span::Minute, Span::Hour, Span::Day] {
        let row = storage.row(
            "SELECT first FROM usage WHERE span = ?1 ORDER BY first LIMIT 1",
            &[span.minutes().into()],
        )?;
        if let Some(row) = row {
            let old_at = span.old_at(Minute(row.number(0)?));
            first_old = Some(first_old.map_or(old_at, |other| other.min(old_at)));
        }
    }
    Ok(first_old)
}

/// The spans of this length that have counts and share a moment with the time from `since` until
/// just before `until`, in the order of time. Longer spans, which older counts are kept in, are in
/// none.
///
/// # Errors
/// Those of the storage.
pub(crate) fn spans(
    storage: &Storage,
    since: Millis,
    until: Millis,
    by: Span,
) -> Result<Vec<(Millis, Counts)>, StorageError> {
    if until <= since {
        return Ok(Vec::new());
    }
    let from = by.first(Minute::of(since));
    let end = by.first(Minute::of(Millis(until.0.saturating_sub(1))));
    let end = end.0.saturating_add(by.minutes());
    let mut spans = BTreeMap::<Minute, Counts>::new();
    for span in [Span::Day, Span::Hour, Span::Minute] {
        if span.minutes() > by.minutes() {
            continue;
        }
        let mut next = from.0;
        loop {
            let rows = storage.rows(
                "SELECT first, counts FROM usage WHERE span = ?1 AND first >= ?2 AND first < ?3
                 ORDER BY first LIMIT ?4",
                &[span.minutes().into(), next.into(), end.into(), PAGE.into()],
            )?;
            for row in &rows {
                let first = row.number(0)?;
                next = first.saturating_add(1);
                let counts = read(&row.text(1)?)?;
                spans
                    .entry(by.first(Minute(first)))
                    .or_default()
                    .take_in(&counts);
            }
            if (rows.len() as u64) < PAGE {
                break;
            }
        }
    }
    let spans = spans.into_iter();
    Ok(spans
        .map(|(first, counts)| (first.start(), counts))
        .collect())
}
