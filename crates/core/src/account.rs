//! What an isolate keeps beside the records of a key: what it holds of the key's meter, and what it
//! has counted. The limits that the keys of one owner share have an account as well.
//!
//! 1. Two secrets of a key share its account, and so its lease.
//! 2. A lease only counts for a record that is not older than what the account was told last.
//! 3. Every ask waits for its answer under its number. One that failed is remembered for a second,
//!    so that not every call waits for a meter that does not answer.
//! 4. A call that finds no exchange scheduled schedules one (`Account::schedule`): in an isolate
//!    that nobody calls, no timer runs.

mod asking;
mod schedule;
mod table;
pub mod tally;

pub use self::asking::{ASKING_MS, FAILED_MS, Held, MOST_ASKING, Question};
use self::asking::{Asking, Told};
use self::schedule::Mark;
pub use self::schedule::{Errand, LONGEST_MS, SCHEDULE_MARK_MS};
pub use self::table::Accounts;
use self::tally::Tally;
use crate::lease::holder::{Holder, Spent};
use crate::lease::message::Standing;
use crate::metering::{Holds, Subject};
use crate::rate_limit::{Fields, Item};
use crate::record::Record;
use crate::secret::Digest;
use crate::time::Millis;

/// What an account takes beside what is reckoned: in tables, and of the allocator.
const BESIDE_BYTES: usize = 256;

/// What one isolate keeps for one meter.
#[derive(Debug)]
pub struct Account {
    number: u64,
    subject: Subject,
    holder: Holder,
    asking: Vec<Asking>,
    told: Option<Told>,
    /// The newest version of the key that its meter has told of, or confirmed.
    version: u64,
    /// Of an owner's account: the newest version of the limits that a record knows of.
    known: u64,
    failed: Option<Millis>,
    scheduled: Option<Mark>,
    /// When an exchange for an outdated record was begun.
    hurried: Option<Millis>,
    /// The secret that the key was called with last, and its record then: what an exchange says that
    /// the isolate holds, also when memory has let go of it. An exchange that said nothing of a
    /// record would be told of no newer one, and yet bring a lease.
    holds: Option<(Digest, Holds)>,
    owner: Option<u64>,
    /// Whether it was called since the meter was asked in the background.
    called: bool,
    reported: Option<Millis>,
    /// What the key's calls came to.
    pub tally: Tally,
    /// What it took in memory when that was reckoned last.
    bytes: usize,
}

impl Account {
    pub(crate) fn new(number: u64, subject: Subject, isolate: u64) -> Self {
        Self {
            number,
            subject,
            holder: Holder::new(isolate),
            asking: Vec::new(),
            told: None,
            version: 0,
            known: 0,
            failed: None,
            scheduled: None,
            hurried: None,
            holds: None,
            owner: None,
            called: false,
            reported: None,
            tally: Tally::default(),
            bytes: 0,
        }
    }

    /// Names it towards the entry; unique among all modules that ran in the isolate.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whose it is.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The number of the account of the key's owner, if there are limits that its keys share.
    #[must_use]
    pub const fn owner(&self) -> Option<u64> {
        self.owner
    }

    /// The secret that the key was called with last.
    #[must_use]
    pub fn secret(&self) -> Option<Digest> {
        self.holds.as_ref().map(|(secret, _)| *secret)
    }

    /// The key is called with a secret, of which this is the record; `owner` is [`Account::owner`].
    pub(crate) fn call(&mut self, secret: Digest, record: &Record, owner: Option<u64>) {
        self.owner = owner;
        let same = |(own, holds): &(Digest, Holds)| {
            *own == secret && holds.version == record.version && holds.secret_id == record.secret_id
        };
        if !self.holds.as_ref().is_some_and(same) {
            self.holds = Some((secret, Holds::of(record)));
        }
    }

    /// The record that the key was called with last.
    pub(crate) fn holds(&self) -> Option<(Digest, Holds)> {
        self.holds.clone()
    }

    /// A record of one of the owner's keys knows of this version of the limits.
    pub(crate) fn know(&mut self, version: u64) {
        self.known = self.known.max(version);
    }

    /// Whether the meter has told of a newer version than that of a record.
    #[must_use]
    pub const fn outdates(&self, version: u64) -> bool {
        version < self.version
    }

    /// Whether there is a live lease that counts for a record of this version. That there is no
    /// limit was said of an older record where `metered` says that there is one.
    #[must_use]
    pub fn covers(&self, version: u64, metered: bool, now: Millis) -> bool {
        let stale = metered && version > self.version && self.holder.is_unlimited();
        !self.outdates(version) && !stale && self.holder.covered(now)
    }

    /// What paying so much would come to.
    pub fn check(&mut self, units: u64, now: Millis) -> Spent {
        self.holder.check(units, now)
    }

    /// A call is let through, which pays so much after [`Account::check`].
    pub fn spend(&mut self, units: u64, now: Millis) {
        self.called = true;
        if units > 0 {
            self.holder.spend(units, now);
        }
    }

    /// How the limits stand, as far as this isolate knows.
    #[must_use]
    pub fn standing(&self) -> &[Standing] {
        self.holder.standing()
    }

    /// Adds how the limits stand to the fields of an answer.
    pub fn describe(&self, fields: &mut Fields, prefix: &str, now: Millis) {
        let age_ms = self.told.map_or(0, |told| now.since(told.asked));
        for standing in self.standing() {
            fields.push(&Item::of(prefix, standing, age_ms));
        }
    }

    /// Reckons what it takes in memory.
    fn settle(&mut self) {
        self.asking.shrink_to_fit();
        self.bytes = size_of::<Self>()
            + BESIDE_BYTES
            + self.subject.len() * 2
            + self.asking.len() * size_of::<Asking>()
            + self.holder.settle()
            + self.tally.bytes();
    }

    /// Whether nothing is held, waited for, or to be told: it may be forgotten.
    #[must_use]
    pub fn is_quiet(&self, now: Millis) -> bool {
        self.tally.is_empty() && self.holder.is_idle(now) && !self.is_asking(now)
    }
}
