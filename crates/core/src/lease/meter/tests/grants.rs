//! What is granted, and what is refused.

use super::*;

#[test]
fn without_limits_nothing_is_counted() {
    let mut meter = Meter::new(
        limits(r#"{"rate":[{"name":"r","limit":1,"window_s":1,"per":"ip"}]}"#),
        ASKS_PER_S,
        START,
    );
    let answer = meter.take(&ask(1, 1, 5, 0), START);
    assert_eq!(answer.outcome, Outcome::Unlimited);
    assert_eq!(answer.limits, []);
}

#[test]
fn a_repetition_gets_the_same_lease_and_nothing_more() {
    let mut meter = Meter::new(quota(1_000, "day"), ASKS_PER_S, START);
    let first = meter.take(&ask(1, 1, 1, 50), at(0));
    assert_eq!(granted(&first), 51);
    let again = meter.take(&ask(1, 1, 1, 50), at(700));
    assert_eq!(first.outcome, again.outcome);
    assert_eq!(free(&mut meter, at(700)), 949);
}

#[test]
fn an_ask_that_was_refused_grants_nothing_when_it_is_repeated() {
    let mut meter = Meter::new(credits(1), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 2, 0), at(0));
    meter.add_credits(5, at(1));
    let again = meter.take(&ask(1, 1, 2, 0), at(2));
    assert!(retry(&again).is_some());
    assert_eq!(free(&mut meter, at(2)), 6);
}

#[test]
fn an_ask_that_was_given_up_grants_nothing_when_it_comes() {
    let mut meter = Meter::new(quota(10, "day"), ASKS_PER_S, START);
    meter.take(&telling(ask(1, 2, 1, 0), &[report(1, 0)]), at(0));
    assert_eq!(granted(&meter.take(&ask(1, 1, 1, 0), at(1))), 0);
    assert_eq!(free(&mut meter, at(1)), 9);
}

#[test]
fn an_ask_that_another_overtook_is_granted() {
    let mut meter = Meter::new(quota(10, "day"), ASKS_PER_S, START);
    assert_eq!(granted(&meter.take(&ask(1, 2, 1, 0), at(0))), 1);
    assert_eq!(granted(&meter.take(&ask(1, 1, 1, 0), at(1))), 1);
    assert_eq!(granted(&meter.take(&ask(1, 1, 1, 0), at(2))), 1);
    assert_eq!(free(&mut meter, at(2)), 8);
}

#[test]
fn of_a_small_limit_each_call_asks_for_its_own() {
    let mut meter = Meter::new(rate(4, 60), ASKS_PER_S, START);
    assert_eq!(granted(&meter.take(&ask(1, 1, 1, 100), START)), 1);
}

#[test]
fn an_isolate_holds_its_share_however_often_it_asks() {
    let mut meter = Meter::new(quota(401, "day"), ASKS_PER_S, START);
    assert_eq!(granted(&meter.take(&ask(1, 1, 1, 900), at(0))), 101);
    assert_eq!(granted(&meter.take(&ask(1, 2, 0, 900), at(1))), 0);
    // What its calls need, it gets, and what it has spent, it may have again.
    assert_eq!(granted(&meter.take(&ask(1, 3, 7, 900), at(2))), 7);
    let spent = telling(ask(1, 4, 0, 900), &[report(1, 101)]);
    assert_eq!(granted(&meter.take(&spent, at(3))), (293 + 7) / 4 - 7);
}

#[test]
fn a_large_limit_is_shared_among_those_who_ask() {
    let mut meter = Meter::new(quota(4_000, "day"), ASKS_PER_S, START);
    assert_eq!(granted(&meter.take(&ask(1, 1, 0, 9_000), at(0))), 1_000);
    assert_eq!(granted(&meter.take(&ask(2, 1, 0, 9_000), at(0))), 375);
    assert_eq!(granted(&meter.take(&ask(2, 2, 0, 7), at(0))), 0);
    // The others are silent by now.
    let alone = meter.take(&ask(3, 1, 0, 9_000), at(LEASE_MS));
    assert_eq!(granted(&alone), (4_000 - 1_375) / 4);
}

#[test]
fn a_heartbeat_is_granted_nothing() {
    let mut meter = Meter::new(quota(1, "day"), ASKS_PER_S, START);
    let nothing = Outcome::Granted {
        amount: 0,
        hold_ms: 0,
        each: None,
    };
    assert_eq!(meter.take(&ask(1, 1, 0, 0), START).outcome, nothing);
    meter.take(&ask(1, 2, 1, 0), START);
    assert!(retry(&meter.take(&ask(1, 3, 0, 0), START)).is_some());
}

#[test]
fn a_lease_counts_against_every_limit_or_none() {
    let both = limits(
        r#"{"rate":[{"name":"r","limit":5,"window_s":60}],"quota":[{"name":"q","limit":3,"period":"day"}]}"#,
    );
    let mut meter = Meter::new(both, ASKS_PER_S, START);
    let answer = meter.take(&ask(1, 1, 4, 0), START);
    let retry_ms = None;
    assert_eq!(answer.outcome, Outcome::Exhausted { limit: 1, retry_ms });
    let answer = meter.take(&ask(1, 2, 3, 0), START);
    let free: Vec<_> = answer.limits.iter().map(|limit| limit.free).collect();
    assert_eq!((granted(&answer), free), (3, vec![2, 0]));
    let names: Vec<_> = answer.limits.iter().map(|limit| limit.sort).collect();
    assert_eq!(names, [Sort::Rate(60), Sort::Quota]);
}

#[test]
fn a_refusal_says_when_it_is_worth_asking_again() {
    let mut meter = Meter::new(rate(2, 60), ASKS_PER_S, START);
    assert_eq!(retry(&meter.take(&ask(1, 1, 3, 0), at(0))), None);
    meter.take(&ask(1, 2, 2, 0), at(0));
    // What is held may come back when its lease is over.
    assert_eq!(retry(&meter.take(&ask(1, 3, 1, 0), at(0))), Some(LEASE_MS));
    let told = meter.take(&telling(ask(1, 4, 1, 0), &[report(2, 2)]), at(10));
    let after = retry(&told).unwrap();
    assert!((60_000..61_000).contains(&after), "{after}");

    let mut meter = Meter::new(credits(1), ASKS_PER_S, START);
    let closed = telling(ask(1, 2, 1, 0), &[report(1, 1)]);
    meter.take(&ask(1, 1, 1, 0), at(0));
    assert_eq!(retry(&meter.take(&closed, at(1))), None);
}

#[test]
fn leases_last_as_long_as_the_shortest_limit_allows() {
    let hold = |limits: Limits, now: Millis| match Meter::new(limits, ASKS_PER_S, START)
        .take(&ask(1, 1, 1, 0), now)
        .outcome
    {
        Outcome::Granted { hold_ms, .. } => hold_ms,
        other => panic!("{other:?}"),
    };
    assert_eq!(hold(credits(9), START), LEASE_MS);
    assert_eq!(hold(rate(3, 3), START), 3_000);
    assert_eq!(hold(rate(3, 1), START), 1_000);
    // It may outlast the window where most of the limit is free beside it.
    assert_eq!(hold(rate(4, 1), START), LEASE_MS);
    assert_eq!(hold(quota(9, "month"), START), LEASE_MS);
    assert_eq!(hold(quota(9, "month"), at(HOUR - 4_000)), 4_000);
    assert_eq!(hold(quota(9, "month"), at(HOUR - 400)), 1_000);
}

/// A meter that so many isolates have asked within some seconds.
fn asked_by(isolates: u64, limits: Limits) -> Meter {
    let mut meter = Meter::new(limits, ASKS_PER_S, START);
    for isolate in 0..isolates {
        meter.take(&ask(isolate, 1, 1, 0), at(isolate));
    }
    meter
}

#[test]
fn where_many_isolates_ask_those_who_are_refused_come_back_one_after_another() {
    let mut meter = asked_by(600, rate(1, 1));
    assert_eq!(retry(&meter.take(&ask(1, 2, 1, 0), at(700))), Some(2_000));
    let mut meter = asked_by(9_000, rate(1, 60));
    let mut retries: Vec<u64> = (0..100)
        .map(|isolate| retry(&meter.take(&ask(isolate, 2, 1, 0), at(9_000))).unwrap())
        .collect();
    retries.sort_unstable();
    assert!(retries[0] < 20_000 && retries[99] > 40_000, "{retries:?}");
    assert!(retries.iter().all(|retry| (15_000..45_000).contains(retry)));
}

#[test]
fn where_many_isolates_ask_leases_last_longer() {
    let mut meter = asked_by(9_000, quota(1_000_000, "day"));
    for isolate in 0..100 {
        let answer = meter.take(&ask(isolate, 2, 1, 50), at(9_000));
        let outcome = Outcome::Granted {
            amount: 51,
            hold_ms: 40_000,
            each: None,
        };
        assert_eq!(answer.outcome, outcome);
        assert!((30_000..50_000).contains(&answer.lease_ms));
    }
    // When they ask no more, they are as they were.
    let answer = meter.take(&ask(1, 3, 1, 0), at(60_000));
    assert_eq!(answer.lease_ms, LEASE_MS);
}

#[test]
fn where_many_isolates_ask_for_little_most_are_refused_before_it_is_gone() {
    let served = |limits: Limits, need: u64, want: u64| {
        let mut meter = asked_by(9_000, limits);
        let mut take = |isolate| meter.take(&ask(isolate, 2, need, want), at(20_000));
        (0..1_000)
            .filter(|isolate| granted(&take(*isolate)) > 0)
            .count()
    };
    // Less than one for each isolate.
    assert_eq!(served(rate(5_000, 1), 1, 0), 150);
    assert_eq!(served(rate(100_000, 1), 1, 0), 1_000);
    // Little is left of it, and it is not worth holding that.
    assert_eq!(served(rate(11_000, 60), 1, 10), 150);
    assert_eq!(served(rate(11_000, 60), 0, 10), 150);
    assert_eq!(served(quota(1_000_000, "day"), 1, 10), 1_000);
}

#[test]
fn a_refusal_stands_until_it_is_worth_the_asks_of_all() {
    let mut meter = Meter::new(rate(320, 100), ASKS_PER_S, START);
    for second in 0..32 {
        let told = [report(second, 10)];
        meter.take(
            &telling(ask(1, second + 1, 10, 0), &told),
            at(second * 1_000),
        );
    }
    let told = telling(ask(1, 34, 1, 0), &[report(32, 10)]);
    let after = retry(&meter.take(&told, at(32_000))).unwrap();
    // All of the first second's, not only one unit.
    assert!((69_000..72_000).contains(&after), "{after}");
}
