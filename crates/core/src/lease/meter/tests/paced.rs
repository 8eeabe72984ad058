//! Paced leases: when they are granted, what they count for, and that no limit is ever passed.

mod spans;

use proptest::prelude::*;

use super::super::reserve::Within;
use super::*;
use crate::lease::message::Each;

/// One that grants paced leases to whoever asks.
fn pressed(limits: Limits) -> Meter {
    Meter::new(limits, 0, START)
}

fn wanting(isolate: u64, number: u64, need: u64, want: u64) -> Ask {
    Ask {
        lasts_ms: LEASE_MS,
        ..ask(isolate, number, need, want)
    }
}

fn each(answer: &Answer) -> Option<Each> {
    match answer.outcome {
        Outcome::Granted { each, .. } => each,
        _ => None,
    }
}

fn units(answer: &Answer) -> u64 {
    each(answer).map_or(0, |each| each.units)
}

#[test]
fn few_isolates_get_no_paced_leases_nor_does_one_that_knows_none() {
    let mut few = Meter::new(rate(10_000, 1), ASKS_PER_S, START);
    let mut many = Meter::new(rate(10_000, 1), ASKS_PER_S, START);
    for isolate in 0..400 {
        many.take(&wanting(isolate, 1, 1, 4), at(isolate));
    }
    assert_eq!(each(&few.take(&wanting(1, 1, 1, 10), at(400))), None);
    assert_eq!(each(&many.take(&ask(1, 2, 1, 10), at(400))), None);
    let answer = many.take(&wanting(2, 2, 1, 10), at(400));
    // The mean of 1 in a window, its root twice, 3 more, and what is needed beyond what it has.
    let expected = Each {
        units: 7,
        window_ms: 1_000,
        short: None,
    };
    assert_eq!(each(&answer), Some(expected));
    assert_eq!(granted(&answer), 77);
}

#[test]
fn who_uses_more_than_the_others_has_what_they_leave() {
    let mut meter = Meter::new(rate(1_000, 1), ASKS_PER_S, START);
    for isolate in 0..400 {
        meter.take(&wanting(isolate, 1, 1, 0), at(isolate));
    }
    // Its fair share is 2 in each second. Each call beyond its pace is granted something all the same.
    for number in 2..12 {
        let answer = meter.take(&wanting(399, number, 1, 10), at(3_000 + number * 100));
        assert!(granted(&answer) >= 1, "{number}: {answer:?}");
    }
}

#[test]
fn a_paced_lease_counts_with_its_pace_until_its_last_window_is_over() {
    let mut meter = pressed(rate(100, 1));
    let first = meter.take(&wanting(1, 1, 1, 40), at(0));
    assert_eq!((units(&first), granted(&first)), (12, 132));
    assert_eq!(free(&mut meter, at(0)), 76);
    let told = |spent, closed| Report {
        age_ms: 400,
        held_ms: 4_000,
        closed,
        ..report(1, spent)
    };
    meter.take(&telling(ask(1, 2, 0, 0), &[told(30, false)]), at(4_000));
    assert_eq!(free(&mut meter, at(4_000)), 76);
    let mut closed = meter.clone();
    closed.take(&telling(ask(1, 3, 0, 0), &[told(31, true)]), at(4_000));
    assert_eq!(free(&mut closed, at(4_590)), 76);
    assert_eq!(free(&mut closed, at(4_620)), 100);
    // Never told of again, it counts for a window more than it lives.
    assert_eq!(free(&mut meter, at(10_990)), 76);
    assert_eq!(free(&mut meter, at(11_010)), 100);
    let late = telling(ask(1, 3, 0, 0), &[report(1, 3)]);
    let mut settled = pressed(rate(100, 1));
    settled.take(&wanting(1, 1, 1, 40), at(0));
    settled.take(&late, at(10_500));
    assert_eq!(free(&mut settled, at(10_500)), 97);
}

#[test]
fn a_lease_that_is_renewed_counts_once_and_a_call_beyond_its_pace_for_one_more() {
    let mut meter = pressed(rate(100, 1));
    for number in 1..=5 {
        let answer = meter.take(&wanting(1, number, 0, 40), at(number * 1_000));
        assert_eq!(units(&answer), 11);
        assert_eq!(free(&mut meter, at(number * 1_000)), 78);
    }
    let more = meter.take(&wanting(1, 6, 2, 0), at(6_000));
    assert_eq!(units(&more), 13);
    assert_eq!(free(&mut meter, at(6_000)), 74);
    // A repetition gets the same, and one that is lost counts as no more.
    assert_eq!(
        meter.take(&wanting(1, 6, 2, 0), at(6_100)).outcome,
        more.outcome
    );
    assert_eq!(free(&mut meter, at(6_100)), 74);
}

#[test]
fn where_a_limit_has_less_than_a_unit_for_each_as_many_get_one_as_fit() {
    let mut meter = Meter::new(rate(300, 1), ASKS_PER_S, START);
    for isolate in 0..2_000 {
        meter.take(&wanting(isolate, 1, 1, 4), at(isolate / 4));
    }
    let later = at(1_400);
    let mut of_one = 0;
    for isolate in 0..2_000 {
        // What they had before was not spent: each asks for one call.
        let told = [report(1, 0)];
        let answer = meter.take(&telling(wanting(isolate, 2, 1, 4), &told), later);
        of_one += u64::from(units(&answer) == 1);
    }
    assert_eq!(free(&mut meter, later), 0);
    assert!(of_one > 150, "{of_one}");
    let last = meter.take(&wanting(1_999, 3, 1, 4), later);
    assert!(retry(&last).unwrap() >= 3_000);
}

#[test]
fn a_new_limit_counts_what_paced_leases_may_spend_in_its_window() {
    for (window_s, within) in [(1, 24), (5, 120), (7, 168), (30, 132), (3_600, 132)] {
        let mut meter = pressed(rate(100, 1));
        meter.take(&wanting(1, 1, 1, 40), at(0));
        meter.set_limits(rate(200, window_s), at(100));
        assert_eq!(free(&mut meter, at(100)), 200 - within, "{window_s}");
    }
    let mut meter = pressed(rate(100, 10));
    assert_eq!(units(&meter.take(&wanting(1, 1, 1, 40), at(0))), 50);
    meter.set_limits(rate(200, 1), at(100));
    assert_eq!(free(&mut meter, at(100)), 100);
    // Two paces of different windows are not one.
    assert_eq!(each(&meter.take(&wanting(1, 2, 1, 40), at(200))), None);
    assert!(each(&meter.take(&wanting(2, 1, 1, 40), at(200))).is_some());
}

#[test]
fn other_limits_bound_what_there_is_of_a_paced_lease_in_all() {
    let all = r#"{"rate":[{"name":"r","limit":1000,"window_s":1},{"name":"m","limit":30000,"window_s":60}],
        "credits":{"balance":400}}"#;
    let mut meter = pressed(limits(all));
    let answer = meter.take(&wanting(1, 1, 1, 40), at(0));
    assert_eq!((units(&answer), granted(&answer)), (12, 41));
    let free: Vec<u64> = meter.standing(at(0)).iter().map(|one| one.free).collect();
    assert_eq!(free, [976, 29_959, 359]);
}

#[test]
fn where_little_is_left_who_has_a_pace_does_not_ask_for_more() {
    let mut meter = pressed(rate(52, 1));
    for isolate in 1..=3 {
        let first = each(&meter.take(&wanting(isolate, 1, 1, 40), at(0))).unwrap();
        assert_eq!((first.units, first.short), (12, None));
    }
    let last = each(&meter.take(&wanting(4, 1, 1, 20), at(1))).unwrap();
    assert_eq!((last.units, last.short), (4, Some(0)));
    assert!(retry(&meter.take(&wanting(4, 2, 1, 20), at(2))).is_some());
}

#[test]
fn what_was_spent_of_a_lease_counts_on_when_the_one_that_replaced_it_is_closed_unspent() {
    let mut meter = pressed(rate(100, 1));
    meter.take(&wanting(1, 1, 1, 40), at(0));
    assert_eq!(units(&meter.take(&wanting(1, 2, 1, 40), at(1_000))), 13);
    meter.take(&telling(ask(1, 3, 0, 0), &[report(1, 12)]), at(1_500));
    // What is told of is written, and a meter that starts again knows it.
    let parts = meter.changed().into_iter();
    let parts = parts.filter_map(|(name, json)| Some((name, json?)));
    let mut meter = Meter::restore(parts, 0).unwrap();
    meter.take(&telling(ask(1, 4, 0, 0), &[report(2, 0)]), at(1_600));
    assert_eq!(free(&mut meter, at(2_490)), 74);
    assert_eq!(free(&mut meter, at(2_620)), 100);
}

#[test]
fn as_much_as_the_greatest_pace_and_one_part_in_64_of_all_is_kept_free() {
    let within = |paced, greatest| Within {
        plain: 100,
        paced,
        greatest,
    };
    for (paced, greatest, units) in [
        (0, 0, 100),
        (1, 1, 102),
        (640, 9, 750),
        (641, 9, 752),
        (640, 12, 752),
    ] {
        assert_eq!(within(paced, greatest).units(), units, "{paced} {greatest}");
    }
}

proptest! {
    #[test]
    fn what_there_is_for_a_pace_fits_and_one_or_two_more_would_not(
        plain in 0..50_u64,
        paces in prop::collection::vec(1..40_u64, 1..20),
        limit in 0..1_500_u64,
    ) {
        let own = paces[0];
        let within = Within {
            plain,
            paced: paces.iter().sum(),
            greatest: paces.iter().copied().max().unwrap_or(0),
        };
        let most = within.most(own, limit);
        let fits = |most: u64| within.with_pace(own, most).units() <= limit;
        prop_assert!(most == 0 || fits(most));
        prop_assert!(!fits(most + 2));
    }
}
