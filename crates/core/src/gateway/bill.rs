//! Who pays for a call, and how much: the account of its key, and that of its owner's limits.

use super::call::{Call, Notes};
use super::exchange::{may_wait, questions};
use super::fixed::Plans;
use super::limits::{self, Verdict};
use super::outcome::Ask;
use super::refused::No;
use crate::account::{Account, Accounts};
use crate::metering::Holds;
use crate::record::Record;
use crate::route::Routes;

/// The accounts of a call; none of a key that has nothing to do with meters.
#[derive(Default)]
pub(super) struct Payers<'g> {
    key: Option<&'g mut Account>,
    owner: Option<&'g mut Account>,
}

/// What they say of it.
pub(super) enum Checked<'g> {
    /// It may be paid.
    Bill(Bill<'g>),
    /// Meters are to be asked first.
    Ask(Ask),
}

/// What a call that is let through pays.
#[must_use]
pub(super) struct Bill<'g> {
    payers: Payers<'g>,
    of_key: u64,
    of_owner: u64,
}

impl<'g> Payers<'g> {
    /// The accounts of a call, which are made if there are none.
    pub(super) fn of(
        accounts: &'g mut Accounts,
        call: &Call<'_, '_>,
        record: &Record,
        plans: &mut Plans,
        notes: &mut Notes,
    ) -> Self {
        if !limits::has_meter(record) {
            return Self::default();
        }
        let number = accounts.of_key(plans.key, record, call.now);
        plans.belong_to(number);
        let shared = accounts.of_owner(plans.owner, record, call.now);
        plans.owner = shared.unwrap_or_default();
        notes.account = Some(number);
        let (mut key, mut owner) = accounts.both(number, shared);
        if let (Some(owner), Some(limits)) = (&mut owner, record.owner_limits) {
            owner.know(limits.version);
        }
        if let Some(key) = &mut key {
            key.call(call.digest, record, shared);
            notes.outdated = key.outdates(record.version);
        }
        Self { key, owner }
    }

    /// Looks whether all limits leave enough for a call. `patience` is what it has waited for
    /// meters.
    pub(super) fn check(
        mut self,
        call: &Call<'_, '_>,
        record: &Record,
        patience: u32,
        routes: &Routes,
    ) -> Result<Checked<'g>, No> {
        let now = call.now;
        let cost = u64::from(call.cost);
        // What costs nothing still needs something to be left.
        let least = cost.max(1);
        let patient = may_wait(patience);
        let of_key = (self.key.as_mut()).map_or(Verdict::Free, |account| {
            limits::of_key(account, record, least, patient, now)
        });
        let of_owner = match (&mut self.owner, record.owner_limits) {
            (Some(account), Some(shared)) => {
                limits::of_owner(account, shared.on_meter_error, least, patient, now)
            }
            _ => Verdict::Free,
        };
        let (of_key, of_owner) = match (of_key, of_owner) {
            (Verdict::Over(no), _) | (_, Verdict::Over(no)) => return Err(no),
            (Verdict::Unknown, _) | (_, Verdict::Unknown) => return Err(limits::unknown()),
            both => both,
        };
        let mut asked = Vec::new();
        if let Verdict::Ask(units) = of_key {
            let holds = Some((call.digest, Holds::of(record)));
            asked.extend(self.key.take().map(|account| (account, units, holds)));
        }
        if let Verdict::Ask(units) = of_owner {
            asked.extend(self.owner.take().map(|account| (account, units, None)));
        }
        if !asked.is_empty() {
            let ask = questions(asked, routes, patience, now);
            return ask.map(Checked::Ask).ok_or_else(limits::unknown);
        }
        let pays = |verdict| {
            if matches!(verdict, Verdict::Pays) {
                cost
            } else {
                0
            }
        };
        Ok(Checked::Bill(Bill {
            of_key: pays(of_key),
            of_owner: pays(of_owner),
            payers: self,
        }))
    }
}

impl Payers<'_> {
    fn schedule(self, call: &Call<'_, '_>, notes: &mut Notes) {
        if let Some(key) = self.key {
            notes.work.key = key.schedule(notes.outdated, call.now);
        }
        if let Some(owner) = self.owner {
            notes.work.owner = owner.schedule(false, call.now);
        }
    }
}

impl Bill<'_> {
    /// Pays and counts a call that is let through, and notes what that brings about.
    pub(super) fn pay(self, call: &Call<'_, '_>, notes: &mut Notes) {
        let Self {
            mut payers,
            of_key,
            of_owner,
        } = self;
        if let Some(key) = &mut payers.key {
            key.spend(of_key, call.now);
            let country = call.head.header("cf-ipcountry");
            key.tally.call(call.route.index, country, call.now);
        }
        if let Some(owner) = &mut payers.owner {
            owner.spend(of_owner, call.now);
        }
        payers.schedule(call, notes);
    }

    /// Notes what a call brings about that is neither paid nor counted: its meters are asked in the
    /// background as for any other, so that a change of the key is heard of in time.
    pub(super) fn waive(self, call: &Call<'_, '_>, notes: &mut Notes) {
        self.payers.schedule(call, notes);
    }
}
