//! Real isolates and their meter, whatever is lost or changed on the way: no span of time has more than
//! the limits say.

use super::*;
use crate::lease::holder::{Holder, Spent};

/// The longest window that is tried.
const LONGEST_WINDOW_MS: u64 = 4_000;

/// Where a call is made, and what its isolate waits for.
struct Seat {
    holder: Holder,
    /// How much its clock is ahead of the true time.
    ahead: u64,
    waiting: Vec<(u64, u64)>,
}

enum Message {
    Ask(Ask),
    Answer(u64, Answer),
}

#[derive(Clone, Debug)]
enum Act {
    Call {
        seat: usize,
        cost: u64,
    },
    Background {
        seat: usize,
    },
    Deliver {
        which: prop::sample::Index,
        again: bool,
    },
    Lose {
        which: prop::sample::Index,
    },
    GiveUp {
        seat: usize,
    },
    Pass {
        ms: u64,
    },
    ClockBack {
        seat: usize,
        ms: u64,
    },
    /// Only if no other was set forward within the longest window.
    ClockForward {
        seat: usize,
        ms: u64,
    },
    KillIsolate {
        seat: usize,
    },
    KillMeter,
    Change,
}

fn act() -> impl Strategy<Value = Act> {
    let seat = 0..3_usize;
    let which = any::<prop::sample::Index>();
    let pass = prop_oneof![6 => 0..60_u64, 3 => 0..700_u64, 1 => 0..4_000_u64];
    prop_oneof![
        40 => (seat.clone(), 1..3_u64).prop_map(|(seat, cost)| Act::Call { seat, cost }),
        4 => seat.clone().prop_map(|seat| Act::Background { seat }),
        40 => (which.clone(), prop::bool::weighted(0.1))
            .prop_map(|(which, again)| Act::Deliver { which, again }),
        2 => which.prop_map(|which| Act::Lose { which }),
        1 => seat.clone().prop_map(|seat| Act::GiveUp { seat }),
        30 => pass.prop_map(|ms| Act::Pass { ms }),
        1 => (seat.clone(), 0..3_000_u64).prop_map(|(seat, ms)| Act::ClockBack { seat, ms }),
        6 => (seat.clone(), 900..3_000_u64).prop_map(|(seat, ms)| Act::ClockForward { seat, ms }),
        1 => seat.prop_map(|seat| Act::KillIsolate { seat }),
        1 => Just(Act::KillMeter),
        1 => Just(Act::Change),
    ]
}

/// Real isolates and their meter; the calls that were let through, at the true times.
struct World {
    now: Millis,
    meter: Meter,
    stored: BTreeMap<String, String>,
    seats: Vec<Seat>,
    isolates: u64,
    /// Of which isolate each seat is.
    names: Vec<u64>,
    messages: Vec<Message>,
    log: Vec<(Millis, u64)>,
    /// How many of the leases that came were paced.
    paced: u64,
    /// Until when no other clock is set forward.
    even: Millis,
}

impl World {
    fn new(limits: Limits) -> Self {
        let mut world = Self {
            now: START,
            meter: pressed(limits),
            stored: BTreeMap::new(),
            seats: Vec::new(),
            isolates: 0,
            names: Vec::new(),
            messages: Vec::new(),
            log: Vec::new(),
            paced: 0,
            even: START,
        };
        world.write();
        for seat in 0..3 {
            world.isolates += 1;
            world.names.push(world.isolates);
            world.seats.push(Seat {
                holder: Holder::new(world.isolates),
                ahead: seat * 77_000_000 + 1_000_000,
                waiting: Vec::new(),
            });
        }
        world
    }

    fn write(&mut self) {
        for (name, part) in self.meter.changed() {
            match part {
                Some(json) => self.stored.insert(name, json),
                None => self.stored.remove(&name),
            };
        }
    }

    fn clock(&self, seat: usize) -> Millis {
        self.now.plus(self.seats[seat].ahead)
    }

    fn ask(&mut self, seat: usize, need: u64) {
        let now = self.clock(seat);
        let ask = self.seats[seat].holder.ask(need, now);
        self.seats[seat].waiting.push((ask.number, need));
        self.messages.push(Message::Ask(ask));
    }

    fn came_to(&mut self, seat: usize, cost: u64, spent: Spent) {
        match spent {
            Spent::Done => self.log.push((self.now, cost)),
            Spent::Ask if self.seats[seat].waiting.len() < 4 => self.ask(seat, cost),
            Spent::Ask | Spent::Exhausted { .. } => {}
        }
    }

    fn deliver(&mut self, which: &prop::sample::Index, again: bool) {
        if self.messages.is_empty() {
            return;
        }
        let place = which.index(self.messages.len());
        let message = self.messages.remove(place);
        match &message {
            Message::Ask(ask) => {
                let answer = self.meter.take(ask, self.now);
                self.write();
                self.paced += u64::from(each(&answer).is_some());
                self.messages.push(Message::Answer(ask.isolate, answer));
            }
            Message::Answer(isolate, answer) => {
                if let Some(seat) = self.names.iter().position(|name| name == isolate) {
                    let now = self.clock(seat);
                    let waits = |(number, _): &(u64, u64)| *number == answer.number;
                    let waiting = &mut self.seats[seat].waiting;
                    let place = waiting.iter().position(waits);
                    let cost = place.map_or(0, |place| waiting.remove(place).1);
                    let spent = self.seats[seat].holder.answered(answer, cost, now);
                    if cost > 0 {
                        self.came_to(seat, cost, spent);
                    }
                }
            }
        }
        if again {
            self.messages.push(message);
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Call { seat, cost } => {
                let now = self.clock(*seat);
                let spent = self.seats[*seat].holder.spend(*cost, now);
                self.came_to(*seat, *cost, spent);
            }
            Act::Background { seat } => {
                let now = self.clock(*seat);
                if self.seats[*seat].holder.due(now) {
                    self.ask(*seat, 0);
                }
            }
            Act::Deliver { which, again } => self.deliver(which, *again),
            Act::Lose { which } if !self.messages.is_empty() => {
                self.messages.remove(which.index(self.messages.len()));
            }
            Act::GiveUp { seat } => {
                let now = self.clock(*seat);
                for (number, _) in std::mem::take(&mut self.seats[*seat].waiting) {
                    self.seats[*seat].holder.unanswered(number, now);
                }
            }
            Act::Pass { ms } => self.now = self.now.plus(*ms),
            Act::ClockBack { seat, ms } => {
                let ahead = &mut self.seats[*seat].ahead;
                *ahead = ahead.saturating_sub(*ms);
            }
            Act::ClockForward { seat, ms } => {
                if self.even <= self.now {
                    self.even = self.now.plus(LONGEST_WINDOW_MS);
                    self.seats[*seat].ahead += ms;
                }
            }
            Act::KillIsolate { seat } => {
                self.isolates += 1;
                self.names[*seat] = self.isolates;
                self.seats[*seat].holder = Holder::new(self.isolates);
                self.seats[*seat].waiting.clear();
            }
            Act::KillMeter => {
                self.meter = Meter::restore(self.stored.clone().into_iter(), 0).unwrap();
            }
            Act::Lose { .. } | Act::Change => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_span_has_more_than_the_limits_whatever_is_lost_or_changed(
        acts in prop::collection::vec(act(), 1..500),
        limit in prop_oneof![1..12_u64, 1..120_u64],
        windows in prop_oneof![Just((1_u64, 1_u64)), (1..4_u64, 1..LONGEST_WINDOW_MS / 1_000)],
        second in 1..200_u64,
    ) {
        let set = |limit: u64, window_s: u64| rate(limit, window_s);
        let two = format!(
            r#"{{"rate":[{{"name":"r","limit":{limit},"window_s":{}}},
            {{"name":"s","limit":{second},"window_s":{}}}]}}"#,
            windows.0, windows.1
        );
        let sets = [limits(&two), set(limit.div_ceil(2), windows.1), set(second, windows.0)];
        let mut world = World::new(sets[0].clone());
        let mut current = 0;
        // Since when these limits are, and what leases held then.
        let (mut since, mut held) = (0, BTreeMap::new());
        let judge = |world: &World, current: usize, since: usize, held: &BTreeMap<u64, u64>| {
            for rate in &sets[current].rate {
                let window_ms = rate.window_s * 1_000;
                let most = most_in_a_window(&world.log[since..], window_ms);
                let bound = rate.limit.max(held.get(&window_ms).copied().unwrap_or(0));
                prop_assert!(most <= bound, "{} of {} in {} s", most, bound, rate.window_s);
            }
            Ok(())
        };
        for act in &acts {
            world.act(act);
            if matches!(act, Act::Change) {
                judge(&world, current, since, &held)?;
                current = (current + 1) % sets.len();
                world.meter.set_limits(sets[current].clone(), world.now);
                world.write();
                since = world.log.len();
                held = held_within(&world.meter);
            }
            let index = Index::of(&world.meter.isolates, windows_of(&world.meter), world.meter.clock);
            prop_assert_eq!(&world.meter.index.held(world.now).within, &index.held(world.now).within);
        }
        judge(&world, current, since, &held)?;
    }
}

/// What leases hold within each window.
fn held_within(meter: &Meter) -> BTreeMap<u64, u64> {
    let within = meter.held().within.into_iter();
    within
        .map(|(window, within)| (window, within.units()))
        .collect()
}

fn windows_of(meter: &Meter) -> Vec<u64> {
    windows(&meter.counters)
}
