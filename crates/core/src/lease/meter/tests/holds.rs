//! What leases hold, and what becomes of it.

use super::*;

#[test]
fn what_was_not_spent_comes_back() {
    for limits in [rate(100, 60), quota(100, "day"), credits(100)] {
        let mut meter = Meter::new(limits, ASKS_PER_S, START);
        meter.take(&ask(1, 1, 10, 0), at(0));
        assert_eq!(free(&mut meter, at(1)), 90);
        let partly = Report {
            closed: false,
            ..report(1, 3)
        };
        meter.take(&telling(ask(1, 2, 0, 0), &[partly]), at(2));
        assert_eq!(free(&mut meter, at(2)), 90);
        let closed = telling(ask(1, 3, 0, 0), &[report(1, 4)]);
        meter.take(&closed, at(3));
        assert_eq!(free(&mut meter, at(3)), 96);
        meter.take(&closed, at(4));
        let late = telling(ask(1, 4, 0, 0), &[partly, report(1, 0), report(9, 5)]);
        meter.take(&late, at(5));
        assert_eq!(free(&mut meter, at(5)), 96);
    }
}

#[test]
fn a_report_never_tells_of_more_than_was_granted() {
    let mut meter = Meter::new(rate(100, 60), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 10, 0), at(0));
    meter.take(&telling(ask(1, 2, 0, 0), &[report(1, 99)]), at(3));
    assert_eq!(free(&mut meter, at(3)), 90);
}

#[test]
fn a_spending_counts_from_its_age() {
    let mut meter = Meter::new(rate(100, 10), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 10, 0), at(0));
    let old = Report {
        age_ms: 6_000,
        ..report(1, 10)
    };
    meter.take(&telling(ask(1, 2, 0, 0), &[old]), at(9_000));
    assert_eq!(free(&mut meter, at(13_004)), 90);
    assert_eq!(free(&mut meter, at(13_100)), 100);
}

#[test]
fn a_clock_that_is_set_forward_makes_no_spending_older() {
    let mut meter = Meter::new(rate(100, 10), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 10, 0), at(0));
    // Spent after 8 s; a second later, the isolate's clock is set forward by a minute.
    let jumped = Report {
        age_ms: 61_000,
        held_ms: 69_000,
        ..report(1, 10)
    };
    meter.take(&telling(ask(1, 2, 0, 0), &[jumped]), at(9_000));
    assert_eq!(free(&mut meter, at(17_999)), 90);
    assert_eq!(free(&mut meter, at(18_100)), 100);
}

#[test]
fn a_spending_is_never_older_than_its_lease() {
    let mut meter = Meter::new(rate(100, 10), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 10, 0), at(5_000));
    let wrong = Report {
        age_ms: 9_999_999,
        ..report(1, 10)
    };
    meter.take(&telling(ask(1, 2, 0, 0), &[wrong]), at(6_000));
    assert_eq!(free(&mut meter, at(14_999)), 90);
}

#[test]
fn a_lost_isolate_wastes_what_it_holds() {
    let mut meter = Meter::new(rate(100, 60), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 10, 0), at(0));
    assert_eq!(free(&mut meter, at(69_999)), 90);
    assert_eq!(free(&mut meter, at(70_500)), 100);
    for limits in [quota(100, "day"), credits(100)] {
        let mut meter = Meter::new(limits, ASKS_PER_S, START);
        meter.take(&ask(1, 1, 10, 0), at(0));
        assert_eq!(free(&mut meter, at(HOUR - 1)), 90);
    }
}

#[test]
fn a_late_report_brings_back_what_a_pot_still_counts() {
    let late = telling(ask(1, 2, 0, 0), &[report(1, 4)]);
    let after = |limits: Limits, ms: u64| {
        let mut meter = Meter::new(limits, ASKS_PER_S, START);
        meter.take(&ask(1, 1, 10, 0), at(0));
        meter.take(&late, at(ms));
        free(&mut meter, at(ms))
    };
    for minutes in [1, 9] {
        assert_eq!(after(quota(100, "day"), minutes * 60_000), 96);
        assert_eq!(after(credits(100), minutes * 60_000), 96);
    }
    assert_eq!(after(quota(100, "day"), 11 * 60_000), 90);
    assert_eq!(after(credits(100), 11 * 60_000), 90);
}

#[test]
fn a_late_report_brings_back_what_a_rate_window_still_counts() {
    let late = telling(ask(1, 2, 0, 0), &[report(1, 4)]);
    let mut meter = Meter::new(rate(100, 60), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 10, 0), at(0));
    assert_eq!(free(&mut meter, at(30_000)), 90);
    meter.take(&late, at(30_000));
    assert_eq!(free(&mut meter, at(30_000)), 96);
    // A repetition brings nothing more, and what was spent counts from the end of the lease.
    meter.take(&late, at(30_001));
    assert_eq!(free(&mut meter, at(69_999)), 96);
    assert_eq!(free(&mut meter, at(71_000)), 100);
    // A limit that came after the lease was over has not counted it, but another in its part.
    let mut meter = Meter::new(rate(100, 60), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 10, 0), at(0));
    meter.set_limits(rate(100, 1_280), at(10_000));
    meter.take(&ask(2, 1, 5, 0), at(10_001));
    meter.take(&telling(ask(2, 2, 0, 0), &[report(1, 5)]), at(10_002));
    meter.take(&late, at(10_003));
    assert_eq!(free(&mut meter, at(10_003)), 95);
}

#[test]
fn a_period_starts_anew_at_its_boundary() {
    for period in ["day", "month"] {
        let mut meter = Meter::new(quota(10, period), ASKS_PER_S, START);
        meter.take(&ask(1, 1, 10, 0), at(0));
        assert_eq!(
            retry(&meter.take(&ask(1, 2, 1, 0), at(20_000))),
            Some(HOUR - 20_000)
        );
        assert_eq!(free(&mut meter, at(HOUR - 1)), 0);
        assert_eq!(free(&mut meter, at(HOUR)), 10);
        // What belonged to the old period does not come back in the new one.
        meter.take(&ask(1, 3, 5, 0), at(HOUR));
        meter.take(&telling(ask(1, 4, 0, 0), &[report(1, 0)]), at(HOUR));
        assert_eq!(free(&mut meter, at(HOUR)), 5);
    }
    let mut meter = Meter::new(quota(10, "month"), ASKS_PER_S, at(HOUR));
    meter.take(&ask(1, 1, 10, 0), at(HOUR));
    assert_eq!(free(&mut meter, at(28 * 24 * HOUR)), 0);
    assert_eq!(free(&mut meter, at(28 * 24 * HOUR + HOUR)), 10);
}

#[test]
fn a_lease_across_a_boundary_counts_on_both_sides() {
    let mut meter = Meter::new(quota(10, "day"), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 6, 0), at(HOUR - 500));
    assert_eq!(free(&mut meter, at(HOUR - 1)), 4);
    assert_eq!(free(&mut meter, at(HOUR)), 4);
    meter.take(&telling(ask(1, 2, 0, 0), &[report(1, 2)]), at(HOUR + 100));
    assert_eq!(free(&mut meter, at(HOUR + 100)), 8);
}

#[test]
fn a_meter_that_slept_across_a_boundary_still_counts_the_lease_across_it() {
    let mut meter = Meter::new(quota(10, "day"), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 6, 0), at(HOUR - 500));
    assert_eq!(free(&mut meter, at(2 * HOUR)), 4);
}

#[test]
fn a_clock_moved_back_admits_nothing_more() {
    let mut meter = Meter::new(quota(10, "day"), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 10, 0), at(HOUR));
    assert_eq!(free(&mut meter, at(HOUR - 1)), 0);
    assert_eq!(granted(&meter.take(&ask(1, 2, 1, 0), at(0))), 0);
    let mut meter = Meter::new(rate(10, 60), ASKS_PER_S, at(HOUR));
    meter.take(&ask(1, 1, 10, 0), at(HOUR));
    let answer = meter.take(&telling(ask(1, 2, 1, 0), &[report(1, 10)]), at(0));
    assert_eq!(granted(&answer), 0);
    assert_eq!(free(&mut meter, at(HOUR + 59_999)), 0);
}

#[test]
fn an_isolate_is_forgotten_an_hour_after_its_last_lease() {
    let mut meter = Meter::new(rate(10, 60), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 1, 0), at(0));
    meter.standing(at(HOUR - 1));
    assert_eq!(meter.isolates.len(), 1);
    meter.changed();
    meter.standing(at(HOUR));
    assert!(meter.isolates.is_empty());
    let gone = ("isolate/1".to_owned(), None);
    assert!(meter.changed().contains(&gone));
}
