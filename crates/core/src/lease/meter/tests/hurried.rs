//! Where far more is asked than a meter bears for long: what lasts is given, and refused for as long.

use super::*;

fn paced(isolate: u64, number: u64, need: u64, want: u64) -> Ask {
    Ask {
        lasts_ms: LEASE_MS,
        ..ask(isolate, number, need, want)
    }
}

/// A meter that so many isolates have asked for a unit, within so many milliseconds.
fn asked_by(isolates: u64, within_ms: u64, limits: Limits) -> Meter {
    let mut meter = Meter::new(limits, ASKS_PER_S, START);
    for isolate in 0..isolates {
        let now = at(isolate * within_ms / isolates);
        meter.take(&paced(isolate, 1, 1, 0), now);
    }
    meter
}

#[test]
fn an_isolate_that_is_new_is_given_more_than_it_wants_only_while_many_ask_far_too_often() {
    let limit = || rate(1_000_000, 60);
    let first = |meter: &mut Meter, now| granted(&meter.take(&paced(9_999, 1, 1, 4), at(now)));
    let mut often = asked_by(700, 900, limit());
    assert_eq!(first(&mut often, 901), 65);
    let mut seldom = asked_by(700, 1_900, limit());
    assert_eq!(first(&mut seldom, 1_901), 5);
    // Few that ask as often.
    let mut few = asked_by(60, 100, limit());
    for number in 2..=14 {
        for isolate in 0..60 {
            few.take(&paced(isolate, number, 1, 0), at(100 + number));
        }
    }
    assert_eq!(first(&mut few, 200), 5);
}

#[test]
fn leases_are_long_while_more_than_750_isolates_ask_far_too_often() {
    let lease_ms = |isolates, within_ms| {
        let mut meter = asked_by(isolates, within_ms, credits(1_000_000));
        let asked = |isolate| meter.take(&ask(isolate, 2, 0, 0), at(within_ms)).lease_ms;
        (0..50).map(asked).max().unwrap()
    };
    assert_eq!(lease_ms(740, 1_000), LEASE_MS);
    assert!(lease_ms(1_500, 2_000) > 15_000);
    assert_eq!(lease_ms(1_500, 2_800), LEASE_MS);
}

#[test]
fn a_tight_limit_that_is_asked_for_all_the_time_is_neither_paced_nor_refused_for_long() {
    // 500 asks a second: more than is borne for long, and no flood.
    let mut meter = asked_by(1_700, 3_400, rate(2_300, 10));
    let refused_ms = (0..50).map(|isolate| {
        let answer = meter.take(&paced(isolate, 2, 1_000, 0), at(3_400));
        assert_eq!(answer.lease_ms, LEASE_MS);
        match answer.outcome {
            Outcome::Exhausted { retry_ms, .. } => retry_ms.unwrap(),
            other => panic!("{other:?}"),
        }
    });
    assert!(refused_ms.max().unwrap() <= LEASE_MS);
    let Outcome::Granted { each: None, .. } = meter.take(&paced(60, 2, 1, 0), at(3_400)).outcome
    else {
        panic!("it is not paced");
    };
}

#[test]
fn a_limit_of_one_is_used_however_many_ask() {
    let mut meter = Meter::new(rate(1, 1), ASKS_PER_S, START);
    let mut used = 0;
    for ms in 0..10_000 {
        // 400 isolates, each of which asks again and again.
        let (isolate, number) = (ms % 400, ms / 400 + 1);
        let answer = meter.take(&paced(isolate, number, 1, 0), at(ms));
        used += granted(&answer);
    }
    // Nobody tells of what it has spent: each lease counts for its second, and for a window more.
    assert_eq!(used, 5);
}

#[test]
fn where_leases_are_long_an_equal_part_of_a_rate_limit_is_one_lease_if_it_is_there() {
    // Of 30 for each of 3,000 isolates, 15 parts in 16.
    let mut meter = asked_by(3_000, 9_000, rate(90_000, 60));
    meter.take(&ask(1, 2, 86_000, 0), at(9_000));
    let free = free(&mut meter, at(9_000));
    assert_eq!(free, 1_000);
    assert_eq!(granted(&meter.take(&ask(2, 2, 1, 90), at(9_000))), 28);
    // Credits that are gone are gone: of them it would be a part of what is left, and that is none.
    let mut meter = asked_by(3_000, 9_000, credits(90_000));
    meter.take(&ask(1, 2, 86_000, 0), at(9_000));
    assert_eq!(granted(&meter.take(&ask(2, 2, 1, 90), at(9_000))), 0);
}

#[test]
fn in_the_background_a_pace_of_one_is_given_where_there_is_less_than_one_for_each() {
    let mut meter = asked_by(2_000, 2_000, rate(300, 1));
    let later = at(20_000);
    let (mut behind, mut refused) = (0, 0);
    for isolate in 0..2_000 {
        // Every other ask is made behind a call that was refused.
        let need = isolate % 2;
        match meter.take(&paced(isolate, 2, need, 4), later).outcome {
            Outcome::Granted { each, .. } if need == 0 => {
                behind += each.map_or(0, |each| each.units);
            }
            Outcome::Granted { .. } => {}
            Outcome::Exhausted { .. } => refused += 1,
            Outcome::Unlimited => panic!("it has a limit"),
        }
    }
    assert!(behind > 5 && refused > 1_000, "{behind} {refused}");
    assert!(free(&mut meter, later) < 5);
}
