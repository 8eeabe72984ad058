//! What the isolate and the meters say to each other, from the gateway's side.

use serde::Deserialize;

use super::Gateway;
use super::outcome::Ask;
use crate::account::{Account, Question};
use crate::memory::Weighed;
use crate::metering::{Exchanged, Holds, News, Of};
use crate::records::Records;
use crate::route::Routes;
use crate::secret::Digest;
use crate::time::Millis;

/// How long a call waits, for everything together: about three seconds, in parts of [`PAUSE_MS`].
pub const MOST_PATIENCE: u32 = 128;
/// What asking meters takes of it: two time-outs. A call asks at most three times.
const ASK_PATIENCE: u32 = 40;
/// What a pause takes of it.
const PAUSE_PATIENCE: u32 = 1;
/// What a KV that does not answer takes of it.
const KV_PATIENCE: u32 = 80;
/// Stands in a call's patience once KV has not answered it: it does not wait for KV again.
const KV_FAILED: u32 = 1 << 16;
/// How long a call pauses that may not ask yet, because too many others do, in milliseconds.
pub const PAUSE_MS: u32 = 25;

/// What came of a [`Question`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The account that has asked.
    pub account: u64,
    /// The number of its ask.
    pub number: u64,
    /// A [`MeterReply`](crate::metering::MeterReply) in JSON. Anything else says that the meter did not answer.
    pub text: &'a str,
}

impl Gateway {
    /// What to send for an exchange in the background; nothing when it is not needed any more.
    /// `total_ms`: all the delays since the call that has brought it about.
    pub fn exchange(&mut self, account: u64, total_ms: u64, now: Millis) -> Option<Question> {
        let account = self.accounts.find(account)?;
        if !account.begin(total_ms, now) {
            return None;
        }
        let holds = account.holds();
        Some(ask(account, None, holds, &self.routes, now))
    }

    /// Takes in what came of an exchange in the background. Returns in how many milliseconds
    /// another one is to follow, if one is.
    pub fn exchanged(&mut self, reply: Reply<'_>, total_ms: u64, now: Millis) -> Option<u64> {
        let answered = self.hear(reply, now);
        self.accounts
            .find(reply.account)?
            .follow(answered, total_ms, now)
    }

    /// Takes in an answer, or that there was none. Returns whether there was one.
    pub(super) fn hear(&mut self, reply: Reply<'_>, now: Millis) -> bool {
        let answered = self.heard(reply, now);
        self.accounts.settle(reply.account, now);
        answered
    }

    fn heard(&mut self, reply: Reply<'_>, now: Millis) -> bool {
        let Some(account) = self.accounts.find(reply.account) else {
            return false;
        };
        let number = reply.number;
        let said = parse(reply.text, number).filter(|said| fits(account, said));
        let Some(said) = said else {
            account.unanswered(number, now);
            return false;
        };
        let held = account.held(number);
        account.answered(number, &said, now);
        let Some(held) = held else { return true };
        let records: &mut Records<_> = &mut self.records;
        match said.news {
            None => records.confirm(&held.digest, held.version, held.asked),
            Some(News::Record(record)) => {
                let said = Weighed::new(*record, reply.text.len());
                records.told(held.digest, Some(said), now);
            }
            Some(News::Gone) => records.told(held.digest, None, now),
        }
        true
    }
}

/// The patience of a call that KV did not answer; it has waited for that once.
pub(super) const fn without_kv(patience: u32) -> u32 {
    if lacks_kv(patience) {
        return patience;
    }
    spent(patience).saturating_add(KV_PATIENCE) | KV_FAILED
}

/// Whether KV did not answer a call.
pub(super) const fn lacks_kv(patience: u32) -> bool {
    patience & KV_FAILED != 0
}

/// Whether a call that has waited so long may wait for more.
pub(super) const fn may_wait(patience: u32) -> bool {
    spent(patience) < MOST_PATIENCE
}

const fn may_ask(patience: u32) -> bool {
    spent(patience).saturating_add(ASK_PATIENCE) <= MOST_PATIENCE
}

const fn spent(patience: u32) -> u32 {
    patience & (KV_FAILED - 1)
}

/// A meter to ask: its account, the units that the call needs, and the record that the isolate holds.
type Wanted<'g> = (&'g mut Account, u64, Option<(Digest, Holds)>);

/// The questions that a call waits for; or a pause, if too many calls ask already. None when it
/// has waited for too long.
pub(super) fn questions(
    asked: Vec<Wanted<'_>>,
    routes: &Routes,
    patience: u32,
    now: Millis,
) -> Option<Ask> {
    if asked.iter().any(|(account, ..)| account.is_busy(now)) {
        return Some(Ask {
            patience: patience.saturating_add(PAUSE_PATIENCE),
            pause_ms: PAUSE_MS,
            questions: Vec::new(),
        });
    }
    if !may_ask(patience) {
        return None;
    }
    let one = |(account, units, holds)| ask(account, Some(units), holds, routes, now);
    Some(Ask {
        patience: patience.saturating_add(ASK_PATIENCE),
        pause_ms: 0,
        questions: asked.into_iter().map(one).collect(),
    })
}

/// Asks the meter of an account.
pub(super) fn ask(
    account: &mut Account,
    need: Option<u64>,
    holds: Option<(Digest, Holds)>,
    routes: &Routes,
    now: Millis,
) -> Question {
    let usage = if account.reports(now) {
        account.tally.report(routes)
    } else {
        None
    };
    account.ask(need, holds, usage, now)
}

/// The one [`MeterReply`](crate::metering::MeterReply) that answers: to read the others would take as
/// much of the module again.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Exchanged(Box<Exchanged>),
}

fn parse(text: &str, number: u64) -> Option<Exchanged> {
    let Said::Exchanged(said) = serde_json::from_str(text).ok()?;
    (said.answer.number == number).then_some(*said)
}

/// Whether a record that a meter tells of is one of its key.
fn fits(account: &Account, said: &Exchanged) -> bool {
    let Some(News::Record(record)) = &said.news else {
        return true;
    };
    let subject = account.subject();
    record.project == subject.project
        && matches!(&subject.of, Of::Key(key) if *key == record.key_id)
}
