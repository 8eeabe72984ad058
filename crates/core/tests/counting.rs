//! Calls of keys with meters: what is counted, what waits, and what is refused.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod desk;
mod metered;

use keyward_core::gateway::{Outcome, Waited};
use keyward_core::limits::{Limits, OnMeterError};
use keyward_core::metering::{MeterCall, MeterCommand, Of};
use keyward_core::record::{OwnerLimits, Record, RevocationMode, Status};
use metered::{Weather, bounded, keyed, limits, secret, world};

const STRICT: RevocationMode = RevocationMode::Strict;
const EVENTUAL: RevocationMode = RevocationMode::Eventual;
const RATE: &str = r#"{"rate":[{"name":"burst","limit":10,"window_s":60}]}"#;
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
        owner_limits: Some(shared(OnMeterError::Deny)),
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
            owner_limits: Some(shared(OnMeterError::Deny)),
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

fn named(called: &metered::Called) -> (&str, Option<&str>) {
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
