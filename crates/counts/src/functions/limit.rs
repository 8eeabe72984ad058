//! Both sides of a lease.

use keyward_core::lease::ASKS_PER_S;
use keyward_core::lease::holder::{Holder, Spent};
use keyward_core::lease::message::Outcome;
use keyward_core::lease::meter::Meter;
use keyward_core::limits::Limits;
use keyward_core::time::Millis;

use super::call::limited;
use crate::scene::NOW;
use crate::valgrind::measure;

pub(super) const ALL: &[(&str, fn())] = &[
    ("meter: take, 1 isolate", || take(1)),
    ("meter: take, 1000 isolates", || take(1000)),
    ("holder: spend", spend),
];

fn limits() -> Limits {
    serde_json::from_value(limited()["limits"].clone()).expect("limits")
}

fn later(ms: u64) -> Millis {
    NOW.plus(ms)
}

/// So many isolates have asked, each once; the last one asks again.
fn take(isolates: u64) {
    let mut meter = Meter::new(limits(), ASKS_PER_S, NOW);
    let mut holder = Holder::new(1);
    for isolate in 1..=isolates {
        holder = Holder::new(isolate);
        let answer = meter.take(&holder.ask(1, later(isolate)), later(isolate));
        holder.answered(&answer, 1, later(isolate));
    }
    let now = later(isolates + 1000);
    let ask = holder.ask(1, now);
    let answer = measure(|| meter.take(&ask, now));
    assert!(matches!(answer.outcome, Outcome::Granted { .. }));
}

fn spend() {
    let (mut meter, mut holder) = (Meter::new(limits(), ASKS_PER_S, NOW), Holder::new(1));
    let answer = meter.take(&holder.ask(1, NOW), NOW);
    holder.answered(&answer, 1, NOW);
    assert_eq!(holder.spend(1, later(1)), Spent::Done);
    assert_eq!(measure(|| holder.spend(1, later(2))), Spent::Done);
}
