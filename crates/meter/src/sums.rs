//! The project's sum: a key's meter tells it what it has counted, a part of it at a time, under a
//! number, until the project's meter has it. That says how long to wait until the next ([`Turns`]):
//! one object hears all keys of a project.

use keyward_core::metering::{MeterCall, MeterCommand, MeterReply, Of, Subject};
use keyward_core::time::Millis;
use keyward_core::usage::UsageReport;
use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::{bindings, object, timeout};
use worker::Env;

use crate::usage;

/// How often a key's meter tells at most.
pub(crate) const SHORTEST_WAIT_MS: u64 = 60_000;
/// How often it does at least, however many there are.
const LONGEST_WAIT_MS: u64 = 3_600_000;
/// The time between two turns: a hundred in a second.
const TURN_MS: u64 = 10;
/// How long the project's meter is waited for.
const PATIENCE_MS: u64 = 10_000;
/// The number of a silent key's newest report is kept for so long. A number is at least the time
/// at which it was given: one that is older than this is not known to be new.
const KEPT_MS: u64 = 30 * 24 * 3_600_000;

/// The turns of a project's keys: each is told when the next is that no other has. Not written: a
/// meter that starts again gives out some turns twice, and is asked twice as often until those are
/// over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turns {
    last: u64,
}

impl Turns {
    /// In how many milliseconds the next turn is, which is given away.
    pub(crate) fn next(&mut self, now: Millis) -> u64 {
        let (first, end) = (now.plus(SHORTEST_WAIT_MS).0, now.plus(LONGEST_WAIT_MS).0);
        self.last = self.last.saturating_add(TURN_MS).clamp(first, end);
        self.last.saturating_sub(now.0)
    }
}

/// Tells the project's meter; how long it says to wait, if it has it now.
pub(crate) async fn tell(env: &Env, project: &str, key: &str, report: UsageReport) -> Option<u64> {
    let subject = Subject {
        project: project.to_owned(),
        of: Of::Project,
    };
    let name = subject.object();
    let key = key.to_owned();
    let command = MeterCommand::Sum { key, report };
    let call = serde_json::to_string(&MeterCall { subject, command }).ok()?;
    let asked = object::exchange(env, bindings::METERS, &name, &call);
    let answer = timeout::within(PATIENCE_MS, asked).await;
    match serde_json::from_str(&answer?.ok()?) {
        Ok(MeterReply::Summed { wait_ms }) => Some(wait_ms),
        _ => None,
    }
}

/// Adds a key's report, once.
///
/// # Errors
/// Those of the storage.
pub(crate) fn add(
    storage: &Storage,
    key: &str,
    report: &UsageReport,
    now: Millis,
) -> Result<(), StorageError> {
    let last = storage.row("SELECT number FROM source WHERE key = ?1", &[key.into()])?;
    let last = last.map_or(Ok(0), |row| row.number(0))?;
    if report.number <= last || report.number.saturating_add(KEPT_MS) < now.0 {
        return Ok(());
    }
    for (minute, counts) in &report.minutes {
        usage::add(storage, *minute, counts, false)?;
    }
    storage.run(
        "INSERT INTO source (key, number) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET number = ?2",
        &[key.into(), report.number.into()],
    )
}

/// Forgets the keys that have been silent for long; whether any is left.
///
/// # Errors
/// Those of the storage.
pub(crate) fn forget(storage: &Storage, now: Millis) -> Result<bool, StorageError> {
    let before = now.0.saturating_sub(KEPT_MS);
    storage.run("DELETE FROM source WHERE number < ?1", &[before.into()])?;
    let row = storage.row("SELECT 1 FROM source LIMIT 1", &[])?;
    Ok(row.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_keys_tell_every_minute() {
        let mut turns = Turns::default();
        for at in (0..600_000).step_by(20) {
            assert_eq!(turns.next(Millis(at)), SHORTEST_WAIT_MS);
        }
    }

    /// How many of so many keys, all of which are in use, tell in the busiest second, after the first minute.
    fn busiest(keys: u64) -> u64 {
        let mut turns = Turns::default();
        // They have begun within a minute.
        let mut due: std::collections::BTreeSet<_> =
            (0..keys).map(|key| (key * 60_000 / keys, key)).collect();
        let mut seconds = std::collections::BTreeMap::<u64, u64>::new();
        while let Some((at, key)) = due.pop_first().filter(|(at, _)| *at < 1_500_000) {
            *seconds.entry(at / 1_000).or_default() += 1;
            due.insert((at + turns.next(Millis(at)), key));
        }
        let late = seconds.range(60..).map(|(_, count)| *count);
        late.max().unwrap()
    }

    #[test]
    fn many_keys_take_turns_of_a_hundred_in_a_second() {
        for keys in [10, 5_999, 50_000] {
            assert!(busiest(keys) <= 101, "{keys}: {}", busiest(keys));
        }
    }

    #[test]
    fn no_key_waits_for_longer_than_an_hour_whatever_the_clock_does() {
        let mut turns = Turns::default();
        for _ in 0..400_000 {
            assert!(turns.next(Millis(5_000_000)) <= LONGEST_WAIT_MS);
        }
        assert_eq!(turns.next(Millis(1_000)), LONGEST_WAIT_MS);
        assert_eq!(turns.next(Millis(90_000_000)), SHORTEST_WAIT_MS);
    }
}
