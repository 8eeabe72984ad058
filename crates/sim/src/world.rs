//! The world: calls, messages on their way, and the isolates' and the meters' own clocks.
//!
//! Time is in microseconds. Each isolate's clock is off by a constant of its own: nothing may
//! depend on what two clocks say.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use keyward_core::lease::holder::{Holder, Spent};
use keyward_core::lease::message::{Answer, Ask};
use keyward_core::lease::meter::Meter;
use keyward_core::time::Millis;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp, Zipf};

use crate::Arguments;
use crate::audit::Audit;
use crate::keys::Keys;

/// How long a call waits for a meter.
const PATIENCE: u64 = 500_000;
/// When the simulated time begins: a midnight, so that a run is within one day.
const START_MS: u64 = 1_800_057_600_000;
/// The keys that are changed once each during a run: those that are used most.
const CHANGED: u32 = 1000;
/// How often what is idle is forgotten.
const SWEEP: u64 = 60_000_000;

/// What is counted.
#[derive(Default)]
pub(crate) struct Counts {
    /// All calls.
    pub(crate) calls: u64,
    /// Calls that were let through.
    pub(crate) passed: u64,
    /// Of these, those that a limit did not allow.
    pub(crate) over: u64,
    /// Calls that were refused for a limit.
    pub(crate) refused: u64,
    /// Of these, those that every limit would have allowed.
    pub(crate) wrongly: u64,
    /// Calls for which the meter could not be reached in time.
    pub(crate) unavailable: u64,
    /// Calls that waited for a meter.
    pub(crate) waited: u64,
    /// Asks that have arrived.
    pub(crate) asks: u64,
    /// The most asks that one meter had in 10 s.
    pub(crate) busiest: u64,
    /// How long after a change an isolate last went by what was before, in microseconds.
    pub(crate) changes: Vec<u64>,
}

struct Place {
    holder: Holder,
    /// The meter's true time of the last answer that has come.
    heard: u64,
    /// The longest that a call here went by what was before the key's change.
    stale: u64,
}

struct Counter {
    meter: Meter,
    audit: Audit,
    /// The 10 s in which asks are counted, and how many there were.
    asks: (u64, u64),
}

enum Event {
    Call,
    AtMeter {
        from: (u32, u32),
        ask: Ask,
        waits: bool,
    },
    AtIsolate {
        to: (u32, u32),
        answer: Answer,
        waits: bool,
        heard: u64,
    },
    GiveUp {
        of: (u32, u32),
        number: u64,
        waits: bool,
    },
    Sweep,
}

/// One run.
pub(crate) struct World {
    random: ChaCha8Rng,
    zipf: Zipf<f64>,
    gap: Exp<f64>,
    isolates: u32,
    latency: (u64, u64),
    loss: f64,
    keys: Keys,
    clocks: Vec<u64>,
    /// When each of the most used keys is changed.
    changed: Vec<u64>,
    places: HashMap<(u32, u32), Place>,
    counters: HashMap<u32, Counter>,
    /// Asks that somebody waits for, or may still be answered.
    open: HashMap<(u32, u32, u64), bool>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: HashMap<u64, Event>,
    count: u64,
    counts: Counts,
}

impl World {
    /// A world of so many isolates.
    pub(crate) fn new(arguments: &Arguments, isolates: u32) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(arguments.seed);
        let seconds = arguments.minutes * 60;
        let day = 86_400_000;
        let clocks = (0..isolates).map(|_| random.random_range(START_MS - day..START_MS + day));
        let clocks = clocks.collect();
        let whole = seconds * 1_000_000;
        let changed = CHANGED.min(arguments.keys);
        let changed = (0..changed).map(|_| random.random_range(whole / 10..whole * 9 / 10));
        let changed = changed.collect();
        let latency = &arguments.latency;
        let mut world = Self {
            zipf: Zipf::new(f64::from(arguments.keys), arguments.zipf)
                .expect("a positive exponent"),
            gap: Exp::new(arguments.calls / 1e6).expect("a positive rate"),
            isolates,
            latency: (latency[0] * 500, latency[1] * 500),
            loss: arguments.loss,
            keys: Keys::new(arguments.keys, arguments.calls, arguments.zipf, seconds),
            random,
            clocks,
            changed,
            places: HashMap::new(),
            counters: HashMap::new(),
            open: HashMap::new(),
            queue: BinaryHeap::new(),
            events: HashMap::new(),
            count: 0,
            counts: Counts::default(),
        };
        world.at(0, Event::Call);
        world.at(SWEEP, Event::Sweep);
        world
    }

    /// Goes on until this time.
    pub(crate) fn run_until(&mut self, end: u64) {
        while let Some(Reverse((now, number))) = self.queue.peek().copied() {
            if now >= end {
                return;
            }
            self.queue.pop();
            match self
                .events
                .remove(&number)
                .expect("each number is queued once")
            {
                Event::Call => self.call(now),
                Event::AtMeter { from, ask, waits } => self.at_meter(now, from, &ask, waits),
                Event::AtIsolate {
                    to,
                    answer,
                    waits,
                    heard,
                } => {
                    self.at_isolate(now, to, &answer, waits, heard);
                }
                Event::GiveUp { of, number, waits } => self.give_up(now, of, number, waits),
                Event::Sweep => self.sweep(now),
            }
        }
    }

    /// What was counted.
    pub(crate) fn finish(mut self) -> Counts {
        let stale = self.places.values().map(|place| place.stale);
        self.counts.changes.extend(stale.filter(|stale| *stale > 0));
        self.counts
    }

    fn at(&mut self, time: u64, event: Event) {
        self.count += 1;
        self.queue.push(Reverse((time, self.count)));
        self.events.insert(self.count, event);
    }

    fn clock(&self, isolate: u32, now: u64) -> Millis {
        Millis(self.clocks[isolate as usize] + now / 1000)
    }

    fn call(&mut self, now: u64) {
        let gap = self.gap.sample(&mut self.random) as u64;
        self.at(now + gap.max(1), Event::Call);
        self.counts.calls += 1;
        let key = self.zipf.sample(&mut self.random) as u32 - 1;
        let isolate = self.random.random_range(0..self.isolates);
        let to = (isolate, key);
        let clock = self.clock(isolate, now);
        let place = self.place(to);
        match place.holder.spend(1, clock) {
            Spent::Done => {
                self.passed(now, to);
                if self.place(to).holder.due(clock) {
                    self.ask(now, to, 0, false);
                }
            }
            Spent::Ask => {
                self.counts.waited += 1;
                self.ask(now, to, 1, true);
            }
            Spent::Exhausted { .. } => self.refused(now, to),
        }
    }

    fn ask(&mut self, now: u64, from: (u32, u32), need: u64, waits: bool) {
        let clock = self.clock(from.0, now);
        let ask = self.place(from).holder.ask(need, clock);
        let number = ask.number;
        self.open.insert((from.0, from.1, number), true);
        self.at(
            now + PATIENCE,
            Event::GiveUp {
                of: from,
                number,
                waits,
            },
        );
        self.send(now, Event::AtMeter { from, ask, waits });
    }

    fn send(&mut self, now: u64, event: Event) {
        let delay = self.random.random_range(self.latency.0..=self.latency.1);
        if !self.random.random_bool(self.loss) {
            self.at(now + delay, event);
        }
    }

    fn at_meter(&mut self, now: u64, from: (u32, u32), ask: &Ask, waits: bool) {
        self.counts.asks += 1;
        let clock = Millis(START_MS + now / 1000);
        let counter = self.counter(from.1, clock);
        let answer = counter.meter.take(ask, clock);
        // A meter writes what has changed before it answers.
        drop(counter.meter.changed());
        let span = now / 10_000_000;
        counter.asks = if counter.asks.0 == span {
            (span, counter.asks.1 + 1)
        } else {
            (span, 1)
        };
        let asks = counter.asks.1;
        self.counts.busiest = self.counts.busiest.max(asks);
        self.send(
            now,
            Event::AtIsolate {
                to: from,
                answer,
                waits,
                heard: now,
            },
        );
    }

    fn at_isolate(&mut self, now: u64, to: (u32, u32), answer: &Answer, waits: bool, heard: u64) {
        if self.open.remove(&(to.0, to.1, answer.number)).is_none() {
            return;
        }
        let clock = self.clock(to.0, now);
        let place = self.place(to);
        place.heard = place.heard.max(heard);
        match place.holder.answered(answer, u64::from(waits), clock) {
            _ if !waits => {}
            Spent::Done => self.passed(now, to),
            Spent::Exhausted { .. } => self.refused(now, to),
            Spent::Ask => self.counts.unavailable += 1,
        }
    }

    fn give_up(&mut self, now: u64, of: (u32, u32), number: u64, waits: bool) {
        if self.open.remove(&(of.0, of.1, number)).is_none() {
            return;
        }
        let clock = self.clock(of.0, now);
        self.place(of).holder.unanswered(number, clock);
        self.counts.unavailable += u64::from(waits);
    }

    fn passed(&mut self, now: u64, by: (u32, u32)) {
        self.counts.passed += 1;
        let changed = self.changed.get(by.1 as usize).copied().unwrap_or(u64::MAX);
        let place = self.place(by);
        if place.heard < changed && changed < now {
            place.stale = place.stale.max(now - changed);
        }
        let clock = Millis(START_MS + now / 1000);
        if self.counter(by.1, clock).audit.passed(now) {
            self.counts.over += 1;
        }
    }

    fn refused(&mut self, now: u64, by: (u32, u32)) {
        self.counts.refused += 1;
        let clock = Millis(START_MS + now / 1000);
        if self.counter(by.1, clock).audit.allows(now) {
            self.counts.wrongly += 1;
        }
    }

    fn place(&mut self, at: (u32, u32)) -> &mut Place {
        let random = &mut self.random;
        self.places.entry(at).or_insert_with(|| Place {
            holder: Holder::new(random.next_u64()),
            heard: 0,
            stale: 0,
        })
    }

    fn counter(&mut self, key: u32, clock: Millis) -> &mut Counter {
        let limits = self.keys.limits(key);
        self.counters.entry(key).or_insert_with(|| Counter {
            meter: Meter::new(limits.clone(), clock),
            audit: Audit::new(limits),
            asks: (0, 0),
        })
    }

    /// Isolates forget what is idle, as they do at the edge.
    fn sweep(&mut self, now: u64) {
        self.at(now + SWEEP, Event::Sweep);
        let clocks = &self.clocks;
        let changes = &mut self.counts.changes;
        self.places.retain(|(isolate, _), place| {
            let idle = place
                .holder
                .is_idle(Millis(clocks[*isolate as usize] + now / 1000));
            if idle && place.stale > 0 {
                changes.push(place.stale);
            }
            !idle
        });
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::World;
    use crate::Arguments;

    fn run(seed: &str) -> (u64, u64, u64, u64, u64) {
        let arguments = [
            "sim",
            "--keys",
            "200",
            "--minutes",
            "2",
            "--loss",
            "0.02",
            "--seed",
            seed,
        ];
        let mut world = World::new(&Arguments::parse_from(arguments), 20);
        world.run_until(120_000_000);
        let counts = world.finish();
        (
            counts.calls,
            counts.passed,
            counts.refused,
            counts.asks,
            counts.over,
        )
    }

    #[test]
    fn no_limit_is_exceeded_and_the_seed_decides_everything() {
        let first = run("7");
        let (calls, passed, refused, asks, over) = first;
        assert_eq!(over, 0);
        assert!(
            calls > 100_000 && passed > calls / 2 && refused > 0 && asks > 0,
            "{first:?}"
        );
        assert_eq!(first, run("7"));
        assert_ne!(first, run("8"));
    }
}
