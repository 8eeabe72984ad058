//! A small world: one meter, a few isolates, what is under way between them, and the true time.
//!
//! An ask that was sent stays under way until it has been delivered twice, an answer for ever. So
//! one that is never delivered is lost, one that is delivered late is late, and one that is
//! delivered again is a repetition, and no order is left out that could matter:
//!
//! 1. Isolates that have done nothing and whose clocks agree are interchangeable, so only the
//!    first of them acts next. Of states that differ in which isolate is which, one is explored
//!    ([`crate::fingerprint`]).
//! 2. Once nothing can be asked any more and time stands still, the sides are parted: what the
//!    meter is sent no longer depends on the isolates, and what an isolate does depends only on
//!    which answers have been sent to it. So any run comes to the same when the meter first takes
//!    all that it takes, and then one isolate after another does all that it does. Each may stop
//!    wherever it likes, and what has not come by then is lost. An answer that was sent once can be
//!    delivered ever after, so none comes too late by this.
//!    Each bound counts all isolates together, and so does what is spent and wasted: neither knows
//!    an order. What is let through in a run that is left out is let through in the one that stands
//!    for it; and a leak is looked for with all waiting given up and nothing under way, which is
//!    what rest means.
//! 3. Nothing is sent to an isolate that was killed: nobody is there.

mod happens;
mod next;

use std::rc::Rc;

use keyward_core::lease::LARGEST_SHARE;
use keyward_core::lease::message::{Answer, Ask};
use keyward_core::limits::Limits;
use keyward_core::time::Millis;

use crate::fingerprint::{self, Marks, Shared, mix};
use crate::sides::{Counts, Disk, Spends};

/// How often one ask may be delivered.
const ASK_DELIVERIES: u8 = 2;

/// What the model is run on, and its bounds.
pub(crate) struct Scenario {
    pub(crate) limits: Limits,
    /// The true time at first, which is the meter's.
    pub(crate) start: Millis,
    /// How much the isolates' clocks are ahead of it, in milliseconds.
    pub(crate) clocks: Vec<i64>,
    /// What a call may cost.
    pub(crate) costs: Vec<u64>,
    /// By how much time may move on, in milliseconds.
    pub(crate) steps: Vec<u64>,
    /// By how much an isolate's clock may jump, in milliseconds.
    pub(crate) jumps: Vec<i64>,
    pub(crate) bounds: Bounds,
    /// Whether what is wasted is looked at too.
    pub(crate) leaks: bool,
}

/// How often something may happen yet, in all isolates together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    pub(crate) calls: u64,
    pub(crate) asks: u64,
    pub(crate) isolate_crashes: u64,
    pub(crate) meter_crashes: u64,
    pub(crate) steps: u64,
    pub(crate) jumps: u64,
}

/// What can happen.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Start,
    Call {
        seat: usize,
        cost: u64,
    },
    Background {
        seat: usize,
    },
    Deliver(Shared<Message>),
    GiveUp {
        seat: usize,
        number: u64,
    },
    KillIsolate {
        seat: usize,
    },
    KillMeter,
    Jump {
        seat: usize,
        by: i64,
    },
    Pass {
        millis: u64,
    },
    /// Nothing more comes to the meter.
    MeterRests,
    /// Nothing more happens in an isolate.
    Rest {
        seat: usize,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Message {
    Ask(Ask),
    Answer { isolate: u64, answer: Answer },
}

/// Where an isolate runs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Seat<H> {
    pub(crate) holder: H,
    pub(crate) isolate: u64,
    /// How much its clock is ahead.
    pub(crate) clock: i64,
    /// The asks that it waits for, and what their calls cost; 0 when no call waits.
    pub(crate) waiting: Vec<(u64, u64)>,
    /// The most that it can have been granted and has not spent, by rule 6.
    pub(crate) at_stake: u64,
    /// Nothing more happens here.
    rests: bool,
}

impl<H: Spends> Seat<H> {
    fn is_new(&self) -> bool {
        self.holder == H::new(self.isolate)
    }
}

/// A state of the world.
#[derive(Clone)]
pub(crate) struct World<M, H> {
    pub(crate) now: Millis,
    pub(crate) meter: Shared<M>,
    /// Nothing more comes to it.
    meter_rests: bool,
    pub(crate) disk: Rc<Disk>,
    disk_marks: Rc<Marks>,
    pub(crate) seats: Vec<Shared<Seat<H>>>,
    /// What is under way, and how often each ask may be delivered yet.
    pub(crate) messages: Vec<(Shared<Message>, u8)>,
    pub(crate) spent: Vec<(Millis, u64)>,
    pub(crate) left: Bounds,
    /// The most that the isolates that were killed may have wasted.
    pub(crate) wasted: u64,
    isolates: u64,
    /// The most that one ask is granted beyond what it needs.
    share: u64,
}

impl<M: Counts, H: Spends> World<M, H> {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut meter = M::new(&scenario.limits, scenario.start);
        let mut disk = Rc::new(Disk::new());
        meter.write(&mut disk);
        let mut world = Self {
            now: scenario.start,
            meter: Shared::new(meter),
            meter_rests: false,
            disk_marks: Rc::new(marks(&disk)),
            disk,
            seats: Vec::new(),
            messages: Vec::new(),
            spent: Vec::new(),
            left: scenario.bounds,
            wasted: 0,
            isolates: 0,
            share: smallest(&scenario.limits) / LARGEST_SHARE,
        };
        for clock in &scenario.clocks {
            let seat = Shared::new(world.isolate(*clock));
            world.seats.push(seat);
        }
        world
    }

    fn isolate(&mut self, clock: i64) -> Seat<H> {
        let isolate = fingerprint::isolate(self.isolates);
        self.isolates += 1;
        Seat {
            holder: H::new(isolate),
            isolate,
            clock,
            waiting: Vec::new(),
            at_stake: 0,
            rests: false,
        }
    }

    /// The time that an isolate's clock shows.
    pub(crate) fn clock(&self, seat: usize) -> Millis {
        Millis(self.now.0.saturating_add_signed(self.seats[seat].clock))
    }

    /// A hash of all that the future depends on.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut bundles = self.bundles();
        for (message, left) in &self.messages {
            let marks = message.marks();
            for (isolate, hash) in &marks.isolates {
                let message = mix(mix(marks.common, *hash), u64::from(*left));
                bundles[*isolate] = bundles[*isolate].wrapping_add(message);
            }
        }
        let left = Marks::of(&(self.left, self.meter_rests)).common;
        mix(self.common(bundles), left)
    }

    /// A hash of all but what is under way and what may happen yet.
    pub(crate) fn settled(&self) -> u64 {
        self.common(self.bundles())
    }

    /// For each isolate that ever was, a hash of its seat and of what the meter knows of it.
    fn bundles(&self) -> Vec<u64> {
        let mut bundles = vec![0; self.isolates as usize];
        let seats = self.seats.iter().map(Shared::marks);
        let parts = [self.meter.marks(), &*self.disk_marks];
        for (tag, marks) in parts.into_iter().chain(seats).enumerate() {
            let tag = (tag as u64).min(2);
            for (isolate, hash) in &marks.isolates {
                bundles[*isolate] = mix(mix(bundles[*isolate], tag), *hash);
            }
        }
        bundles
    }

    fn common(&self, mut bundles: Vec<u64>) -> u64 {
        bundles.sort_unstable();
        let common = (self.now, &self.spent, self.wasted);
        let common = Marks::of(&common).common;
        let common = mix(
            mix(common, self.meter.marks().common),
            self.disk_marks.common,
        );
        bundles.into_iter().fold(common, mix)
    }

    /// Whether no side depends on another any more: nothing can be asked, and time stands still.
    fn is_parted(&self) -> bool {
        self.left.asks == 0 && self.left.steps == 0
    }

    /// Whether nothing more is spent or asked for.
    pub(crate) fn is_end(&self) -> bool {
        if self.is_parted() {
            self.meter_rests && self.seats.iter().all(|seat| seat.rests)
        } else {
            self.left.asks == 0 && self.left.calls == 0
        }
    }
}

/// The hash of what is written: each part by its name.
fn marks(disk: &Disk) -> Marks {
    let mut marks = Marks::default();
    for (name, part) in disk {
        marks.add_named(name, part);
    }
    marks
}

fn smallest(limits: &Limits) -> u64 {
    let rates = limits.rate.iter().map(|rate| rate.limit);
    let quotas = limits.quota.iter().map(|quota| quota.limit);
    let credits = limits.credits.iter().map(|credits| credits.balance);
    rates.chain(quotas).chain(credits).min().unwrap_or(0)
}
