//! What an account asks its meter, and what it is answered.

use std::mem;

use super::Account;
use crate::metering::{Exchange, Exchanged, Holds, MeterCall, MeterCommand, News};
use crate::secret::Digest;
use crate::time::Millis;
use crate::usage::UsageReport;

/// How many calls of one isolate ask one meter at the same time. More wait until one was answered,
/// and then often find that it was answered for them as well: what ten thousand isolates ask of one
/// meter is bounded by their number, and not by that of their calls.
pub const MOST_ASKING: usize = 4;
/// For how long an ask is waited for: more than two time-outs of a call that waits.
pub const ASKING_MS: u64 = 2_500;
/// For how long no call waits for a meter that has not answered.
pub const FAILED_MS: u64 = 1_000;
/// How often counts that were reported are sent again at most.
const RESEND_MS: u64 = 2_000;

/// What to send to a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The account that asks.
    pub account: u64,
    /// The number of its ask.
    pub number: u64,
    /// The name of the meter's object.
    pub object: String,
    /// A [`MeterCall`] in JSON.
    pub body: String,
}

/// The record of which an ask said that the isolate holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its secret.
    pub digest: Digest,
    /// Its version.
    pub version: u64,
    /// When the meter was asked.
    pub asked: Millis,
}

/// An ask that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    number: u64,
    at: Millis,
    /// Whether a call waits for it.
    needed: bool,
    holds: Option<Held>,
}

/// The newest answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    number: u64,
    pub(super) asked: Millis,
    pub(super) lease_ms: u64,
}

impl Account {
    /// Whether the meter did not answer a moment ago.
    #[must_use]
    pub fn is_failing(&self, now: Millis) -> bool {
        (self.failed).is_some_and(|failed| failed <= now && now.since(failed) < FAILED_MS)
    }

    /// Whether as many calls ask as may.
    #[must_use]
    pub fn is_busy(&self, now: Millis) -> bool {
        let needed = self
            .asking
            .iter()
            .filter(|ask| ask.needed && ask.lives(now));
        needed.count() >= MOST_ASKING
    }

    /// What to ask: for a call that waits, so many units, or none; or in the background. `holds` is
    /// the record that the isolate holds of the key, `usage` what is to be reported.
    pub(crate) fn ask(
        &mut self,
        need: Option<u64>,
        holds: Option<(Digest, Holds)>,
        usage: Option<UsageReport>,
        now: Millis,
    ) -> Question {
        let ask = match need {
            Some(need) => self.holder.ask(need, now),
            None if mem::take(&mut self.called) => self.holder.ask(0, now),
            None => self.holder.report(now),
        };
        let number = ask.number;
        self.asking.retain(|asking| asking.lives(now));
        let held = holds.as_ref().map(|(digest, holds)| Held {
            digest: *digest,
            version: holds.version,
            asked: now,
        });
        self.asking.push(Asking {
            number,
            at: now,
            needed: need.is_some(),
            holds: held,
        });
        let call = MeterCall {
            subject: self.subject.clone(),
            command: MeterCommand::Exchange(Exchange {
                ask,
                holds: holds.map(|(_, holds)| holds),
                version: self.known,
                usage,
            }),
        };
        Question {
            account: self.number,
            number,
            object: self.subject.object(),
            // Strings, numbers and lists under fixed names: there is nothing that could fail.
            body: serde_json::to_string(&call).unwrap_or_default(),
        }
    }

    /// Whether what was counted is to be reported now: not while a report may still be on its way.
    pub(crate) fn reports(&mut self, now: Millis) -> bool {
        let recent = |sent: Millis| sent <= now && now.since(sent) < RESEND_MS;
        if self.tally.is_empty() || self.reported.is_some_and(recent) {
            return false;
        }
        self.reported = Some(now);
        true
    }

    /// The record of which the ask of this number said that it is held, while it is waited for.
    #[must_use]
    pub fn held(&self, number: u64) -> Option<Held> {
        let asking = self.asking.iter().find(|ask| ask.number == number);
        asking.and_then(|ask| ask.holds)
    }

    /// The ask of this number was answered.
    pub(crate) fn answered(&mut self, number: u64, said: &Exchanged, now: Millis) {
        let asking = self.asking.iter().position(|ask| ask.number == number);
        let asking = asking.map(|at| self.asking.swap_remove(at));
        self.holder.answered(&said.answer, 0, now);
        self.failed = None;
        if let Some(number) = said.usage {
            self.tally.confirm(number);
            self.reported = None;
        }
        let Some(asking) = asking else { return };
        let newest = self.told.is_none_or(|told| told.number < number);
        if newest {
            self.told = Some(Told {
                number,
                asked: asking.at,
                lease_ms: said.answer.lease_ms,
            });
        }
        let version = match (&said.news, asking.holds) {
            (Some(News::Record(record)), _) => record.version,
            // Whatever is known of the secret is too old.
            (Some(News::Gone), Some(held)) => held.version.saturating_add(1),
            (None, Some(held)) => held.version,
            (Some(News::Gone) | None, None) => return,
        };
        self.version = if newest {
            version
        } else {
            version.max(self.version)
        };
    }

    /// The ask of this number was not answered. That the meter does not answer is shown by one that
    /// a call has waited for, unless it has answered a later one.
    pub(crate) fn unanswered(&mut self, number: u64, now: Millis) {
        let asking = self.asking.iter().position(|ask| ask.number == number);
        let asking = asking.map(|at| self.asking.swap_remove(at));
        self.holder.unanswered(number, now);
        self.reported = None;
        let answers = self.told.is_some_and(|told| told.number > number);
        if asking.is_some_and(|ask| ask.needed) && !answers {
            self.failed = Some(now);
        }
    }

    /// Whether an answer is waited for.
    pub(super) fn is_asking(&self, now: Millis) -> bool {
        self.asking.iter().any(|ask| ask.lives(now))
    }
}

impl Asking {
    fn lives(&self, now: Millis) -> bool {
        self.at <= now && now.since(self.at) < ASKING_MS
    }
}
