//! The two sides of the protocol, as the model drives them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::rc::Rc;

use keyward_core::lease::ASKS_PER_S;
use keyward_core::lease::holder::{Holder, Spent};
use keyward_core::lease::message::{Answer, Ask};
use keyward_core::lease::meter::Meter;
use keyward_core::limits::Limits;
use keyward_core::time::Millis;

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// It was let through.
    Done,
    /// The meter is to be asked first.
    Ask,
    /// It was refused.
    Refused,
}

/// What a meter has written.
pub(crate) type Disk = BTreeMap<String, String>;

/// The side that counts.
pub(crate) trait Counts: Clone + Debug + Eq + Hash {
    fn new(limits: &Limits, now: Millis) -> Self;
    fn take(&mut self, ask: &Ask, now: Millis) -> Answer;
    fn write(&mut self, disk: &mut Rc<Disk>);
    fn restore(disk: &Disk, limits: &Limits, now: Millis) -> Self;
}

/// The side that spends. What a side does not say for itself, its holder does.
pub(crate) trait Spends: Clone + Debug + Eq + Hash {
    fn new(isolate: u64) -> Self;
    fn holder(&mut self) -> &mut Holder;

    fn spend(&mut self, cost: u64, now: Millis) -> Call {
        self.holder().spend(cost, now).into()
    }

    fn ask(&mut self, need: u64, now: Millis) -> Ask {
        self.holder().ask(need, now)
    }

    fn answered(&mut self, answer: &Answer, cost: u64, now: Millis) -> Call {
        self.holder().answered(answer, cost, now).into()
    }

    fn unanswered(&mut self, number: u64, now: Millis) {
        self.holder().unanswered(number, now);
    }

    fn due(&mut self, now: Millis) -> bool {
        self.holder().due(now)
    }
}

impl Counts for Meter {
    fn new(limits: &Limits, now: Millis) -> Self {
        Self::new(limits.clone(), ASKS_PER_S, now)
    }

    fn take(&mut self, ask: &Ask, now: Millis) -> Answer {
        self.take(ask, now)
    }

    fn write(&mut self, disk: &mut Rc<Disk>) {
        let changed = self.changed();
        if changed.is_empty() {
            return;
        }
        let disk = Rc::make_mut(disk);
        for (name, part) in changed {
            match part {
                Some(part) => disk.insert(name, part),
                None => disk.remove(&name),
            };
        }
    }

    fn restore(disk: &Disk, _: &Limits, _: Millis) -> Self {
        Self::restore(disk.clone().into_iter(), ASKS_PER_S).unwrap()
    }
}

impl Spends for Holder {
    fn new(isolate: u64) -> Self {
        Self::new(isolate)
    }

    fn holder(&mut self) -> &mut Holder {
        self
    }
}

impl From<Spent> for Call {
    fn from(spent: Spent) -> Self {
        match spent {
            Spent::Done => Self::Done,
            Spent::Ask => Self::Ask,
            Spent::Exhausted { .. } => Self::Refused,
        }
    }
}
