//! A small world: one meter, a few isolates, what is under way between them, and the true time.
//!
//! An ask that was sent stays under way until it has been delivered twice, an answer too where the
//! bounds are wide. So one that is never
//! delivered is lost, one that is delivered late is late, and one that is delivered again is a
//! repetition, and no order is left out.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use keyward_core::lease::LARGEST_SHARE;
use keyward_core::lease::message::{Answer, Ask};
use keyward_core::limits::Limits;
use keyward_core::time::Millis;

use crate::sides::{Call, Counts, Disk, Spends};

/// How often one ask may be delivered.
const ASK_DELIVERIES: u8 = 2;
/// How often one answer may be; optimised code explores more.
const ANSWER_DELIVERIES: u8 = if crate::WIDE { 2 } else { 1 };

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
    Call { seat: usize, cost: u64 },
    Background { seat: usize },
    Deliver(Rc<Message>),
    GiveUp { seat: usize, number: u64 },
    KillIsolate { seat: usize },
    KillMeter,
    Jump { seat: usize, by: i64 },
    Pass { millis: u64 },
}

#[derive(Debug, Hash)]
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
}

/// A state of the world.
#[derive(Clone)]
pub(crate) struct World<M, H> {
    pub(crate) now: Millis,
    pub(crate) meter: M,
    pub(crate) disk: Rc<Disk>,
    pub(crate) seats: Vec<Seat<H>>,
    /// By their hashes, and how often each may be delivered yet.
    pub(crate) messages: Vec<(u64, Rc<Message>, u8)>,
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
            meter,
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
            let seat = world.isolate(*clock);
            world.seats.push(seat);
        }
        world
    }

    fn isolate(&mut self, clock: i64) -> Seat<H> {
        self.isolates += 1;
        Seat {
            holder: H::new(self.isolates),
            isolate: self.isolates,
            clock,
            waiting: Vec::new(),
            at_stake: 0,
        }
    }

    /// The time that an isolate's clock shows.
    pub(crate) fn clock(&self, seat: usize) -> Millis {
        Millis(self.now.0.saturating_add_signed(self.seats[seat].clock))
    }

    /// A hash of all that the future depends on.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.now, &self.meter, &self.disk, &self.seats).hash(&mut hasher);
        (&self.spent, self.left, self.wasted, self.isolates).hash(&mut hasher);
        for (hash, _, left) in &self.messages {
            (hash, left).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// What can happen next.
    pub(crate) fn actions(&self, scenario: &Scenario) -> Vec<Action> {
        let mut actions = Vec::new();
        for (place, seat) in self.seats.iter().enumerate() {
            // Of isolates that have done nothing and whose clocks agree, one is as good as another.
            let is_new = |seat: &Seat<H>| seat.holder == H::new(seat.isolate);
            let same = |other: &Seat<H>| is_new(other) && other.clock == seat.clock;
            if is_new(seat) && self.seats.iter().take(place).any(same) {
                continue;
            }
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
            if self.left.isolate_crashes > 0 && !is_new(seat) {
                actions.push(Action::KillIsolate { seat: place });
            }
            if self.left.jumps > 0 {
                let jump = |by: &i64| Action::Jump {
                    seat: place,
                    by: *by,
                };
                actions.extend(scenario.jumps.iter().map(jump));
            }
        }
        let messages = self.messages.iter();
        actions.extend(messages.map(|(_, message, _)| Action::Deliver(Rc::clone(message))));
        if self.left.meter_crashes > 0 {
            actions.push(Action::KillMeter);
        }
        if self.left.steps > 0 {
            let pass = |millis: &u64| Action::Pass { millis: *millis };
            actions.extend(scenario.steps.iter().map(pass));
        }
        actions
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
                for (_, sent, left) in &mut self.messages {
                    *left -= u8::from(Rc::ptr_eq(sent, message));
                }
                self.messages.retain(|(_, _, left)| *left > 0);
                match &**message {
                    Message::Ask(ask) => {
                        let answer = self.meter.take(ask, self.now);
                        self.meter.write(&mut self.disk);
                        let isolate = ask.isolate;
                        self.send(Message::Answer { isolate, answer });
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
                let old = std::mem::replace(&mut self.seats[*seat], new);
                self.wasted += old.at_stake;
                // Nobody is there to take its answers.
                self.messages.retain(|(_, message, _)| match &**message {
                    Message::Answer { isolate, .. } => *isolate != old.isolate,
                    Message::Ask(_) => true,
                });
            }
            Action::KillMeter => {
                self.left.meter_crashes -= 1;
                // An ask that was refused may be granted when it is repeated, by rule 7.
                let asks = self
                    .messages
                    .iter()
                    .filter_map(|(_, message, _)| match &**message {
                        Message::Ask(ask) => Some(ask.need + ask.want.min(self.share)),
                        Message::Answer { .. } => None,
                    });
                self.wasted += asks.sum::<u64>();
                self.meter = M::restore(&self.disk, &scenario.limits, self.now);
            }
            Action::Jump { seat, by } => {
                self.left.jumps -= 1;
                self.seats[*seat].clock += by;
            }
            Action::Pass { millis } => {
                self.left.steps -= 1;
                self.now = self.now.plus(*millis);
            }
        }
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
                self.spent.push((self.now, cost));
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
        let mut hasher = DefaultHasher::new();
        message.hash(&mut hasher);
        let hash = hasher.finish();
        let deliveries = match message {
            Message::Ask(_) => ASK_DELIVERIES,
            Message::Answer { .. } => ANSWER_DELIVERIES,
        };
        match self
            .messages
            .binary_search_by_key(&hash, |(hash, _, _)| *hash)
        {
            Ok(place) => self.messages[place].2 = deliveries,
            Err(place) => self
                .messages
                .insert(place, (hash, Rc::new(message), deliveries)),
        }
    }
}

fn smallest(limits: &Limits) -> u64 {
    let rates = limits.rate.iter().map(|rate| rate.limit);
    let quotas = limits.quota.iter().map(|quota| quota.limit);
    let credits = limits.credits.iter().map(|credits| credits.balance);
    rates.chain(quotas).chain(credits).min().unwrap_or(0)
}
