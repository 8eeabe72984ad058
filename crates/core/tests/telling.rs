//! What isolates and meters tell each other: leases and the records that they hold for, and what
//! was counted.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod desk;
#[allow(dead_code, reason = "each test uses its part")]
mod metered;

use keyward_core::gateway::{Outcome, Waited};
use keyward_core::limits::{Limits, OnMeterError};
use keyward_core::metering::{MeterCall, MeterCommand, Of};
use keyward_core::record::{OwnerLimits, Record, Status};
use metered::{EVENTUAL, RATE, STRICT, Weather, bounded, keyed, limits, secret, world};

/// What a record says of limits that an owner's keys share.
const SHARED: OwnerLimits = OwnerLimits {
    version: 7,
    on_meter_error: OnMeterError::Deny,
};

#[test]
fn a_strict_key_waits_once_for_its_lease() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, Limits::default()));
    assert_eq!(world.call(0, "/one/x", &key).code, "ok");
    assert_eq!(world.waits, 1);
    for _ in 0..100 {
        assert_eq!(world.call(0, "/one/x", &key).code, "ok");
        world.pass(500);
    }
    // All later leases came in the background, and no KV was read.
    assert_eq!((world.waits, world.reads), (1, 1));
    let asked = world.object("k/acme/key_1").asked;
    assert!((6..=10).contains(&asked), "{asked}");
    world.pass(60_000);
    world.call(0, "/one/x", &key);
    assert_eq!(world.waits, 2);
}

#[test]
fn an_eventual_key_is_served_and_asked_about_in_the_background() {
    let mut world = world(1);
    let key = secret(7);
    let record = keyed(EVENTUAL, Limits::default());
    world.hold(&key, &record);
    assert_eq!(world.call(0, "/one/x", &key).code, "ok");
    assert_eq!(world.waits, 0);
    world.pass(100);
    assert_eq!(world.object("k/acme/key_1").asked, 1);
    // The meter alone is told of the revocation; KV stays as it was.
    world.tell(&Record {
        version: 2,
        status: Status::Revoked,
        ..record
    });
    let mut refused = None;
    for step in 0..100 {
        if world.call(0, "/one/x", &key).code != "ok" {
            refused.get_or_insert(step * 200);
        }
        world.pass(200);
    }
    assert!(refused.unwrap() <= 10_000, "{refused:?}");
    assert_eq!(world.call(0, "/one/x", &key).code, "key_revoked");
    assert_eq!(world.waits, 0);
}

#[test]
fn a_narrower_record_holds_for_the_call_that_waited_for_it() {
    let mut world = world(1);
    let key = secret(7);
    let record = keyed(STRICT, Limits::default());
    world.hold(&key, &record);
    world.tell(&Record {
        version: 2,
        status: Status::Disabled,
        ..record
    });
    assert_eq!(world.call(0, "/one/x", &key).code, "key_disabled");
    assert_eq!(world.waits, 1);
}

#[test]
fn a_secret_that_is_gone_is_none() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, Limits::default()));
    world.call(0, "/one/x", &key);
    world.object("k/acme/key_1").records.clear();
    world.pass(9_000);
    let refused = world.call(0, "/one/x", &key);
    assert_eq!(refused.code, "key_invalid");
    assert_eq!(refused.headers.get("ratelimit"), None);
    // KV has it still, for a while.
    for _ in 0..11 {
        world.pass(10_001);
        assert_eq!(world.call(0, "/one/x", &key).code, "key_invalid");
    }
}

#[test]
fn a_lease_does_not_count_for_a_record_that_is_older_than_what_was_told() {
    let mut world = world(1);
    let (old, new) = (secret(7), secret(8));
    let record = keyed(STRICT, Limits::default());
    let second = Record {
        secret_id: "sec_2".into(),
        ..record.clone()
    };
    world.hold(&old, &record);
    world.hold(&new, &second);
    world.call(0, "/one/x", &old);
    world.call(0, "/one/x", &new);
    assert_eq!(world.waits, 1);
    for record in [&record, &second] {
        world.tell(&Record {
            version: 2,
            status: Status::Disabled,
            ..record.clone()
        });
    }
    // One secret's exchange hears of it.
    world.pass(7_100);
    assert_eq!(world.call(0, "/one/x", &new).code, "key_disabled");
    assert_eq!(world.call(0, "/one/x", &old).code, "key_disabled");
    assert_eq!(world.waits, 2);
}

#[test]
fn an_owners_exchange_says_which_version_of_its_limits_the_record_knows() {
    let mut world = world(1);
    let key = secret(7);
    let record = Record {
        owner: Some("dana".into()),
        owner_limits: Some(SHARED),
        ..keyed(STRICT, limits(RATE))
    };
    world.hold(&key, &record);
    assert_eq!(world.call(0, "/scoped/x", &key).code, "scope_missing");
    let head = format!("GET\nhttps://gate.example/one/x\nx-api-key\n{key}\n");
    let now = world.now;
    let asked = world.isolates[0].resume(&head, now, Waited::default());
    let Outcome::Ask(asked) = asked else {
        panic!("{asked:?}");
    };
    let versions = asked.questions.iter().map(|question| {
        let call: MeterCall = serde_json::from_str(&question.body).unwrap();
        let MeterCommand::Exchange(exchange) = call.command else {
            panic!("{}", question.body);
        };
        (matches!(call.subject.of, Of::Owner(_)), exchange.version)
    });
    assert_eq!(versions.collect::<Vec<_>>(), [(false, 0), (true, 7)]);
}

#[test]
fn what_a_meter_did_not_hear_of_is_told_again_without_another_call() {
    for weather in [Weather::Down, Weather::Deaf] {
        let mut world = world(1);
        let key = secret(7);
        world.hold(&key, &keyed(STRICT, limits(RATE)));
        assert_eq!(world.passed(0, "/one/x", &key, 3), 3);
        world.weather = weather;
        world.pass(8_000);
        world.weather = Weather::Fair;
        world.pass(10_000);
        assert_eq!(world.object("k/acme/key_1").counts.calls, 3);
    }
}

#[test]
fn usage_is_counted_once_whatever_is_lost() {
    let mut world = world(2);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, limits(RATE)));
    world.call(0, "/one/x", &key);
    for call in 0..12 {
        world.weather = [Weather::Fair, Weather::Deaf, Weather::Down][call % 3];
        world.call(call % 2, "/one/x", &key);
        world.call(call % 2, "/scoped/x", &key);
        world.pass(4_000);
    }
    world.weather = Weather::Fair;
    world.call(0, "/scoped/x", &key);
    world.call(1, "/scoped/x", &key);
    world.pass(60_000);
    let counts = world.object("k/acme/key_1").counts.clone();
    let refused: u64 = counts.refused.values().sum();
    assert_eq!(counts.calls + refused, 1 + 24 + 2);
    assert_eq!(counts.refused["scope_missing"], 14);
    assert_eq!(counts.routes["gate.example/one/**"], counts.calls);
    assert_eq!(counts.countries["NZ"], counts.calls);
    assert_eq!(counts.answered["2xx"], counts.calls);
}

#[test]
fn an_isolate_that_nobody_calls_falls_silent_and_keeps_nothing_back() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(
        &key,
        &keyed(STRICT, limits(r#"{"credits":{"balance":1000}}"#)),
    );
    for _ in 0..50 {
        world.call(0, "/one/x", &key);
        world.pass(20);
    }
    world.pass(20_000);
    assert!(world.errands.is_empty());
    let now = world.now;
    let object = world.object("k/acme/key_1");
    assert_eq!(object.meter.standing(now)[0].free, 950);
    assert_eq!(object.counts.calls, 50);
}

#[test]
fn memory_stays_bounded_whoever_calls() {
    let routes = metered::ROUTES.replacen(
        r#"{"route""#,
        r#"{"gateway":{"memory_records":20},"route""#,
        1,
    );
    let mut world = bounded(1, &routes);
    for number in 0..2_000_u64 {
        let key = secret((number % 251) as u8);
        let record = Record {
            key_id: format!("key_{}", number % 251),
            owner: Some(format!("owner {}", number % 199)),
            owner_limits: Some(SHARED),
            ..keyed(STRICT, limits(RATE))
        };
        let owner = format!("o/acme/owner {}", number % 199);
        let now = world.now;
        world.object(&owner).meter.set_limits(
            limits(r#"{"rate":[{"name":"r","limit":100000,"window_s":60}]}"#),
            now,
        );
        world.hold(&key, &record);
        let code = world.call(0, "/one/x", &key).code;
        assert!(code == "ok" || code == "rate_limited", "{code}");
    }
    assert_eq!(world.isolates[0].accounts(), (20, 20));
}
