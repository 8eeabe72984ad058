//! The world: calls, messages on their way, and the isolates' and the meters' own clocks.
//!
//! Time is in microseconds. Each isolate's clock is off by a constant of its own: nothing may
//! depend on what two clocks say.
//!
//! An isolate does what the gateway does: a call that is not paid from a lease asks, waits 500 ms,
//! and repeats the same ask once; of more calls than [`MOST_ASKING`], others wait until one of these
//! is answered. A call asks behind itself when the lease is low, and schedules an
//! exchange before it ends, if none is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::mem;

use keyward_core::account::MOST_ASKING;
use keyward_core::lease::LEASE_MS;
use keyward_core::lease::holder::{Holder, Spent};
use keyward_core::lease::message::{Answer, Ask};
use keyward_core::lease::meter::Meter;
use keyward_core::time::Millis;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp, Zipf};

use crate::audit::Audit;
use crate::counts::Counts;
use crate::keys::{Class, Key};
use crate::mix::ByMix;
use crate::scenario::Scenario;

/// How long a call waits for a meter, each of two times.
const PATIENCE: u64 = 500_000;
/// How long an ask in the background is waited for.
const PATIENCE_BEHIND: u64 = 2_000_000;
/// How long before an isolate would ask by itself the exchange is that a call schedules; how long
/// after a lease ends one follows; and the longest until then.
const AHEAD: u64 = 500_000;
const LATEST: u64 = 25_000_000;
/// How much later the mark expires that one is scheduled.
const MARK: u64 = 2_000_000;
/// Within how long KV shows a change everywhere, at most, as it is published.
const KV: u64 = 60_000_000;
/// When the simulated time begins: a midnight, so that a run is within one day.
const START_MS: u64 = 1_800_057_600_000;
/// How often what is idle is forgotten.
const SWEEP: u64 = 10_000_000;
/// Over how long the asks of a meter are counted.
const SPAN: u64 = 10_000_000;

/// What an isolate holds of a key.
struct Place {
    holder: Holder,
    /// Whether it knows of the key's change.
    knows: bool,
    /// The longest that a call here went by what was before.
    stale: u64,
    /// When the ask was made whose answer is the newest, and for how long no other is needed.
    told: (u64, u64),
    /// Until when an exchange is scheduled.
    scheduled: u64,
    /// How many calls ask, and those that wait for one of them to be answered.
    asking: usize,
    waiting: Vec<Waiting>,
    /// Whether there were calls since the last ask.
    called: bool,
    /// Whether one of them was let through.
    passed: bool,
    /// Until when one ask would do, if it were made with the first call.
    enough: u64,
}

struct Counter {
    meter: Meter,
    audit: Audit,
    /// The span in which asks are counted, and how many there were.
    asks: (u64, u64),
}

type At = (u32, u32);

/// A call that waits for an answer.
#[derive(Clone, Copy)]
struct Waiting {
    /// When it was made.
    since: u64,
    /// Whether the all-knowing counter has let it through.
    allowed: bool,
}

/// An ask that is waited for.
struct Open {
    asked: u64,
    /// The call that waits for it, if one does.
    call: Option<Waiting>,
    /// Whether it was sent once before.
    again: bool,
}

enum Event {
    AtMeter(At, Ask),
    AtIsolate { to: At, answer: Answer, knows: bool },
    GiveUp(At, Ask),
    Exchange(At),
    Sweep,
}

/// One run.
pub(crate) struct World {
    random: ChaCha8Rng,
    zipf: Zipf<f64>,
    gap: Exp<f64>,
    next_call: u64,
    scenario: Scenario,
    keys: Vec<Key>,
    clocks: Vec<u64>,
    /// When each of the most used keys is changed, and when its meter is told.
    changes: Vec<(u64, u64)>,
    places: HashMap<At, Place, ByMix>,
    counters: HashMap<u32, Counter, ByMix>,
    /// Asks that are waited for, by isolate, key and number.
    open: HashMap<(u32, u32, u64), Open, ByMix>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: HashMap<u64, Event, ByMix>,
    count: u64,
    counts: Counts,
}

impl World {
    /// The world of a scenario.
    pub(crate) fn new(scenario: Scenario, keys: Vec<Key>) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(scenario.seed);
        let day = 86_400_000;
        let clocks = 0..scenario.isolates;
        let clocks = clocks.map(|_| random.random_range(START_MS - day..START_MS + day));
        let clocks = clocks.collect();
        let whole = scenario.seconds * 1_000_000;
        let (from, to) = scenario.latency;
        let changes = (0..scenario.changed.min(keys.len() as u32))
            .map(|_| {
                let at = random.random_range(whole / 10..whole * 9 / 10);
                (at, at + random.random_range(from..=to))
            })
            .collect();
        let mut world = Self {
            zipf: Zipf::new(keys.len() as f64, scenario.zipf).expect("a positive exponent"),
            gap: Exp::new(scenario.calls / 1e6).expect("a positive rate"),
            next_call: 0,
            scenario,
            keys,
            random,
            clocks,
            changes,
            places: HashMap::default(),
            counters: HashMap::default(),
            open: HashMap::default(),
            queue: BinaryHeap::new(),
            events: HashMap::default(),
            count: 0,
            counts: Counts::default(),
        };
        world.at(SWEEP, Event::Sweep);
        world
    }

    /// Goes on until this time.
    pub(crate) fn run_until(&mut self, end: u64) {
        loop {
            let event = self.queue.peek().map_or(u64::MAX, |next| next.0.0);
            if event.min(self.next_call) >= end {
                return;
            }
            if self.next_call <= event {
                self.call(self.next_call);
                continue;
            }
            let Some(Reverse((now, number))) = self.queue.pop() else {
                return;
            };
            let event = self.events.remove(&number);
            match event.expect("each number is queued once") {
                Event::AtMeter(from, ask) => self.at_meter(now, from, &ask),
                Event::AtIsolate { to, answer, knows } => self.at_isolate(now, to, &answer, knows),
                Event::GiveUp(of, ask) => self.give_up(now, of, ask),
                Event::Exchange(of) => self.exchange(now, of),
                Event::Sweep => self.sweep(now),
            }
        }
    }

    /// What was counted.
    pub(crate) fn finish(mut self) -> Counts {
        for ((_, key), place) in &self.places {
            self.counts.changed(&self.keys[*key as usize], place.stale);
        }
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
        self.next_call = now + gap.max(1);
        let number = self.zipf.sample(&mut self.random) as u32 - 1;
        let key = &self.keys[number as usize];
        let (first, spread) = key.isolates;
        let (class, waits) = (key.class, key.waits);
        // Isolates start one after another.
        let started = u64::from(spread) * now / self.scenario.start.max(1);
        let started = started.clamp(1, u64::from(spread)) as u32;
        let isolate = (first + self.random.random_range(0..started)) % self.scenario.isolates;
        let to = (isolate, number);
        let allowed = class == Class::Free || self.counter(now, number).audit.called(now);
        let tally = self.counts.of(class);
        tally.calls += 1;
        tally.ideal += u64::from(allowed);
        let clock = self.clock(isolate, now);
        let place = self.place(to);
        place.called = true;
        let first = place.enough <= now;
        if first {
            place.enough = now + LEASE_MS * 1_000;
        }
        let covered = place.holder.covered(clock);
        let call = Waiting {
            since: now,
            allowed,
        };
        let spent = match (covered, waits) {
            // Without a limit it may go by what it has, and ask behind the call.
            (false, false) => Spent::Done,
            (false, true) => Spent::Ask,
            (true, _) => place.holder.spend(1, clock),
        };
        self.counts.needed += u64::from(first);
        match spent {
            Spent::Done => {
                self.passed(now, to, covered);
                self.schedule(now, to);
            }
            Spent::Ask => {
                self.counts.waited += 1;
                self.ask(now, to, Some(call));
            }
            Spent::Exhausted { .. } => {
                self.refused(to, call);
                self.schedule(now, to);
            }
        }
    }

    /// Schedules an exchange, if none is.
    fn schedule(&mut self, now: u64, of: At) {
        let clock = self.clock(of.0, now);
        if self.place(of).holder.due(clock) {
            self.ask(now, of, None);
        }
        let place = self.place(of);
        if place.scheduled > now {
            return;
        }
        let (asked, lease_ms) = match place.told {
            told if place.holder.covered(clock) => told,
            _ => (now, LEASE_MS),
        };
        let later = (asked + lease_ms * 750).saturating_sub(AHEAD);
        self.plan(later.clamp(now + 1_000, now + LATEST), of);
    }

    fn plan(&mut self, at: u64, of: At) {
        self.place(of).scheduled = at + MARK;
        self.at(at, Event::Exchange(of));
    }

    /// An exchange has ended: if the meter has yet to hear what becomes of a lease, another follows.
    fn follow(&mut self, now: u64, of: At) {
        let clock = self.clock(of.0, now);
        let place = self.place(of);
        let quiet = !place.called && place.holder.is_idle(clock);
        let later = place.told.0 + place.told.1 * 1_000 + AHEAD;
        if !quiet && place.scheduled <= now && (now..=now + LATEST).contains(&later) {
            self.plan(later, of);
        }
    }

    fn exchange(&mut self, now: u64, of: At) {
        let clock = self.clock(of.0, now);
        let Some(place) = self.places.get_mut(&of) else {
            return;
        };
        place.scheduled = 0;
        if place.called || !place.holder.is_idle(clock) {
            self.ask(now, of, None);
        }
    }

    fn ask(&mut self, now: u64, from: At, call: Option<Waiting>) {
        let clock = self.clock(from.0, now);
        let place = self.place(from);
        if let Some(call) = call
            && place.asking >= MOST_ASKING
        {
            place.waiting.push(call);
            return;
        }
        place.called = false;
        place.asking += usize::from(call.is_some());
        let ask = match call {
            Some(_) => place.holder.ask(1, clock),
            None if mem::take(&mut place.passed) => place.holder.ask(0, clock),
            None => place.holder.report(clock),
        };
        let open = Open {
            asked: now,
            call,
            again: false,
        };
        self.open.insert((from.0, from.1, ask.number), open);
        let patience = if call.is_some() {
            PATIENCE
        } else {
            PATIENCE_BEHIND
        };
        self.at(now + patience, Event::GiveUp(from, ask.clone()));
        self.send(now, Event::AtMeter(from, ask));
    }

    fn send(&mut self, now: u64, event: Event) {
        let (from, to) = self.scenario.latency;
        let delay = self.random.random_range(from..=to);
        if !self.random.random_bool(self.scenario.loss) {
            self.at(now + delay, event);
        }
    }

    fn at_meter(&mut self, now: u64, from: At, ask: &Ask) {
        let clock = Millis(START_MS + now / 1000);
        let counter = self.counter(now, from.1);
        let answer = counter.meter.take(ask, clock);
        // A meter writes what has changed before it answers.
        let rows = counter.meter.skip_changed() as u64;
        let span = now / SPAN;
        let before = if counter.asks.0 == span {
            counter.asks.1
        } else {
            0
        };
        counter.asks = (span, before + 1);
        self.counts.asks += 1;
        self.counts.rows += rows;
        let busiest = if now < self.scenario.start {
            &mut self.counts.busiest_at_start
        } else if now >= self.scenario.steady {
            &mut self.counts.busiest
        } else {
            &mut self.counts.busiest_between
        };
        *busiest = (*busiest).max(before + 1);
        let told = self
            .changes
            .get(from.1 as usize)
            .map_or(u64::MAX, |change| change.1);
        let knows = told <= now;
        let to = from;
        self.send(now, Event::AtIsolate { to, answer, knows });
    }

    fn at_isolate(&mut self, now: u64, to: At, answer: &Answer, knows: bool) {
        let Some(Open { asked, call, .. }) = self.open.remove(&(to.0, to.1, answer.number)) else {
            return;
        };
        let clock = self.clock(to.0, now);
        let place = self.place(to);
        place.knows |= knows;
        if asked >= place.told.0 {
            place.told = (asked, answer.lease_ms);
        }
        place.asking -= usize::from(call.is_some());
        match (
            place
                .holder
                .answered(answer, u64::from(call.is_some()), clock),
            call,
        ) {
            (_, None) => self.follow(now, to),
            (Spent::Done, Some(_)) => {
                self.passed(now, to, true);
                self.schedule(now, to);
            }
            (Spent::Exhausted { .. }, Some(call)) => {
                self.refused(to, call);
                self.schedule(now, to);
            }
            (Spent::Ask, Some(call)) => {
                // It was granted less, or too late: once more, if there is time.
                if now < call.since + PATIENCE {
                    self.ask(now, to, Some(call));
                } else {
                    self.unavailable(to);
                }
            }
        }
        self.wake(now, to);
    }

    /// Calls that waited for those that asked look again.
    fn wake(&mut self, now: u64, at: At) {
        let clock = self.clock(at.0, now);
        for call in mem::take(&mut self.place(at).waiting) {
            let place = self.place(at);
            let covered = place.holder.covered(clock);
            let spent = match covered {
                true => place.holder.spend(1, clock),
                false => Spent::Ask,
            };
            match spent {
                Spent::Done => self.passed(now, at, covered),
                Spent::Exhausted { .. } => self.refused(at, call),
                Spent::Ask if now < call.since + 2 * PATIENCE => self.ask(now, at, Some(call)),
                Spent::Ask => self.unavailable(at),
            }
        }
    }

    fn give_up(&mut self, now: u64, of: At, ask: Ask) {
        let number = (of.0, of.1, ask.number);
        match self.open.get_mut(&number) {
            None => {}
            Some(Open {
                call: Some(_),
                again: again @ false,
                ..
            }) => {
                *again = true;
                self.at(now + PATIENCE, Event::GiveUp(of, ask.clone()));
                self.send(now, Event::AtMeter(of, ask));
            }
            Some(Open { call, .. }) => {
                let waited = call.is_some();
                self.open.remove(&number);
                let clock = self.clock(of.0, now);
                self.place(of).holder.unanswered(ask.number, clock);
                if waited {
                    self.place(of).asking -= 1;
                    self.unavailable(of);
                    self.wake(now, of);
                }
            }
        }
    }

    fn passed(&mut self, now: u64, by: At, covered: bool) {
        let class = self.keys[by.1 as usize].class;
        self.counts.of(class).passed += 1;
        self.place(by).passed = true;
        if let Some((changed, _)) = self.changes.get(by.1 as usize).copied()
            && changed < now
        {
            // Without a lease it goes by KV, which may show the change at any time.
            let kv = changed + u64::from(by.0.wrapping_mul(2_654_435_761)) * KV / (1 << 32);
            let place = self.place(by);
            if !(place.knows || !covered && kv < now) {
                place.stale = place.stale.max(now - changed);
            }
        }
        if class != Class::Free && self.counter(now, by.1).audit.passed(now) {
            self.counts.over += 1;
        }
    }

    fn refused(&mut self, by: At, call: Waiting) {
        let tally = self.counts.of(self.keys[by.1 as usize].class);
        tally.refused += 1;
        tally.wrongly += u64::from(call.allowed);
    }

    fn unavailable(&mut self, by: At) {
        let class = self.keys[by.1 as usize].class;
        self.counts.of(class).unavailable += 1;
    }

    fn place(&mut self, at: At) -> &mut Place {
        let random = &mut self.random;
        self.places.entry(at).or_insert_with(|| Place {
            holder: Holder::new(random.next_u64()),
            knows: false,
            stale: 0,
            told: (0, LEASE_MS),
            scheduled: 0,
            asking: 0,
            waiting: Vec::new(),
            called: false,
            passed: false,
            enough: 0,
        })
    }

    fn counter(&mut self, now: u64, key: u32) -> &mut Counter {
        let limits = &self.keys[key as usize].limits;
        let bears = self.scenario.bears;
        self.counters.entry(key).or_insert_with(|| Counter {
            meter: Meter::new(limits.clone(), bears, Millis(START_MS + now / 1000)),
            audit: Audit::new(limits),
            asks: (0, 0),
        })
    }

    /// Isolates forget what is idle, as they do at the edge.
    fn sweep(&mut self, now: u64) {
        self.at(now + SWEEP, Event::Sweep);
        let (clocks, keys) = (&self.clocks, &self.keys);
        let counts = &mut self.counts;
        self.places.retain(|(isolate, key), place| {
            let clock = Millis(clocks[*isolate as usize] + now / 1000);
            let idle = place.scheduled < now && place.asking == 0 && place.holder.is_idle(clock);
            if idle {
                counts.changed(&keys[*key as usize], place.stale);
            }
            !idle
        });
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use keyward_core::lease::ASKS_PER_S;

    use crate::scenario::{Arguments, Scenario};

    fn run(seed: &str) -> (u64, u64, u64, u64, u64) {
        let arguments = [
            "sim",
            "--keys=200",
            "--minutes=2",
            "--calls=20",
            "--loss=0.02",
            "--seed",
            seed,
        ];
        let arguments = Arguments::parse_from(arguments);
        let mut world = arguments.growth(20).world(&arguments);
        world.run_until(120_000_000);
        let mut counts = world.finish();
        let tight = counts.of(super::Class::Tight).refused;
        let sum = counts.sum();
        (sum.calls, sum.passed, tight, counts.asks, counts.over)
    }

    #[test]
    fn no_limit_is_exceeded_and_the_seed_decides_everything() {
        let first = run("7");
        let (calls, passed, refused, asks, over) = first;
        assert_eq!(over, 0);
        assert!(
            calls > 20_000 && passed > calls / 2 && refused > 0 && asks > 0,
            "{first:?}"
        );
        assert_eq!(first, run("7"));
        assert_ne!(first, run("8"));
    }

    fn adapting(arguments: &Arguments) -> Vec<Scenario> {
        let scenarios = arguments.hot().into_iter();
        let adapting = scenarios.filter(|scenario| scenario.bears < u64::MAX);
        adapting.collect()
    }

    /// A thirtieth of the isolates of the hot key, and of what its meter bears.
    #[test]
    fn one_object_bears_a_hot_key_when_its_isolates_have_started() {
        let arguments = Arguments::parse_from(["sim", "--hot=333"]);
        let scenarios = adapting(&arguments);
        assert_eq!(scenarios.len(), 6);
        for mut scenario in scenarios {
            let name = scenario.name.clone();
            let least = match name.as_str() {
                "half, 60 s" => 72,
                "half, 1 s" => 42,
                _ => 99,
            };
            scenario.bears = ASKS_PER_S / 30;
            let end = scenario.seconds * 1_000_000;
            let mut world = scenario.world(&arguments);
            world.run_until(end);
            let counts = world.finish();
            let asks = [counts.busiest_between, counts.busiest].map(|asks| asks * 30 / 10);
            assert!(asks.iter().all(|asks| *asks < 1_000), "{name}: {asks:?}");
            let sum = counts.sum();
            let share = sum.passed * 100 / sum.ideal;
            assert!(share >= least, "{name}: {share} %");
            assert_eq!(counts.over, 0, "{name}");
        }
    }

    /// The whole of it, for the first seconds: they are the busiest where most is asked for at one time.
    #[test]
    fn one_object_bears_a_hot_key_while_its_isolates_start() {
        let arguments = Arguments::parse_from(["sim"]);
        let scenarios = adapting(&arguments).into_iter();
        let seconds = scenarios.filter(|scenario| scenario.name.ends_with(", 1 s"));
        for scenario in seconds {
            let mut world = scenario.world(&arguments);
            world.run_until(10_000_000);
            let counts = world.finish();
            let asks = counts.busiest_at_start / 10;
            assert!((100..1_000).contains(&asks), "{}: {asks}", scenario.name);
            assert_eq!(counts.over, 0, "{}", scenario.name);
        }
    }
}
