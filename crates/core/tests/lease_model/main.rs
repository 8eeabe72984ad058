//! Every state that a few isolates and their meter can come to, whatever is lost, late, repeated
//! or killed: no limit is ever exceeded, and nothing is wasted but by those that were killed.
//!
//! The check is exhaustive within the bounds of each scenario; each prints how much it visited.
//! Three isolates are explored in every run: with crashes of an isolate and of the meter, with a
//! clock that jumps back, and with an ask of each of them.
//! `cargo test --release --package keyward-core --test lease_model -- --nocapture` explores more:
//! the meter may crash in nearly all, and time may pass while three isolates ask.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use keyward_core::lease::holder::Holder;
use keyward_core::lease::meter::Meter;
use keyward_core::limits::Limits;
use serde_json::{Value, json};

use self::broken::{Dishonest, Forgetful, Hasty, Silent, Tardy};
use self::explore::explore;
use self::pressed::Pressed;
use self::sides::{Counts, Spends};
use self::world::{Bounds, Scenario};

mod broken;
mod explore;
mod fingerprint;
mod pressed;
mod promises;
mod sides;
mod world;

const DAY_MS: i64 = 86_400_000;

/// Whether there is time for the crash of a meter.
const WIDE: bool = !cfg!(debug_assertions);

const BOUNDS: Bounds = Bounds {
    calls: 2,
    asks: 2,
    isolate_crashes: 0,
    meter_crashes: if WIDE { 1 } else { 0 },
    steps: 1,
    jumps: 0,
};

fn scenario(limits: Value, steps: &[u64]) -> Scenario {
    Scenario {
        limits: serde_json::from_value::<Limits>(limits).unwrap(),
        start: "2026-11-21T12:00:00Z".parse().unwrap(),
        clocks: vec![-DAY_MS, DAY_MS],
        costs: vec![1],
        steps: steps.to_vec(),
        jumps: Vec::new(),
        bounds: BOUNDS,
        leaks: true,
    }
}

fn rate() -> Value {
    json!([{ "name": "second", "limit": 1, "window_s": 1 }])
}

fn quota() -> Value {
    json!([{ "name": "day", "limit": 1, "period": "day" }])
}

fn holds(name: &str, scenario: &Scenario) {
    holds_at::<Meter>(name, scenario);
}

fn holds_at<M: Counts>(name: &str, scenario: &Scenario) {
    let visited = explore::<M, Holder>(scenario).unwrap();
    println!("{name}: {} states, {} steps", visited.states, visited.steps);
    // A model in which little is let through proves nothing.
    assert!(visited.most >= 1, "{visited:?}");
}

fn breaks<M: Counts, H: Spends>() {
    let mut scenario = scenario(json!({ "credits": { "balance": 1 } }), &[]);
    scenario.bounds.calls = 3;
    scenario.bounds.meter_crashes = 1;
    scenario.leaks = false;
    let violation = explore::<M, H>(&scenario).unwrap_err();
    assert_eq!(violation.what, "2 of 1 credits", "{violation:?}");
}

#[test]
fn a_rate_limit_holds() {
    let limits = json!({ "rate": rate() });
    holds("rate", &scenario(limits, &[400, 11_000]));
}

#[test]
fn a_quota_holds_within_a_day() {
    let limits = json!({ "quota": quota() });
    holds("quota", &scenario(limits, &[11_000]));
}

#[test]
fn a_quota_holds_across_midnight() {
    let limits = json!({ "quota": quota() });
    let mut scenario = scenario(limits, &[400]);
    scenario.start = "2026-11-30T23:59:59.600Z".parse().unwrap();
    holds("quota at midnight", &scenario);
}

#[test]
fn credits_hold() {
    let limits = json!({ "credits": { "balance": 1 } });
    holds("credits", &scenario(limits, &[11_000]));
}

#[test]
fn two_limits_hold_together() {
    let limits = json!({ "rate": rate(), "credits": { "balance": 1 } });
    holds("rate and credits", &scenario(limits, &[1_100]));
}

/// Three isolates; one of them and the meter may crash, and a clock may jump back.
fn three(limits: Value, bounds: Bounds) -> Scenario {
    Scenario {
        // Clocks that agree: so the isolates are interchangeable, and a sixth of it is enough.
        clocks: vec![DAY_MS; 3],
        jumps: vec![-5_000],
        bounds,
        ..scenario(limits, &[11_000])
    }
}

#[test]
fn credits_hold_in_three_isolates_that_crash() {
    let bounds = Bounds {
        isolate_crashes: 1,
        meter_crashes: 1,
        ..BOUNDS
    };
    let limits = json!({ "credits": { "balance": 1 } });
    holds("three isolates", &three(limits, bounds));
}

#[test]
fn credits_hold_in_three_isolates_whose_clocks_jump_back() {
    let bounds = Bounds { jumps: 1, ..BOUNDS };
    let limits = json!({ "credits": { "balance": 1 } });
    holds("three isolates, jumps", &three(limits, bounds));
}

/// Each of three isolates asks.
fn three_asks(steps: u64) -> Scenario {
    let bounds = Bounds {
        calls: 3,
        asks: 3,
        meter_crashes: 0,
        steps,
        ..BOUNDS
    };
    let limits = json!({ "rate": [{ "name": "second", "limit": 2, "window_s": 1 }] });
    three(limits, bounds)
}

#[test]
fn a_rate_limit_holds_in_three_isolates_that_all_ask_at_one_time() {
    holds("three isolates, three asks, no time", &three_asks(0));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes long: with --release")]
fn a_rate_limit_holds_in_three_isolates_that_all_ask() {
    holds("three isolates, three asks", &three_asks(1));
}

#[test]
fn an_isolate_that_gives_nothing_back_is_found_out() {
    let scenario = scenario(json!({ "credits": { "balance": 1 } }), &[]);
    let violation = explore::<Meter, Silent>(&scenario).unwrap_err();
    let leak = "0 of 1 free, 0 spent, 0 wasted at most";
    assert_eq!(violation.what, leak, "{violation:?}");
}

/// A limit per second that is shared out in paced leases, over some seconds: one for each of two
/// isolates, and one that is kept free.
fn paced(steps: &[u64], bounds: Bounds) -> Scenario {
    let limits = json!({ "rate": [{ "name": "second", "limit": 3, "window_s": 1 }] });
    Scenario {
        bounds,
        ..scenario(limits, steps)
    }
}

const PACED: Bounds = Bounds {
    calls: 4,
    asks: 2,
    steps: if WIDE { 2 } else { 1 },
    meter_crashes: 0,
    ..BOUNDS
};

/// How time passes: by less than a window, where there is time for two steps.
const STEP: u64 = if WIDE { 600 } else { 1_100 };

/// Explores it; more than the limit was let through, so over more than one window.
fn holds_paced(name: &str, scenario: &Scenario) {
    let visited = explore::<Pressed, Holder>(scenario).unwrap();
    println!("{name}: {} states, {} steps", visited.states, visited.steps);
    assert!(visited.most > 3, "{visited:?}");
}

#[test]
fn a_rate_limit_holds_with_paced_leases() {
    holds_paced("paced", &paced(&[STEP], PACED));
}

#[test]
fn a_rate_limit_holds_with_paced_leases_that_are_renewed() {
    holds_paced("paced, renewed", &paced(&[STEP, 8_000], PACED));
}

#[test]
fn a_rate_limit_holds_with_paced_leases_when_either_side_crashes() {
    let either = [(1, 0), (0, 1)];
    for (isolate_crashes, meter_crashes) in either.into_iter().take(if WIDE { 2 } else { 1 }) {
        let bounds = Bounds {
            isolate_crashes,
            meter_crashes,
            ..PACED
        };
        holds_paced("paced, crashes", &paced(&[STEP], bounds));
    }
}

fn jumping(by: i64, steps: u64) -> Scenario {
    let bounds = Bounds {
        steps,
        jumps: 1,
        ..PACED
    };
    Scenario {
        jumps: vec![by],
        ..paced(&[600], bounds)
    }
}

#[test]
fn a_rate_limit_holds_with_paced_leases_when_a_clock_is_set_forward() {
    let scenario = jumping(1_010, 0);
    let visited = explore::<Pressed, Holder>(&scenario).unwrap();
    println!("paced, forward: {} states", visited.states);
    // Both paces, and one of them again.
    assert_eq!(visited.most, 3, "{visited:?}");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes long: with --release")]
fn a_rate_limit_holds_with_paced_leases_when_a_clock_jumps_and_time_passes() {
    for by in [1_000, -5_000] {
        holds_paced("paced, jumps", &jumping(by, 2));
    }
}

#[test]
fn an_isolate_that_ignores_its_pace_is_found_out() {
    let violation = explore::<Pressed, Hasty>(&paced(&[600], PACED)).unwrap_err();
    assert_eq!(violation.what, "4 of 3 in a window", "{violation:?}");
}

#[test]
fn a_meter_that_forgets_is_found_out() {
    breaks::<Forgetful, Holder>();
}

#[test]
fn an_isolate_that_takes_an_answer_after_it_gave_up_is_found_out() {
    breaks::<Meter, Tardy>();
}

#[test]
fn an_isolate_that_gives_back_what_it_spent_is_found_out() {
    breaks::<Meter, Dishonest>();
}
