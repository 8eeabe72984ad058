//! Sides that break a rule each, to see that the model finds it.

use std::rc::Rc;

use keyward_core::lease::holder::Holder;
use keyward_core::lease::message::{Answer, Ask, Outcome, Report};
use keyward_core::lease::meter::Meter;
use keyward_core::limits::Limits;
use keyward_core::time::Millis;

use crate::sides::{Call, Counts, Disk, Spends};

/// A meter that forgets at a restart what it has granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Forgetful(Meter);

impl Counts for Forgetful {
    fn new(limits: &Limits, now: Millis) -> Self {
        Self(<Meter as Counts>::new(limits, now))
    }

    fn take(&mut self, ask: &Ask, now: Millis) -> Answer {
        self.0.take(ask, now)
    }

    fn write(&mut self, disk: &mut Rc<Disk>) {
        self.0.write(disk);
    }

    fn restore(_: &Disk, limits: &Limits, now: Millis) -> Self {
        Self(<Meter as Counts>::new(limits, now))
    }
}

/// An isolate that reports an ask as closed when it gives up waiting, and still takes the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tardy {
    holder: Holder,
    given_up: Vec<u64>,
}

impl Spends for Tardy {
    fn new(isolate: u64) -> Self {
        Self {
            holder: Holder::new(isolate),
            given_up: Vec::new(),
        }
    }

    fn holder(&mut self) -> &mut Holder {
        &mut self.holder
    }

    fn ask(&mut self, need: u64, now: Millis) -> Ask {
        let mut ask = self.holder.ask(need, now);
        let closed = |number: &u64| Report {
            number: *number,
            spent: 0,
            age_ms: 0,
            held_ms: 0,
            closed: true,
        };
        ask.leases.extend(self.given_up.iter().map(closed));
        ask
    }

    fn unanswered(&mut self, number: u64, _: Millis) {
        self.given_up.push(number);
    }
}

/// An isolate that gives back what it has spent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Dishonest(Holder);

impl Spends for Dishonest {
    fn new(isolate: u64) -> Self {
        Self(Holder::new(isolate))
    }

    fn holder(&mut self) -> &mut Holder {
        &mut self.0
    }

    fn ask(&mut self, need: u64, now: Millis) -> Ask {
        let mut ask = self.0.ask(need, now);
        for report in &mut ask.leases {
            report.spent = 0;
        }
        ask
    }
}

/// An isolate that never says what it has not spent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Silent(Holder);

impl Spends for Silent {
    fn new(isolate: u64) -> Self {
        Self(Holder::new(isolate))
    }

    fn holder(&mut self) -> &mut Holder {
        &mut self.0
    }

    fn ask(&mut self, need: u64, now: Millis) -> Ask {
        let mut ask = self.0.ask(need, now);
        ask.leases.clear();
        ask
    }
}

/// An isolate that takes a paced lease for one that may be spent at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hasty(Holder);

impl Spends for Hasty {
    fn new(isolate: u64) -> Self {
        Self(Holder::new(isolate))
    }

    fn holder(&mut self) -> &mut Holder {
        &mut self.0
    }

    fn answered(&mut self, answer: &Answer, cost: u64, now: Millis) -> Call {
        let mut answer = answer.clone();
        if let Outcome::Granted { each, .. } = &mut answer.outcome {
            *each = None;
        }
        self.0.answered(&answer, cost, now).into()
    }
}
