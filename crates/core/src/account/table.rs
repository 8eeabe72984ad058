//! The accounts of an isolate: of keys, and of owners.
//!
//! Bounded in number and in size. Of keys or of owners, whichever take more, the one that was used
//! longest ago goes first of those that are quiet, among the [`LOOKED_AT`] oldest; if none of them is,
//! the oldest goes. What it held counts as spent until its meter knows better, and what it has counted
//! and not told is lost.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use lru::LruCache;

use super::Account;
use crate::mac::{self, Keyed, draw};
use crate::memory::seeded::Seeded;
use crate::metering::{Of, Subject};
use crate::record::Record;
use crate::time::Millis;

/// Among how many accounts a quiet one is looked for when one has to go.
const LOOKED_AT: usize = 64;

/// How many bytes all accounts together may take: keys with many limits, and meters that are silent,
/// leave much to be kept for each of them, and an isolate has 128 MB for everything.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The accounts of one isolate.
pub struct Accounts {
    keys: Table,
    owners: Table,
    /// Makes numbers that no other holder has had.
    random: Keyed,
    made: u64,
    /// What account numbers begin with.
    first: u64,
}

struct Table {
    bound: usize,
    /// What all together take.
    bytes: usize,
    numbers: HashMap<Subject, u64, Seeded>,
    accounts: LruCache<u64, Account, Seeded>,
}

impl Accounts {
    /// None. At most `bound` of keys, and as many of owners. `seed` is secret; `random` is drawn
    /// for this instance of the module alone.
    #[must_use]
    pub fn new(bound: NonZeroUsize, seed: u64, random: u64) -> Self {
        let random = mac::keyed(&random.to_be_bytes());
        // Numbers of an instance that was lost mean nothing to this one. The entry keeps them
        // exactly up to 2^53.
        let first = draw(&random, "number", 0) >> 12;
        Self {
            keys: Table::new(bound, seed),
            owners: Table::new(bound, seed),
            random,
            made: 0,
            first,
        }
    }

    /// The number of the account of a record's key; `number` is what it was, or 0.
    pub fn of_key(&mut self, number: u64, record: &Record, now: Millis) -> u64 {
        if self.keys.accounts.contains(&number) {
            return number;
        }
        self.made += 1;
        let number = self.first + self.made;
        let isolate = draw(&self.random, "isolate", self.made);
        let subject = Subject {
            project: record.project.clone(),
            of: Of::Key(record.key_id.clone()),
        };
        self.keys.hold(subject, number, isolate, now)
    }

    /// The number of the account of the limits that the keys of a record's owner share; none when
    /// there are none. `number` is what it was, or 0.
    pub fn of_owner(&mut self, number: u64, record: &Record, now: Millis) -> Option<u64> {
        record.owner_limits?;
        let owner = record.owner.as_ref()?;
        if self.owners.accounts.contains(&number) {
            return Some(number);
        }
        self.made += 1;
        let number = self.first + self.made;
        let isolate = draw(&self.random, "isolate", self.made);
        let subject = Subject {
            project: record.project.clone(),
            of: Of::Owner(owner.clone()),
        };
        Some(self.owners.hold(subject, number, isolate, now))
    }

    /// The accounts of a key and of its owner.
    pub fn both(
        &mut self,
        key: u64,
        owner: Option<u64>,
    ) -> (Option<&mut Account>, Option<&mut Account>) {
        let owner = owner.and_then(|owner| self.owners.accounts.get_mut(&owner));
        (self.keys.accounts.get_mut(&key), owner)
    }

    /// The account of this number, without marking it as used.
    pub fn find(&mut self, number: u64) -> Option<&mut Account> {
        let owners = &mut self.owners.accounts;
        (self.keys.accounts.peek_mut(&number)).or_else(|| owners.peek_mut(&number))
    }

    /// Reckons anew what an account takes that may have grown, and lets go of others where all
    /// together take too much.
    pub fn settle(&mut self, number: u64, now: Millis) {
        for table in [&mut self.keys, &mut self.owners] {
            table.settle(number);
        }
        while self.keys.bytes.saturating_add(self.owners.bytes) > MOST_BYTES {
            let heavier = if self.owners.bytes > self.keys.bytes {
                &mut self.owners
            } else {
                &mut self.keys
            };
            heavier.let_one_go(now);
        }
    }

    /// How many there are, of keys and of owners.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        (self.keys.accounts.len(), self.owners.accounts.len())
    }
}

impl Table {
    fn new(bound: NonZeroUsize, seed: u64) -> Self {
        Self {
            bound: bound.get(),
            bytes: 0,
            numbers: HashMap::with_hasher(Seeded(seed)),
            // A bounded one takes all its memory at once.
            accounts: LruCache::unbounded_with_hasher(Seeded(seed)),
        }
    }

    /// The number of the subject's account, which is made with this one if there is none.
    fn hold(&mut self, subject: Subject, number: u64, isolate: u64, now: Millis) -> u64 {
        if let Some(known) = self.numbers.get(&subject) {
            return *known;
        }
        if self.accounts.len() >= self.bound {
            self.let_one_go(now);
        }
        self.numbers.insert(subject.clone(), number);
        let account = Account::new(number, subject, isolate);
        self.accounts.put(number, account);
        self.settle(number);
        number
    }

    fn settle(&mut self, number: u64) {
        if let Some(account) = self.accounts.peek_mut(&number) {
            let before = account.bytes;
            account.settle();
            self.bytes = self
                .bytes
                .saturating_add(account.bytes)
                .saturating_sub(before);
        }
    }

    fn let_one_go(&mut self, now: Millis) {
        let mut oldest = self.accounts.iter().rev().take(LOOKED_AT);
        let quiet = oldest.find(|(_, account)| account.is_quiet(now));
        let gone = match quiet.map(|(number, _)| *number) {
            Some(number) => self.accounts.pop(&number),
            None => self.accounts.pop_lru().map(|(_, account)| account),
        };
        if let Some(account) = gone {
            self.numbers.remove(account.subject());
            self.bytes = self.bytes.saturating_sub(account.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::record::{OwnerLimits, RevocationMode, SCHEMA, Status};

    const MINUTE: u64 = 60_000;

    fn record(number: u64) -> Record {
        Record {
            schema: SCHEMA,
            project: "acme".into(),
            environment: "live".into(),
            key_id: format!("key_{number:020}"),
            secret_id: "sec_1".into(),
            kind: Kind::Private,
            version: 1,
            status: Status::Active,
            owner: Some(format!("owner-{number}")),
            not_before: None,
            expires_at: None,
            not_after: None,
            imported: false,
            restrictions: Default::default(),
            limits: Default::default(),
            owner_limits: Some(OwnerLimits {
                version: 1,
                on_meter_error: Default::default(),
            }),
            revocation: Some(RevocationMode::Strict),
            derivation: None,
        }
    }

    fn reckoned(table: &Table) -> usize {
        table.accounts.iter().map(|(_, one)| one.bytes).sum()
    }

    #[test]
    fn all_together_are_bounded_in_size_and_those_used_longest_ago_go() {
        const KEYS: u64 = 10_000;
        let bound = NonZeroUsize::new(KEYS as usize).unwrap();
        let mut accounts = Accounts::new(bound, 7, 8);
        let mut numbers = Vec::new();
        for number in 0..KEYS {
            let record = record(number);
            let key = accounts.of_key(0, &record, Millis(0));
            let owner = accounts.of_owner(0, &record, Millis(0)).unwrap();
            // So many minutes, and countries in them, that its meter has not heard of.
            let account = accounts.find(key).unwrap();
            for minute in 0..8 {
                for letter in b'A'..=b'H' {
                    let country = [b'A', letter];
                    let country = std::str::from_utf8(&country).ok();
                    account.tally.call(0, country, Millis(minute * MINUTE));
                }
            }
            for one in [key, owner] {
                accounts.settle(one, Millis(8 * MINUTE));
                let all = accounts.keys.bytes + accounts.owners.bytes;
                assert!(all <= MOST_BYTES, "{number}: {all}");
            }
            numbers.push((key, owner));
        }
        for table in [&accounts.keys, &accounts.owners] {
            assert_eq!(table.bytes, reckoned(table));
            assert_eq!(table.numbers.len(), table.accounts.len());
        }
        let (keys, owners) = accounts.len();
        assert!((1_000..KEYS as usize).contains(&keys), "{keys}");
        assert!(owners > keys, "they take less, and the heavier give way");
        assert!(accounts.find(numbers[0].0).is_none());
        assert!(accounts.find(numbers.last().unwrap().0).is_some());
    }
}
