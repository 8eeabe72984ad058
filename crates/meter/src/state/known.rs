//! What the registry has told.

use keyward_core::lease::ASKS_PER_S;
use keyward_core::lease::meter::Meter;
use keyward_core::limits::Limits;
use keyward_core::metering::{CreditAct, CreditChange, Holds, Knowledge, News};
use keyward_core::record::Record;
use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};

/// So old knowledge is asked for again before anybody is answered.
const OLD_MS: u64 = 600_000;
/// For so long the meter goes on when the registry does not answer.
const OLDEST_MS: u64 = 3_600_000;

/// What is known of a key, or of an owner; its limits are with the meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// As in [`Knowledge`]; of what is gone, the highest version that is known to be.
    pub(crate) version: u64,
    /// The registry knows of no such thing.
    gone: bool,
    records: Vec<Record>,
    /// The number of the newest change of credits that was applied.
    pub(crate) credited: u64,
    /// When the last lease was over that had been given before that change.
    pub(crate) credited_until: Millis,
    /// When the registry told something last.
    told_at: Millis,
}

/// What is known, with the meter that counts by it.
#[derive(Clone, Debug)]
pub(crate) struct Informed {
    pub(crate) known: Known,
    pub(crate) meter: Meter,
}

impl Known {
    /// Whether it is to be asked for again before anybody is answered.
    pub(crate) const fn is_old(&self, now: Millis) -> bool {
        now.since(self.told_at) >= OLD_MS
    }

    /// Whether nobody may be answered by it any more.
    pub(crate) const fn is_too_old(&self, now: Millis) -> bool {
        now.since(self.told_at) >= OLDEST_MS
    }

    /// The registry has answered.
    pub(crate) const fn confirm(&mut self, now: Millis) {
        self.told_at = now;
    }

    /// What an isolate that holds this is to know; none confirms it.
    pub(crate) fn news(&self, holds: &Holds) -> Option<News> {
        let mut records = self.records.iter();
        let Some(record) = records.find(|record| record.secret_id == holds.secret_id) else {
            // One that was made after what is known here is not gone: the registry did not say so.
            return (self.gone || holds.version <= self.version).then_some(News::Gone);
        };
        (holds.version < self.version).then(|| News::Record(Box::new(record.clone())))
    }
}

impl Informed {
    /// Takes in what the registry says, and changes of credits in the order of their numbers, each
    /// once. What is older than what is known is passed over as a whole: its changes are among
    /// those that are known, or have become void. Without what was known, all is new: the meter
    /// begins when its credits did, so that they are refilled as if it had been there all along.
    /// `leased_until`: when the last open lease is over.
    pub(crate) fn learn(
        before: Option<Self>,
        told: Knowledge,
        leased_until: Millis,
        now: Millis,
    ) -> Self {
        let mut informed = match before {
            None => Self {
                known: Known {
                    version: told.version,
                    gone: false,
                    records: told.records,
                    credited: 0,
                    credited_until: Millis(0),
                    told_at: now,
                },
                meter: Meter::new(
                    told.limits,
                    ASKS_PER_S,
                    told.credits.first().map_or(now, |first| first.at.min(now)),
                ),
            },
            Some(mut informed) if told.version >= informed.known.version => {
                informed.known.version = told.version;
                informed.known.gone = false;
                informed.known.records = told.records;
                informed.known.told_at = now;
                informed.meter.set_limits(told.limits, now);
                informed
            }
            Some(informed) => return informed,
        };
        for change in &told.credits {
            informed.credit(*change, leased_until, now);
        }
        informed
    }

    /// The registry knows of no such thing, at this version or before.
    pub(crate) fn gone(before: Option<Self>, version: u64, now: Millis) -> Self {
        let before_it = before.as_ref().map(|informed| &informed.known);
        let known = Known {
            version: before_it.map_or(version, |known| known.version.max(version)),
            gone: true,
            records: Vec::new(),
            credited: before_it.map_or(0, |known| known.credited),
            credited_until: before_it.map_or(Millis(0), |known| known.credited_until),
            told_at: now,
        };
        let mut meter = before.map_or_else(
            || Meter::new(Limits::default(), ASKS_PER_S, now),
            |informed| informed.meter,
        );
        meter.set_limits(Limits::default(), now);
        Self { known, meter }
    }

    fn credit(&mut self, change: CreditChange, leased_until: Millis, now: Millis) {
        if change.number <= self.known.credited {
            return;
        }
        self.known.credited = change.number;
        self.known.credited_until = leased_until;
        let at = change.at.min(now);
        match change.act {
            CreditAct::Set(balance) => self.meter.set_credits(balance, at),
            CreditAct::Add(units) => self.meter.add_credits(units, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000_000);

    fn knowledge(version: u64, secrets: &[&str]) -> Knowledge {
        let record = |secret: &&str| {
            serde_json::from_value(serde_json::json!({
                "schema": 1, "project": "acme", "environment": "live", "key_id": "key_1",
                "secret_id": secret, "kind": "private", "version": version, "status": "active",
            }))
            .unwrap()
        };
        Knowledge {
            version,
            limits: serde_json::from_str(r#"{"credits":{"balance":10}}"#).unwrap(),
            records: secrets.iter().map(record).collect(),
            credits: Vec::new(),
        }
    }

    fn holds(secret_id: &str, version: u64) -> Holds {
        Holds {
            secret_id: secret_id.to_owned(),
            version,
        }
    }

    fn version(news: Option<News>) -> Option<u64> {
        match news {
            Some(News::Record(record)) => Some(record.version),
            Some(News::Gone) => Some(0),
            None => None,
        }
    }

    #[test]
    fn what_is_held_is_confirmed_or_replaced_or_gone() {
        let Informed { known, .. } = Informed::learn(None, knowledge(3, &["a", "b"]), NOW, NOW);
        for (secret, held, expected) in [
            ("a", 3, None),
            ("b", 2, Some(3)),
            ("a", 4, None),
            ("c", 3, Some(0)),
            ("c", 2, Some(0)),
            // It was made after what is known here.
            ("c", 4, None),
        ] {
            let news = version(known.news(&holds(secret, held)));
            assert_eq!(news, expected, "{secret} {held}");
        }
    }

    #[test]
    fn what_is_gone_is_gone_at_every_version_until_the_registry_says_otherwise() {
        let before = Informed::learn(None, knowledge(3, &["a"]), NOW, NOW);
        let mut gone = Informed::gone(Some(before), 7, NOW);
        assert_eq!(gone.known.version, 7);
        assert_eq!(gone.meter.standing(NOW), []);
        for held in [1, 7, 9] {
            assert_eq!(version(gone.known.news(&holds("a", held))), Some(0));
        }
        let back = Informed::learn(Some(gone), knowledge(8, &["a"]), NOW, NOW);
        assert_eq!(version(back.known.news(&holds("a", 8))), None);
    }

    fn credits(version: u64, changes: &[(u64, CreditAct)]) -> Knowledge {
        let mut told = knowledge(version, &["a"]);
        let change = |(number, act)| CreditChange {
            number,
            at: NOW,
            act,
        };
        told.credits = changes.iter().copied().map(change).collect();
        told
    }

    fn free(informed: &mut Informed) -> u64 {
        informed.meter.standing(NOW)[0].free
    }

    #[test]
    fn changes_of_credits_are_applied_once_and_in_their_order() {
        use CreditAct::{Add, Set};
        let mut informed = Informed::learn(None, credits(3, &[(1, Set(10))]), NOW, NOW);
        for (changes, balance) in [
            (&[(1, Set(10)), (2, Add(5))][..], 15),
            (&[(2, Add(5))], 15),
            // What was withdrawn before it was told leaves a gap.
            (&[(5, Set(4)), (6, Add(1))], 5),
            (&[(3, Add(100))], 5),
        ] {
            informed = Informed::learn(Some(informed), credits(3, changes), NOW, NOW);
            assert_eq!(free(&mut informed), balance);
        }
        assert_eq!(informed.known.credited, 6);
    }

    #[test]
    fn what_is_older_changes_nothing() {
        let mut informed = Informed::learn(None, knowledge(3, &["a"]), NOW, NOW);
        let mut older = credits(2, &[(1, CreditAct::Add(5))]);
        older.limits = Limits::default();
        let later = NOW.plus(OLD_MS);
        informed = Informed::learn(Some(informed), older, later, later);
        assert_eq!(free(&mut informed), 10);
        assert_eq!((informed.known.version, informed.known.credited), (3, 0));
        assert!(informed.known.is_old(later), "nothing was confirmed");
    }

    #[test]
    fn a_meter_that_begins_late_has_the_balance_of_one_that_was_there() {
        let mut told = credits(3, &[(1, CreditAct::Set(10)), (2, CreditAct::Add(5))]);
        let limits = r#"{"credits":{"balance":7,"refill":{"amount":50,"period":"day"}}}"#;
        told.limits = serde_json::from_str(limits).unwrap();
        let late = NOW.plus(48 * 3_600_000);
        for (asked_at, balance) in [(NOW, 15), (late, 50)] {
            let mut informed = Informed::learn(None, told.clone(), asked_at, asked_at);
            assert_eq!(informed.meter.standing(asked_at)[0].free, balance);
        }
    }

    #[test]
    fn knowledge_grows_old_and_then_too_old() {
        let Informed { known, .. } = Informed::learn(None, knowledge(1, &[]), NOW, NOW);
        let ages = [0, OLD_MS - 1, OLD_MS, OLDEST_MS - 1, OLDEST_MS];
        let stages = ages.map(|age| {
            let now = NOW.plus(age);
            u8::from(known.is_old(now)) + u8::from(known.is_too_old(now))
        });
        assert_eq!(stages, [0, 0, 1, 1, 2]);
    }
}
