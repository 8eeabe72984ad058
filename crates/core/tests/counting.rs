//! Calls of keys with meters: what limits let through, and what is refused.
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

use keyward_core::limits::{Limits, OnMeterError};
use keyward_core::record::{OwnerLimits, Record, Status};
use metered::{EVENTUAL, RATE, STRICT, Weather, keyed, limits, secret, world};

const OWNED: &str = r#"{"rate":[{"name":"shared","limit":4,"window_s":60}]}"#;

fn owned(world: &mut metered::World, limits_of_owner: &str) {
    let now = world.now;
    let object = world.object("o/acme/dana");
    object.meter.set_limits(limits(limits_of_owner), now);
}

/// What a record says of limits that an owner's keys share.
const fn shared(on_meter_error: OnMeterError) -> OwnerLimits {
    OwnerLimits {
        version: 7,
        on_meter_error,
    }
}

#[test]
fn isolates_together_let_through_what_a_limit_says() {
    let mut world = world(3);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, limits(RATE)));
    let mut passed = 0;
    for call in 0..60 {
        passed += world.passed(call % 3, "/one/x", &key, 1);
        world.pass(17);
    }
    assert_eq!(passed, 10);
    let refused = world.call(0, "/one/x", &key);
    assert_eq!(refused.code, "rate_limited");
    assert_eq!(refused.limit.as_deref(), Some("burst"));
    assert_eq!(refused.headers["ratelimit-policy"], r#""burst";q=10;w=60"#);
    let wait: u64 = refused.headers["retry-after"].parse().unwrap();
    assert!((50..=61).contains(&wait), "{wait}");
    world.pass(61_000);
    assert_eq!(world.call(1, "/one/x", &key).code, "ok");
}

#[test]
fn two_secrets_of_a_key_share_its_limits_and_its_lease() {
    let mut world = world(1);
    let (old, new) = (secret(7), secret(8));
    let record = keyed(STRICT, limits(RATE));
    world.hold(&old, &record);
    world.hold(
        &new,
        &Record {
            secret_id: "sec_2".into(),
            ..record
        },
    );
    let passed = world.passed(0, "/one/x", &old, 5);
    assert_eq!(passed + world.passed(0, "/one/x", &new, 20), 10);
    let asked = world.object("k/acme/key_1").asked;
    assert!(asked <= 12, "{asked}");
}

#[test]
fn a_call_that_one_limit_refuses_spends_nothing_of_another() {
    let mut world = world(1);
    let (one, other) = (secret(7), secret(8));
    let record = Record {
        owner: Some("dana".into()),
        owner_limits: Some(shared(OnMeterError::Deny)),
        ..keyed(
            EVENTUAL,
            limits(r#"{"quota":[{"name":"month","limit":10,"period":"month"}]}"#),
        )
    };
    owned(&mut world, OWNED);
    world.hold(&one, &record);
    world.hold(
        &other,
        &Record {
            key_id: "key_2".into(),
            ..record
        },
    );
    assert_eq!(world.passed(0, "/one/x", &one, 20), 4);
    let refused = world.call(0, "/one/x", &other);
    assert_eq!(named(&refused), ("rate_limited", Some("owner:shared")));
    assert!(refused.headers["ratelimit"].contains(r#""owner:shared";r=0"#));
    // What the keys held and did not spend is theirs again.
    let now = world.now;
    world.pass(40_000);
    for key in ["k/acme/key_1", "k/acme/key_2"] {
        let spent = if key.ends_with('1') { 4 } else { 0 };
        let free = world.object(key).meter.standing(now.plus(40_000))[0].free;
        assert_eq!(free, 10 - spent, "{key}");
    }
    let missing = world.call(0, "/gone/x", &one);
    assert_eq!(missing.code, "rate_limited");
    world.pass(61_000);
    assert_eq!(
        world.codes(0, "/gone/x", &one, 9),
        ["credential_unavailable"; 9]
    );
    assert_eq!(world.passed(0, "/one/x", &one, 9), 4);
}

#[test]
fn a_route_sets_what_a_call_costs() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, limits(r#"{"credits":{"balance":7}}"#)));
    assert_eq!(world.passed(0, "/three/x", &key, 2), 2);
    let refused = world.call(0, "/three/x", &key);
    assert_eq!(named(&refused), ("credits_exhausted", Some("credits")));
    assert_eq!(refused.headers.get("retry-after"), None);
    assert_eq!(refused.headers["ratelimit"], r#""credits";r=1"#);
    // What costs nothing needs something to be left.
    assert_eq!(world.passed(0, "/free/x", &key, 20), 20);
    assert_eq!(world.passed(0, "/one/x", &key, 3), 1);
    assert_eq!(world.call(0, "/free/x", &key).code, "credits_exhausted");
}

#[test]
fn a_quota_refuses_until_its_period_ends() {
    let mut world = world(1);
    let key = secret(7);
    let quota = r#"{"quota":[{"name":"month","limit":3,"period":"month"}]}"#;
    world.hold(&key, &keyed(EVENTUAL, limits(quota)));
    assert_eq!(world.passed(0, "/one/x", &key, 5), 3);
    let refused = world.call(0, "/one/x", &key);
    assert_eq!(named(&refused), ("quota_exceeded", Some("month")));
    assert!(refused.headers["ratelimit-policy"].starts_with(r#""month";q=3"#));
    let wait: u64 = refused.headers["retry-after"].parse().unwrap();
    assert!(wait > 3_600);
}

#[test]
fn every_answer_of_a_limited_key_says_how_its_limits_stand() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, limits(RATE)));
    for left in (0..10).rev() {
        let called = world.call(0, "/one/x", &key);
        assert_eq!(called.code, "ok");
        assert_eq!(called.headers["ratelimit-policy"], r#""burst";q=10;w=60"#);
        let left = format!(r#""burst";r={left}"#);
        assert!(called.headers["ratelimit"].starts_with(&left), "{called:?}");
    }
    let refused = world.call(0, "/scoped/x", &key);
    assert_eq!(refused.code, "scope_missing");
    assert!(refused.headers.contains_key("ratelimit"));
    let page = format!(
        "GET\nhttps://gate.example/one/x\nx-api-key\n{key}\norigin\nhttps://page.example\n"
    );
    let refused = world.call_with(0, &page, &key);
    let exposed = &refused.headers["access-control-expose-headers"];
    assert!(exposed.contains("ratelimit, ratelimit-policy"));
}

#[test]
fn what_its_limits_are_is_said_before_their_meter_was_heard() {
    const POLICY: &str = r#""burst";q=10;w=60, "month";q=70, "credits";q=7"#;
    let all = r#"{
        "rate": [
            {"name": "burst", "limit": 10, "window_s": 60},
            {"name": "a", "limit": 9, "window_s": 60, "per": "ip"}
        ],
        "quota": [{"name": "month", "limit": 70, "period": "month"}],
        "credits": {"balance": 7}
    }"#;
    for (rule, code) in [
        (OnMeterError::Deny, "meter_unavailable"),
        (OnMeterError::Allow, "ok"),
    ] {
        let mut world = world(1);
        world.weather = Weather::Down;
        let key = secret(7);
        let limits = Limits {
            on_meter_error: rule,
            ..limits(all)
        };
        world.hold(&key, &keyed(EVENTUAL, limits));
        for (path, code) in [("/scoped/x", "scope_missing"), ("/one/x", code)] {
            let called = world.call(0, path, &key);
            assert_eq!(called.code, code);
            assert_eq!(called.headers["ratelimit-policy"], POLICY);
            assert_eq!(called.headers.get("ratelimit"), None);
        }
        world.weather = Weather::Fair;
        world.pass(30_000);
        assert_eq!(world.call(0, "/one/x", &key).code, "ok");
        let called = world.call(0, "/scoped/x", &key);
        assert_eq!(called.headers["ratelimit-policy"], POLICY);
        assert!(called.headers["ratelimit"].contains(r#""credits";r=6"#));
    }
    // What a stranger may not know of a key is not said of its limits.
    let mut world = world(1);
    let key = secret(7);
    let hidden = Record {
        status: Status::Deleted,
        ..keyed(STRICT, limits(RATE))
    };
    world.hold(&key, &hidden);
    let refused = world.call(0, "/one/x", &key);
    assert_eq!(refused.code, "key_invalid");
    assert_eq!(refused.headers.get("ratelimit-policy"), None);
}

#[test]
fn what_happens_without_a_meter_is_what_the_key_says() {
    let allowed = |json: &str| Limits {
        on_meter_error: OnMeterError::Allow,
        ..limits(json)
    };
    let owner = |rule| Record {
        owner: Some("dana".into()),
        owner_limits: Some(shared(rule)),
        ..keyed(EVENTUAL, Limits::default())
    };
    for weather in [Weather::Down, Weather::Deaf] {
        for (record, code) in [
            (keyed(STRICT, limits(RATE)), "meter_unavailable"),
            (keyed(EVENTUAL, limits(RATE)), "meter_unavailable"),
            (keyed(STRICT, allowed(RATE)), "ok"),
            (keyed(EVENTUAL, allowed(RATE)), "ok"),
            (keyed(STRICT, Limits::default()), "meter_unavailable"),
            (keyed(EVENTUAL, Limits::default()), "ok"),
            (owner(OnMeterError::Deny), "meter_unavailable"),
            (owner(OnMeterError::Allow), "ok"),
        ] {
            let mut world = world(1);
            let key = secret(7);
            world.hold(&key, &record);
            owned(&mut world, OWNED);
            world.weather = weather;
            let called = world.call(0, "/one/x", &key);
            assert_eq!(called.code, code, "{record:?} {weather:?}");
            if code == "meter_unavailable" {
                assert_eq!(called.headers["retry-after"], "1");
            }
            // The next calls do not wait for it.
            let waits = world.waits;
            world.codes(0, "/one/x", &key, 30);
            assert_eq!(world.waits, waits);
            world.weather = Weather::Fair;
            world.pass(3_000);
            assert_eq!(world.call(0, "/one/x", &key).code, "ok", "{record:?}");
        }
    }
}

#[test]
fn a_clock_that_moves_back_lets_nothing_more_through() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, limits(RATE)));
    let mut passed = world.passed(0, "/one/x", &key, 3);
    for back in [50_000, 1_000, 3_600_000, 10] {
        world.now.0 -= back;
        passed += world.passed(0, "/one/x", &key, 9);
    }
    assert!(passed <= 10, "{passed}");
}

#[test]
fn a_key_of_a_version_without_meters_asks_none() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(
        &key,
        &desk::record(keyward_core::kind::Kind::Private, false),
    );
    assert_eq!(world.passed(0, "/one/x", &key, 3), 3);
    world.pass(60_000);
    assert_eq!((world.waits, world.object("k/acme/key_1").asked), (0, 0));
}

#[test]
fn a_limit_by_address_is_counted_by_the_isolate() {
    let mut world = world(1);
    let key = secret(7);
    let by_address = r#"{"rate":[{"name":"ip-60s","limit":2,"window_s":60,"per":"ip"},{"name":"hour","limit":3,"window_s":3600,"per":"ip"}]}"#;
    world.hold(&key, &keyed(EVENTUAL, limits(by_address)));
    assert_eq!(
        world.codes(0, "/gone/x", &key, 5),
        ["credential_unavailable"; 5]
    );
    assert_eq!(world.passed(0, "/three/x", &key, 5), 2);
    let refused = world.call(0, "/one/x", &key);
    assert_eq!(named(&refused), ("rate_limited", Some("ip-60s")));
    assert_eq!(refused.headers["ratelimit-policy"], r#""ip-60s";q=2;w=60"#);
    let address =
        format!("GET\nhttps://gate.example/one/x\nx-api-key\n{key}\ncf-connecting-ip\n192.0.2.1\n");
    assert_eq!(world.call_with(0, &address, &key).code, "ok");
    world.pass(64_001);
    assert_eq!(world.passed(0, "/one/x", &key, 5), 1);
    assert_eq!(world.call(0, "/one/x", &key).limit.as_deref(), Some("hour"));
    assert_eq!(world.waits, 0);
}

fn named(called: &metered::calls::Called) -> (&str, Option<&str>) {
    (&called.code, called.limit.as_deref())
}

#[test]
fn many_calls_at_once_ask_no_more_at_a_time_than_a_meter_can_tell_apart() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(
        &key,
        &keyed(
            STRICT,
            limits(r#"{"rate":[{"name":"r","limit":300,"window_s":60}]}"#),
        ),
    );
    let came = world.at_once(0, "/one/x", &key, 400);
    let passed = came.iter().filter(|code| *code == "ok").count();
    assert_eq!((passed, came.len()), (300, 400));
    assert!(
        came.iter()
            .all(|code| code == "ok" || code == "rate_limited")
    );
}

#[test]
fn an_answer_that_is_none_is_a_meter_that_does_not_answer() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, limits(RATE)));
    let other = Record {
        key_id: "key_9".into(),
        ..keyed(STRICT, Limits::default())
    };
    for garble in [
        |_: String| "null".to_owned(),
        |_| String::new(),
        |_| "\"done\"".to_owned(),
        |text: String| text.replace("\"number\":", "\"number\":7"),
        |text: String| text.replace("exchanged", "told"),
    ] {
        world.garble = Some(garble);
        world.pass(1_001);
        assert_eq!(world.call(0, "/one/x", &key).code, "meter_unavailable");
    }
    world.garble = None;
    // A record of another key is none of this one.
    let foreign = Record {
        version: 9,
        ..other
    };
    world
        .object("k/acme/key_1")
        .records
        .insert("sec_1".into(), foreign);
    world.pass(1_001);
    assert_eq!(world.call(0, "/one/x", &key).code, "meter_unavailable");
}
