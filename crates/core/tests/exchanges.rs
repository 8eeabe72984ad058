//! When isolates ask meters and KV, and what becomes of calls whose clients leave, of answers that
//! come late, and of none.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses its part")]
mod desk;
#[allow(dead_code, reason = "each test uses its part")]
mod metered;

use keyward_core::account::Question;
use keyward_core::answer::Asker;
use keyward_core::gateway::{Answered, Ask, Outcome, Reply, Waited, Work};
use keyward_core::kind::Kind;
use keyward_core::limits::{Limits, OnMeterError};
use keyward_core::record::{OwnerLimits, Record, RevocationMode, Status};
use keyward_core::records::{Loaded, Stored};
use keyward_core::refusal::Refusal;
use metered::{World, bounded, keyed, limits, secret, world};

const STRICT: RevocationMode = RevocationMode::Strict;
const RATE: &str = r#"{"rate":[{"name":"burst","limit":10,"window_s":60}]}"#;

/// A key of which the isolate has the record, and no lease.
fn known(world: &mut World, record: &Record) -> String {
    let key = secret(7);
    world.hold(&key, record);
    assert_eq!(world.call(0, "/scoped/x", &key).code, "scope_missing");
    world.errands.clear();
    key
}

/// A call that asks its meters, and no more.
fn asks(world: &mut World, key: &str) -> Ask {
    let head = World::head("/one/x", key);
    let now = world.now;
    match world.isolates[0].resume(&head, now, Waited::default()) {
        Outcome::Ask(ask) => ask,
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn no_number_of_calls_at_once_lets_one_past_a_limit_of_which_the_meter_answers() {
    let allowed = Limits {
        on_meter_error: OnMeterError::Allow,
        ..limits(RATE)
    };
    let owned = Record {
        owner: Some("dana".into()),
        owner_limits: Some(OwnerLimits {
            version: 1,
            on_meter_error: OnMeterError::Allow,
        }),
        ..keyed(RevocationMode::Eventual, Limits::default())
    };
    for record in [keyed(STRICT, allowed), owned] {
        let mut world = world(1);
        let now = world.now;
        let owner = world.object("o/acme/dana");
        owner.meter.set_limits(limits(RATE), now);
        let key = known(&mut world, &record);
        // Their clients leave, and nobody hears the answers.
        while !asks(&mut world, &key).questions.is_empty() {}
        let head = World::head("/one/x", &key);
        let mut waiting = vec![0; 100];
        let mut codes = Vec::new();
        while !waiting.is_empty() {
            let now = world.now;
            waiting.retain_mut(|patience| {
                let waited = Waited {
                    unlocked: false,
                    patience: *patience,
                    ..Waited::default()
                };
                match world.isolates[0].resume(&head, now, waited) {
                    Outcome::Ask(ask) => {
                        *patience = ask.patience;
                        return true;
                    }
                    Outcome::Respond(response) => codes.push(response.status),
                    outcome => panic!("{outcome:?}"),
                }
                false
            });
            world.now = now.plus(25);
        }
        assert_eq!(codes, [503; 100]);
    }
}

/// A world whose isolate keeps few records, and keys without meters that push others out.
fn crowded() -> (World, Vec<String>) {
    let routes = metered::ROUTES.replacen(
        r#"{"route""#,
        r#"{"gateway":{"memory_records":20},"route""#,
        1,
    );
    let mut world = bounded(1, &routes);
    let others = (100..130).map(|start| {
        let record = Record {
            key_id: format!("key_{start}"),
            ..desk::record(Kind::Private, false)
        };
        world.kv.insert(secret(start), record);
        secret(start)
    });
    let others = others.collect();
    (world, others)
}

#[test]
fn a_lease_that_came_while_the_record_was_let_go_says_what_the_meter_was_told() {
    let (mut world, others) = crowded();
    let key = secret(7);
    let record = keyed(STRICT, Limits::default());
    world.hold(&key, &record);
    assert_eq!(world.call(0, "/one/x", &key).code, "ok");
    world.tell(&revoked(&record));
    // KV is late.
    let told = world.now;
    let mut last = told;
    for _ in 0..140 {
        world.pass(500);
        if world.call(0, "/one/x", &key).code == "ok" {
            last = world.now;
        }
        for other in &others {
            assert_eq!(world.call(0, "/one/x", other).code, "ok");
        }
    }
    assert!(last.since(told) <= 10_000, "{}", last.since(told));
    assert_eq!(world.call(0, "/one/x", &key).code, "key_revoked");
}

fn revoked(record: &Record) -> Record {
    Record {
        version: record.version + 1,
        status: Status::Revoked,
        ..record.clone()
    }
}

#[test]
fn what_the_meter_was_not_told_of_is_read_from_kv_within_a_minute() {
    for mode in [STRICT, RevocationMode::Eventual] {
        let mut world = world(1);
        let key = secret(7);
        let record = keyed(mode, Limits::default());
        world.hold(&key, &record);
        let passes = |world: &mut World| {
            let code = world.call(0, "/one/x", &key).code;
            world.pass(1_000);
            code == "ok"
        };
        assert!((0..300).all(|_| passes(&mut world)));
        assert!(world.reads <= 6, "{}", world.reads);
        world.kv.insert(key.clone(), revoked(&record));
        let seconds = (0..600).take_while(|_| passes(&mut world)).count();
        assert!(seconds <= 61, "{mode:?}: {seconds} s");
    }
}

#[test]
fn a_failure_says_nothing_against_a_later_answer_and_one_in_the_background_refuses_no_call() {
    let mut world = world(1);
    let key = known(
        &mut world,
        &keyed(
            STRICT,
            limits(r#"{"rate":[{"name":"burst","limit":1000,"window_s":60}]}"#),
        ),
    );
    let first = asks(&mut world, &key);
    world.now = world.now.plus(600);
    assert_eq!(world.call(0, "/three/x", &key).code, "ok");
    world.now = world.now.plus(400);
    let question = &first.questions[0];
    let waited = Waited {
        unlocked: false,
        patience: first.patience,
        replies: &[silent(question)],
        ..Waited::default()
    };
    let head = World::head("/one/x", &key);
    let now = world.now;
    let outcome = world.isolates[0].resume(&head, now, waited);
    assert!(!matches!(outcome, Outcome::Respond(_)), "{outcome:?}");
    assert_eq!(world.codes(0, "/three/x", &key, 9), ["ok"; 9]);
    // One in the background.
    let now = world.now;
    let asked = world.isolates[0].exchange(question.account, 7_000, now);
    let asked = asked.unwrap();
    world.isolates[0].exchanged(silent(&asked), 7_000, now);
    world.pass(12_000);
    assert_eq!(world.codes(0, "/three/x", &key, 9), ["ok"; 9]);
}

#[test]
fn whenever_the_calls_end_all_is_told_and_given_back() {
    for gap in [300, 900, 2_500, 4_000] {
        for stop in (1..60).map(|seconds| seconds * 1_000) {
            let mut world = world(1);
            let key = secret(7);
            let credits = r#"{"credits":{"balance":100000}}"#;
            world.hold(&key, &keyed(STRICT, limits(credits)));
            let end = world.now.plus(stop);
            let mut calls = 0;
            while world.now < end {
                assert_eq!(world.call(0, "/one/x", &key).code, "ok");
                calls += 1;
                world.pass(gap);
            }
            world.pass(60_000);
            let now = world.now;
            let object = world.object("k/acme/key_1");
            let free = object.meter.standing(now)[0].free;
            let told = (object.counts.calls, free);
            assert_eq!(told, (calls, 100_000 - calls), "{gap} ms, {stop} ms");
        }
    }
}

#[test]
fn a_report_is_made_also_while_many_calls_wait() {
    let mut world = world(1);
    let key = known(&mut world, &keyed(STRICT, Limits::default()));
    assert_eq!(world.call(0, "/one/x", &key).code, "ok");
    world.pass(5_000);
    let head = World::head("/one/x", &key);
    world.now = world.now.plus(11_000);
    while !asks(&mut world, &key).questions.is_empty() {}
    let account = world.isolates[0].fixed(&head).unwrap().account;
    let now = world.now;
    assert!(world.isolates[0].exchange(account, 7_000, now).is_some());
}

#[test]
fn the_answer_of_a_slow_origin_is_told_without_another_call() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, Limits::default()));
    assert_eq!(world.call(0, "/one/x", &key).code, "ok");
    let head = World::head("/one/x", &key);
    let fixed = world.isolates[0].fixed(&head).unwrap();
    world.pass(60_000);
    let answered = Answered {
        route: fixed.route,
        kind: fixed.kind,
        account: fixed.account,
        asker: Asker {
            base: "https://gate.example",
            page: None,
            own: None,
        },
        secret: "",
        status: 200,
        headers: "cache-control\nno-store",
    };
    let now = world.now;
    let edits = world.isolates[0].answer(&answered, now).unwrap();
    assert!(edits.remove.is_empty() && edits.set.is_empty());
    // Another one is told of with it.
    let refused =
        world.isolates[0].refuse_of(None, Refusal::OriginTimeout, fixed.kind, fixed.account, now);
    assert_eq!(refused.work, Work::default());
    let key = [edits.errand, None];
    world.note(
        0,
        &Work {
            key,
            ..Work::default()
        },
    );
    world.pass(60_000);
    let now = world.now;
    let refused =
        world.isolates[0].refuse_of(None, Refusal::OriginTimeout, fixed.kind, fixed.account, now);
    world.note(0, &refused.work);
    world.pass(60_000);
    let answered = &world.object("k/acme/key_1").counts.answered;
    assert_eq!((answered["2xx"], answered["none"]), (2, 2));
}

#[test]
fn a_call_that_neither_kv_nor_its_meter_answers_is_refused_within_three_seconds() {
    let mut world = world(1);
    let key = secret(7);
    world.hold(&key, &keyed(STRICT, Limits::default()));
    assert_eq!(world.call(0, "/one/x", &key).code, "ok");
    world.pass(60_000);
    let head = World::head("/one/x", &key);
    let begun = world.now;
    let mut waited = Waited::default();
    let mut replies;
    let status = loop {
        let now = world.now;
        match world.isolates[0].resume(&head, now, waited) {
            Outcome::Load(load) => {
                world.now = now.plus(2_000);
                waited = Waited {
                    unlocked: false,
                    patience: waited.patience,
                    loaded: Some(Loaded {
                        attempt: load.attempt,
                        stored: Stored::Failed,
                    }),
                    ..Waited::default()
                };
            }
            Outcome::Ask(ask) => {
                world.now = now.plus(1_000);
                replies = ask.questions.iter().map(silent).collect::<Vec<_>>();
                waited = Waited {
                    unlocked: false,
                    patience: ask.patience,
                    replies: &replies,
                    ..Waited::default()
                };
            }
            Outcome::Respond(response) => break response.status,
            outcome => panic!("{outcome:?}"),
        }
    };
    assert_eq!((status, world.now.since(begun)), (503, 3_000));
}

fn silent(question: &Question) -> Reply<'static> {
    Reply {
        account: question.account,
        number: question.number,
        text: "",
    }
}

#[test]
fn request_ids_are_unique_and_do_not_show_what_names_the_isolate_to_meters() {
    let mut world = world(2);
    let mut id = |isolate: usize| {
        let refused = world.isolates[isolate].refuse(None, Refusal::KeyMissing);
        let problem: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
        problem["request_id"].as_str().unwrap().to_owned()
    };
    let ids = [id(0), id(0), id(1)];
    assert_eq!(ids[0][..16], ids[1][..16]);
    assert_ne!(ids[0], ids[1]);
    assert_ne!(ids[0][..16], ids[2][..16]);
    // The seeds are 1 and 2.
    assert!(ids.iter().all(|id| !id.starts_with("000")), "{ids:?}");
}

#[test]
fn calls_that_wait_share_what_a_few_of_them_ask() {
    for (limit, most) in [(10, 12), (10_000, 20)] {
        let mut world = world(1);
        let key = secret(7);
        let rate = format!(r#"{{"rate":[{{"name":"r","limit":{limit},"window_s":60}}]}}"#);
        world.hold(&key, &keyed(STRICT, limits(&rate)));
        let came = world.at_once(0, "/one/x", &key, 400);
        let passed = came.iter().filter(|code| *code == "ok").count();
        assert_eq!(passed, limit.min(400));
        let asked = world.object("k/acme/key_1").asked;
        assert!(asked <= most, "{limit}: {asked}");
    }
}
