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

use std::rc::Rc;

use keyward_core::lease::LARGEST_SHARE;
use keyward_core::lease::message::{Answer, Ask};
use keyward_core::limits::Limits;
use keyward_core::time::Millis;

use crate::fingerprint::{self, Marks, Shared, mix};
use crate::sides::{Call, Counts, Disk, Spends};

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

    /// What can happen next.
    pub(crate) fn actions(&self, scenario: &Scenario) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.is_parted() {
            match self.seats.iter().position(|seat| !seat.rests) {
                _ if !self.meter_rests => {
                    self.actions_of_meter(&mut actions);
                    actions.push(Action::MeterRests);
                }
                Some(seat) => {
                    self.actions_of(seat, scenario, &mut actions);
                    actions.push(Action::Rest { seat });
                }
                None => {}
            }
            return actions;
        }
        for (place, seat) in self.seats.iter().enumerate() {
            // Of isolates that have done nothing and whose clocks agree, one is as good as another.
            let same = |other: &Shared<Seat<H>>| other.is_new() && other.clock == seat.clock;
            if !(seat.is_new() && self.seats.iter().take(place).any(same)) {
                self.actions_of(place, scenario, &mut actions);
            }
        }
        self.actions_of_meter(&mut actions);
        if self.left.steps > 0 {
            let pass = |millis: &u64| Action::Pass { millis: *millis };
            actions.extend(scenario.steps.iter().map(pass));
        }
        actions
    }

    fn actions_of(&self, place: usize, scenario: &Scenario, actions: &mut Vec<Action>) {
        let seat = &self.seats[place];
        if self.left.calls > 0 {
            let call = |cost: &u64| Action::Call {
                seat: place,
                cost: *cost,
            };
            actions.extend(scenario.costs.iter().map(call));
        }
        if self.left.asks > 0 {
            actions.push(Action::Background { seat: place });
        }
        let give_up = |(number, _): &(u64, u64)| Action::GiveUp {
            seat: place,
            number: *number,
        };
        actions.extend(seat.waiting.iter().map(give_up));
        // One that has done nothing is as good as a new one.
        if self.left.isolate_crashes > 0 && !seat.is_new() {
            actions.push(Action::KillIsolate { seat: place });
        }
        if self.left.jumps > 0 {
            let jump = |by: &i64| Action::Jump {
                seat: place,
                by: *by,
            };
            actions.extend(scenario.jumps.iter().map(jump));
        }
        let answers = self.messages.iter().filter(|(message, _)| {
            matches!(&**message, Message::Answer { isolate, .. } if *isolate == seat.isolate)
        });
        actions.extend(answers.map(|(message, _)| Action::Deliver(message.clone())));
    }

    fn actions_of_meter(&self, actions: &mut Vec<Action>) {
        let messages = self.messages.iter();
        let asks = messages.filter(|(message, _)| matches!(**message, Message::Ask(_)));
        actions.extend(asks.map(|(message, _)| Action::Deliver(message.clone())));
        if self.left.meter_crashes > 0 {
            actions.push(Action::KillMeter);
        }
    }

    /// Lets it happen.
    pub(crate) fn act(&mut self, action: &Action, scenario: &Scenario) {
        match action {
            Action::Start => {}
            Action::Call { seat, cost } => {
                self.left.calls -= 1;
                let now = self.clock(*seat);
                let call = self.seats[*seat].holder.spend(*cost, now);
                self.called(*seat, *cost, call);
            }
            Action::Background { seat } => {
                let now = self.clock(*seat);
                if self.seats[*seat].holder.due(now) {
                    self.ask(*seat, 0);
                }
            }
            Action::Deliver(message) => {
                match &**message {
                    Message::Ask(ask) => {
                        for (sent, left) in &mut self.messages {
                            *left -= u8::from(**sent == **message);
                        }
                        self.messages.retain(|(_, left)| *left > 0);
                        let answer = self.meter.take(ask, self.now);
                        let before = Rc::clone(&self.disk);
                        self.meter.write(&mut self.disk);
                        if !Rc::ptr_eq(&before, &self.disk) {
                            self.disk_marks = Rc::new(marks(&self.disk));
                        }
                        let isolate = ask.isolate;
                        // Nobody is there to take the answer to one that was killed.
                        if self.seats.iter().any(|seat| seat.isolate == isolate) {
                            self.send(Message::Answer { isolate, answer });
                        }
                    }
                    Message::Answer { isolate, answer } => self.answered(*isolate, answer),
                }
            }
            Action::GiveUp { seat, number } => {
                let now = self.clock(*seat);
                let seat = &mut self.seats[*seat];
                seat.waiting.retain(|(waiting, _)| waiting != number);
                seat.holder.unanswered(*number, now);
            }
            Action::KillIsolate { seat } => {
                self.left.isolate_crashes -= 1;
                let new = self.isolate(self.seats[*seat].clock);
                let old = std::mem::replace(&mut self.seats[*seat], Shared::new(new));
                self.wasted += old.at_stake;
                self.lose_answers(old.isolate);
            }
            Action::KillMeter => {
                self.left.meter_crashes -= 1;
                // An ask that was refused may be granted when it is repeated, by rule 7.
                let asks = self
                    .messages
                    .iter()
                    .filter_map(|(message, _)| match &**message {
                        Message::Ask(ask) => Some(ask.need + ask.want.min(self.share)),
                        Message::Answer { .. } => None,
                    });
                self.wasted += asks.sum::<u64>();
                self.meter = Shared::new(M::restore(&self.disk, &scenario.limits, self.now));
            }
            Action::Jump { seat, by } => {
                self.left.jumps -= 1;
                self.seats[*seat].clock += by;
            }
            Action::Pass { millis } => {
                self.left.steps -= 1;
                self.now = self.now.plus(*millis);
            }
            Action::MeterRests => {
                self.meter_rests = true;
                let messages = &mut self.messages;
                messages.retain(|(message, _)| matches!(**message, Message::Answer { .. }));
            }
            Action::Rest { seat } => {
                self.give_up_all(*seat);
                self.seats[*seat].rests = true;
                self.lose_answers(self.seats[*seat].isolate);
            }
        }
    }

    /// An isolate waits for nothing any more.
    pub(crate) fn give_up_all(&mut self, place: usize) {
        if self.seats[place].waiting.is_empty() {
            return;
        }
        let now = self.clock(place);
        let seat = &mut *self.seats[place];
        for (number, _) in std::mem::take(&mut seat.waiting) {
            seat.holder.unanswered(number, now);
        }
    }

    /// Nobody is there to take the answers to an isolate.
    fn lose_answers(&mut self, lost: u64) {
        self.messages.retain(|(message, _)| match &**message {
            Message::Answer { isolate, .. } => *isolate != lost,
            Message::Ask(_) => true,
        });
    }

    fn answered(&mut self, isolate: u64, answer: &Answer) {
        let Some(place) = self.seats.iter().position(|seat| seat.isolate == isolate) else {
            return;
        };
        let now = self.clock(place);
        let seat = &mut self.seats[place];
        let waits = |(number, _): &(u64, u64)| *number == answer.number;
        // An answer that comes late or again finds no call.
        let waited = seat.waiting.iter().position(waits);
        let cost = waited.map_or(0, |index| seat.waiting.remove(index).1);
        let call = seat.holder.answered(answer, cost, now);
        if cost > 0 {
            self.called(place, cost, call);
        }
    }

    fn called(&mut self, place: usize, cost: u64, call: Call) {
        match call {
            Call::Done => {
                match self.spent.last_mut() {
                    Some((at, units)) if *at == self.now => *units += cost,
                    _ => self.spent.push((self.now, cost)),
                }
                let seat = &mut self.seats[place];
                seat.at_stake = seat.at_stake.saturating_sub(cost);
            }
            // Beyond the bound of asks the call is given up.
            Call::Ask if self.left.asks > 0 => self.ask(place, cost),
            Call::Ask | Call::Refused => {}
        }
    }

    fn ask(&mut self, place: usize, need: u64) {
        self.left.asks -= 1;
        let now = self.clock(place);
        let seat = &mut self.seats[place];
        let ask = seat.holder.ask(need, now);
        seat.waiting.push((ask.number, need));
        seat.at_stake += need + ask.want.min(self.share);
        self.send(Message::Ask(ask));
    }

    fn send(&mut self, message: Message) {
        // The meter may say the same again; an isolate never does.
        if self.messages.iter().all(|(sent, _)| **sent != message) {
            self.messages.push((Shared::new(message), ASK_DELIVERIES));
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
