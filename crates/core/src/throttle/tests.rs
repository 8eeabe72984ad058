#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;

use super::*;
use crate::record::Record;
use crate::secret::Digest;

const START: u64 = 1_795_262_400_000;

fn throttle(calls: u32, window_s: u32) -> Throttle {
    let calls = NonZeroU32::new(calls).unwrap();
    Throttle::new(Quantity { calls, window_s }, 7)
}

/// Whether a call is let through at so many milliseconds from the start.
fn call(throttle: &mut Throttle, key: &str, network: Network, at: u64) -> Result<(), Over> {
    throttle
        .room("acme", key, network, Millis(START + at))
        .map(Room::spend)
}

#[test]
fn the_limit_is_let_through_and_no_more() {
    let mut throttle = throttle(3, 60);
    let one = Network::V4(1);
    for at in [0, 1, 2] {
        assert_eq!(call(&mut throttle, "a", one, at), Ok(()));
    }
    let over = call(&mut throttle, "a", one, 3).unwrap_err();
    assert_eq!(over.quantity.calls.get(), 3);
    assert!((60..=64).contains(&over.wait_s), "{}", over.wait_s);
    for (key, network) in [
        ("b", one),
        ("a", Network::V4(2)),
        ("a", Network::V6(1)),
        ("a", Network::Unknown),
    ] {
        assert_eq!(call(&mut throttle, key, network, 3), Ok(()));
    }
    let other = throttle.room("globex", "a", one, Millis(START + 3));
    assert!(other.is_ok(), "another project's key of the same id");
}

#[test]
fn there_is_room_after_the_time_that_was_said_and_not_before_the_window_has_passed() {
    let mut throttle = throttle(2, 60);
    let one = Network::V4(1);
    for at in [500, 30_000] {
        call(&mut throttle, "a", one, at).unwrap();
    }
    let over = call(&mut throttle, "a", one, 40_000).unwrap_err();
    assert!(call(&mut throttle, "a", one, 60_499).is_err());
    let free = 40_000 + over.wait_s * 1000;
    assert_eq!(call(&mut throttle, "a", one, free), Ok(()));
    assert!(call(&mut throttle, "a", one, free).is_err());
}

#[test]
fn room_that_is_not_spent_is_still_there() {
    let mut throttle = throttle(1, 60);
    for _ in 0..5 {
        let _unspent = throttle
            .room("acme", "a", Network::V4(1), Millis(START))
            .unwrap();
    }
    assert_eq!(call(&mut throttle, "a", Network::V4(1), 0), Ok(()));
    assert!(call(&mut throttle, "a", Network::V4(1), 0).is_err());
}

#[test]
fn a_flood_of_addresses_takes_no_more_than_the_bound() {
    let mut throttle = throttle(1, 60);
    let mut failures = Failures::new(7);
    for number in 0..3 * MOST as u64 {
        call(&mut throttle, "a", Network::V6(number), 0).unwrap();
        failures.note(Network::V6(number), Millis(START));
    }
    assert_eq!(throttle.counters.0.len(), MOST);
    assert_eq!(failures.counters.0.len(), MOST);
    let last = Network::V6(3 * MOST as u64 - 1);
    assert!(call(&mut throttle, "a", last, 0).is_err());
    assert_eq!(throttle.counters.0.len(), MOST);
}

#[test]
fn a_flood_of_addresses_on_a_keys_own_limits_takes_no_more_than_the_bound() {
    let mut rates = Rates::new(7);
    let json = r#"{"schema":1,"project":"acme","environment":"live","key_id":"k","secret_id":"s","kind":"public","version":1,"status":"active",
        "limits":{"rate":[{"name":"a","limit":1,"window_s":60,"per":"ip"},{"name":"b","limit":9,"window_s":3600,"per":"ip"}]}}"#;
    let record: Record = serde_json::from_str(json).unwrap();
    for number in 0..MOST as u64 {
        let network = Network::V6(number);
        rates.check(&record, network, Millis(START)).unwrap();
        rates.spend(&record, network, Millis(START));
    }
    // Two counters for each address: the last half of them is known, and no other.
    let half = MOST as u64 / 2;
    let mut is_full = |number| {
        rates
            .check(&record, Network::V6(number), Millis(START))
            .is_err()
    };
    assert!(is_full(half) && is_full(2 * half - 1));
    assert!(!is_full(half - 1));
}

#[test]
fn a_flood_of_users_of_derived_keys_takes_no_more_than_the_bound() {
    let mut owns = Owns::new(7);
    let json = r#"{"schema":1,"project":"acme","environment":"live","key_id":"k","secret_id":"s","kind":"private","version":1,"status":"active"}"#;
    let record: Record = serde_json::from_str(json).unwrap();
    let quantity = Quantity {
        calls: NonZeroU32::MIN,
        window_s: 60,
    };
    let mut call = |number: usize| {
        let user = number.to_string();
        let limit = OwnLimit::new(quantity, Some(&user), Digest::of("a key"));
        let room = owns.room(&record, limit, Millis(START));
        room.map(|room| room.spend(Millis(START)).left)
    };
    for number in 0..2 * MOST {
        assert_eq!(call(number), Ok(0));
    }
    assert!(call(MOST).is_err() && call(2 * MOST - 1).is_err());
    assert_eq!(call(MOST - 1), Ok(0), "the oldest are forgotten");
    assert_eq!(owns.counters.0.len(), MOST);
}

#[test]
fn answers_to_failures_are_held_back_longer_and_longer() {
    let mut failures = Failures::new(7);
    let one = Network::V4(1);
    let mut note = |network, at| failures.note(network, Millis(START + at));
    for number in 0..20 {
        assert_eq!(note(one, number), 0);
    }
    for hold in [100, 200, 400, 800, 1600, 2000, 2000] {
        assert_eq!(note(one, 20), hold);
    }
    assert_eq!(note(Network::V4(2), 20), 0);
    for _ in 0..100 {
        assert_eq!(note(one, 21), 2000);
        assert_eq!(note(Network::Unknown, 21), 0);
    }
    assert_eq!(note(one, 70_000), 0);
}

#[test]
fn a_clock_that_moves_back_locks_nobody_out_for_long() {
    let one = Network::V4(1);
    for back in [1, 5_000, 30_000, 3_600_000, START] {
        let mut throttle = throttle(2, 60);
        for at in [0, 1] {
            call(&mut throttle, "a", one, at).unwrap();
        }
        let moved = START - back;
        let mut waited = 0;
        while throttle
            .room("acme", "a", one, Millis(moved + waited))
            .is_err()
        {
            waited += 1000;
        }
        assert!(waited <= 130_000, "{back}: {waited}");
    }
    let _last = throttle(1, 1).room("acme", "a", one, Millis(u64::MAX));
}

/// Not by their low bits, as a /48's /64s differ, nor by their high ones.
#[test]
fn addresses_that_differ_little_spread_over_a_table() {
    for shift in [0, 16, 32, 48] {
        let place = |number: u64| {
            let pair = Pair {
                key: 1,
                network: Network::V6(0x2001_0db8_0000_0000 ^ number << shift),
            };
            Seeded(7).hash_one(pair) % 4096
        };
        let mut places: Vec<_> = (0..4096).map(place).collect();
        places.sort_unstable();
        places.dedup();
        // 63 % of 4096 would be there by chance.
        assert!(places.len() > 2400, "{shift}: {}", places.len());
    }
}

proptest! {
    #[test]
    fn no_window_has_more_than_the_limit(
        limit in 1_u32..20,
        window_s in 1_u32..90,
        pauses in prop::collection::vec(prop_oneof![Just(0_u64), 0_u64..200, 0_u64..9_000], 1..400),
    ) {
        let mut throttle = throttle(limit, window_s);
        let window = u64::from(window_s) * 1000;
        let mut passed: Vec<u64> = Vec::new();
        let mut at = 0;
        for pause in pauses {
            at += pause;
            match call(&mut throttle, "a", Network::V4(1), at) {
                Ok(()) => passed.push(at),
                Err(over) => {
                    prop_assert!(over.wait_s >= 1 && over.wait_s * 1000 <= window + window / 16 + 2000);
                    // Nobody is refused who has been idle for a window and a slice.
                    let recent = passed.iter().filter(|then| at - **then <= window + window / 16 + 17);
                    prop_assert!(recent.count() >= limit as usize);
                }
            }
        }
        for (index, first) in passed.iter().enumerate() {
            let within = passed[index..].iter().take_while(|then| **then - first < window);
            prop_assert!(within.count() <= limit as usize);
        }
    }

    #[test]
    fn no_time_makes_it_panic(times in prop::collection::vec(any::<u64>(), 1..50), window_s in any::<u32>()) {
        let mut throttle = throttle(2, window_s);
        let mut failures = Failures::new(7);
        for time in times {
            let _ = throttle.room("acme", "a", Network::Unknown, Millis(time)).map(Room::spend);
            failures.note(Network::V4(1), Millis(time));
        }
    }
}
