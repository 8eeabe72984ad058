//! Limits that change, balances that are set, and meters that start again.

use super::super::isolate::Lease;
use super::*;
use crate::spec::limits::LARGEST_LIMIT;

#[test]
fn a_limit_that_changes_goes_on_from_what_it_counted() {
    for (before, after) in [
        (rate(10, 60), rate(20, 60)),
        (quota(10, "day"), quota(20, "day")),
    ] {
        let mut meter = Meter::new(before.clone(), ASKS_PER_S, START);
        meter.take(&ask(1, 1, 4, 0), at(0));
        meter.take(&telling(ask(1, 2, 2, 0), &[report(1, 3)]), at(1));
        meter.set_limits(after, at(2));
        assert_eq!(free(&mut meter, at(2)), 15);
        meter.set_limits(before, at(3));
        assert_eq!(free(&mut meter, at(3)), 5);
    }
}

#[test]
fn a_new_limit_counts_what_is_held_but_not_what_was_spent() {
    for new in [rate(10, 30), quota(10, "day"), credits(10)] {
        let mut meter = Meter::new(rate(100, 60), ASKS_PER_S, START);
        meter.take(&ask(1, 1, 50, 0), at(0));
        meter.take(&telling(ask(1, 2, 6, 0), &[report(1, 50)]), at(1));
        meter.set_limits(new, at(2));
        assert_eq!(free(&mut meter, at(2)), 4);
        meter.take(&telling(ask(1, 3, 0, 0), &[report(2, 1)]), at(3));
        assert_eq!(free(&mut meter, at(3)), 9);
    }
}

#[test]
fn a_lease_that_was_over_before_a_limit_came_is_none_of_its() {
    let mut meter = Meter::new(rate(100, 60), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 50, 0), at(0));
    meter.set_limits(quota(10, "day"), at(LEASE_MS));
    meter.take(&ask(2, 1, 10, 0), at(LEASE_MS));
    meter.take(&telling(ask(1, 2, 0, 0), &[report(1, 0)]), at(LEASE_MS));
    assert_eq!(free(&mut meter, at(LEASE_MS)), 0);
}

#[test]
fn a_record_that_is_written_again_leaves_the_balance() {
    let mut meter = Meter::new(credits(10), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 4, 0), at(0));
    meter.set_limits(credits(99), at(1));
    assert_eq!(free(&mut meter, at(1)), 6);
}

#[test]
fn a_balance_that_is_set_includes_what_is_held() {
    let mut meter = Meter::new(credits(100), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 30, 0), at(0));
    meter.set_credits(50, at(1));
    assert_eq!(free(&mut meter, at(1)), 20);
    meter.take(&telling(ask(1, 2, 0, 0), &[report(1, 10)]), at(2));
    assert_eq!(free(&mut meter, at(2)), 40);
    meter.take(&ask(1, 3, 40, 0), at(3));
    meter.set_credits(5, at(4));
    assert_eq!(free(&mut meter, at(4)), 0);
    meter.take(&telling(ask(1, 4, 0, 0), &[report(3, 38)]), at(5));
    assert_eq!(free(&mut meter, at(5)), 0);
}

#[test]
fn what_was_held_before_a_balance_was_set_and_is_over_does_not_come_back() {
    let mut meter = Meter::new(credits(100), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 30, 0), at(0));
    meter.set_credits(50, at(LEASE_MS));
    meter.take(&telling(ask(1, 2, 0, 0), &[report(1, 0)]), at(LEASE_MS));
    assert_eq!(free(&mut meter, at(LEASE_MS)), 50);
}

#[test]
fn credits_that_are_added_count_beside_what_is_left() {
    let mut meter = Meter::new(credits(100), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 30, 0), at(0));
    meter.take(&telling(ask(1, 2, 10, 0), &[report(1, 30)]), at(1));
    meter.add_credits(5, at(2));
    let standing = &meter.standing(at(2))[0];
    assert_eq!((standing.limit, standing.free), (75, 65));
    meter.take(&telling(ask(1, 3, 0, 0), &[report(2, 0)]), at(HOUR / 10));
    assert_eq!(free(&mut meter, at(HOUR / 10)), 75);
    meter.add_credits(u64::MAX, at(HOUR));
    assert_eq!(free(&mut meter, at(HOUR)), LARGEST_LIMIT);
    meter.set_credits(u64::MAX, at(HOUR));
    assert_eq!(free(&mut meter, at(HOUR)), LARGEST_LIMIT);
}

#[test]
fn a_refill_replaces_what_is_left() {
    let refilled = limits(r#"{"credits":{"balance":5,"refill":{"amount":50,"period":"month"}}}"#);
    let mut meter = Meter::new(refilled, ASKS_PER_S, START);
    meter.take(&ask(1, 1, 3, 0), at(0));
    assert_eq!(retry(&meter.take(&ask(1, 2, 20, 0), at(0))), Some(HOUR));
    assert_eq!(retry(&meter.take(&ask(1, 3, 51, 0), at(0))), None);
    let standing = &meter.standing(at(HOUR))[0];
    assert_eq!((standing.limit, standing.free), (50, 50));
}

#[test]
fn a_meter_that_starts_again_goes_on_as_if_it_had_not() {
    let all = limits(
        r#"{"rate":[{"name":"credits","limit":90,"window_s":60}],"quota":[{"name":"q","limit":80,"period":"day"}],"credits":{"balance":70,"refill":{"amount":9,"period":"day"}}}"#,
    );
    let mut meter = Meter::new(all, ASKS_PER_S, START);
    let mut stored = BTreeMap::new();
    for step in 3..200_u64 {
        let now = at(step * 60_000);
        let asked = telling(
            ask(step % 3, step, step % 7, 3),
            &[report(step - 3, step % 5)],
        );
        meter.take(&asked, now);
        match step {
            40 => meter.set_limits(rate(500, 3_600), now),
            60 => meter.set_limits(credits(1_000), now),
            80 => meter.add_credits(77, now),
            _ => {}
        }
        for (name, part) in meter.changed() {
            match part {
                Some(json) => stored.insert(name, json),
                None => stored.remove(&name),
            };
        }
        let mut again = Meter::restore(stored.clone().into_iter(), ASKS_PER_S).unwrap();
        assert_eq!(again.standing(now), meter.standing(now));
        assert_eq!(leases(&again), leases(&meter));
        assert_eq!(
            again.index,
            Index::of(&again.isolates, windows(&again.counters), again.clock)
        );
        let next = ask(step % 2, 1_000, 2, 9);
        let later = now.plus(step * 100);
        let answers = (again.take(&next, later), meter.clone().take(&next, later));
        assert_eq!(answers.0, answers.1);
    }
}

/// The leases that are kept, with their isolates and numbers.
fn leases(meter: &Meter) -> Vec<(u64, u64, Lease)> {
    let each = |(id, isolate): (&u64, &Isolate)| {
        let leases = isolate.leases();
        let leases = leases.map(|(number, lease)| (*id, number, *lease));
        leases.collect::<Vec<_>>()
    };
    meter.isolates.iter().flat_map(each).collect()
}

fn names(meter: &mut Meter) -> Vec<String> {
    meter.changed().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_meter_without_limits_writes_nothing() {
    let mut meter = Meter::new(Limits::default(), ASKS_PER_S, START);
    meter.changed();
    for second in 0..9_000 {
        meter.take(&ask(second % 7, second, 1, 3), at(second * 1_000));
        assert_eq!(names(&mut meter), [""; 0]);
    }
    meter.standing(at(3 * HOUR + HOUR));
    assert!(meter.isolates.is_empty());
    assert_eq!(names(&mut meter), [""; 0]);
}

#[test]
fn what_a_promise_needs_is_written_and_no_more() {
    let mut meter = Meter::new(rate(2, 60), ASKS_PER_S, START);
    assert_eq!(names(&mut meter), ["clock", "limit/r", "limits"]);
    meter.take(&ask(1, 1, 0, 0), at(1));
    assert_eq!(names(&mut meter), [""; 0]);
    meter.take(&ask(1, 2, 2, 0), at(2));
    assert_eq!(names(&mut meter), ["isolate/1"]);
    meter.take(&ask(2, 1, 1, 0), at(3));
    assert_eq!(names(&mut meter), [""; 0]);
    meter.take(&telling(ask(1, 3, 1, 0), &[report(2, 2)]), at(4));
    assert_eq!(names(&mut meter), ["isolate/1", "limit/r"]);
    meter.take(&telling(ask(1, 3, 1, 0), &[report(2, 2)]), at(5));
    assert_eq!(names(&mut meter), [""; 0]);
}

#[test]
fn the_time_of_a_meter_that_starts_again_does_not_go_back() {
    let mut meter = Meter::new(rate(9, 60), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 2, 0), at(HOUR));
    let parts = meter.changed().into_iter();
    let parts = parts.filter_map(|(name, json)| Some((name, json?)));
    let again = Meter::restore(parts, ASKS_PER_S).unwrap();
    assert_eq!(again.clock, at(HOUR));
}

#[test]
fn parts_that_are_missing_or_damaged_are_not_read() {
    let mut meter = Meter::new(rate(5, 60), ASKS_PER_S, START);
    meter.take(&ask(1, 1, 1, 0), START);
    let parts: Vec<_> = meter.changed();
    assert_eq!(meter.changed(), []);
    let parts = parts.into_iter().map(|(name, json)| (name, json.unwrap()));
    let parts: Vec<(String, String)> = parts.collect();
    assert!(Meter::restore(parts.clone().into_iter(), ASKS_PER_S).is_some());
    for index in 0..parts.len() {
        let mut damaged = parts.clone();
        damaged[index].1.push('}');
        assert!(Meter::restore(damaged.into_iter(), ASKS_PER_S).is_none());
        let mut missing = parts.clone();
        let (name, _) = missing.remove(index);
        let needed = !name.starts_with("isolate/");
        assert_eq!(
            Meter::restore(missing.into_iter(), ASKS_PER_S).is_none(),
            needed
        );
    }
}
