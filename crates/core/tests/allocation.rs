//! What runs on every request takes no memory from the allocator.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::num::NonZeroU32;

#[allow(dead_code, reason = "each test uses its part")]
mod desk;
#[allow(dead_code, reason = "each test uses its part")]
mod metered;

use keyward_core::decide::{Access, decide};
use keyward_core::gateway;
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::lease::holder::{Holder, Spent};
use keyward_core::lease::message::{Answer, Each, Outcome};
use keyward_core::record::{Record, RevocationMode};
use keyward_core::request::Facts;
use keyward_core::restrict::path::CheckedPath;
use keyward_core::secret::{Digest, Shape};
use keyward_core::spec::validate;
use keyward_core::throttle::{Network, Quantity, Room, Throttle};
use keyward_core::time::Millis;
use serde_json::json;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        // SAFETY: the caller's promises are those that this call needs.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` asked for memory.
fn taken_by<T>(work: impl FnOnce() -> T) -> usize {
    let before = TAKEN.with(Cell::get);
    black_box(work());
    TAKEN.with(Cell::get) - before
}

#[test]
fn a_warm_request_allocates_nothing() {
    assert!(taken_by(|| String::from("counted")) > 0);

    let entries = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8,-k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";
    let keyring = Keyring::parse(entries).unwrap();
    let mut next = 0_u8;
    let minted = keyring.mint("kw", Kind::Public, "live", &mut |buffer: &mut [u8]| {
        buffer.iter_mut().for_each(|byte| {
            *byte = next;
            next = next.wrapping_add(7);
        });
    });
    let forged = minted.expose().replace("_1", "_1z");
    let forged = &forged[..minted.expose().len()];
    assert_eq!(taken_by(|| Digest::of(minted.expose())), 0);
    for (secret, genuine) in [(minted.expose(), true), (forged, false)] {
        assert_eq!(taken_by(|| Shape::parse(secret)), 0);
        let shape = Shape::parse(secret).unwrap();
        assert_eq!(keyring.verifies_tag(&shape), genuine);
        assert_eq!(taken_by(|| keyring.verifies_tag(&shape)), 0);
    }

    let mut throttle = Throttle::new(
        Quantity {
            calls: NonZeroU32::MAX,
            window_s: 60,
        },
        7,
    );
    let network = Network::from("192.0.2.7".parse().ok());
    let mut call = |at| {
        throttle
            .room("acme", "key_a", network, Millis(at))
            .map(Room::spend)
            .is_ok()
    };
    assert!(call(0));
    assert_eq!(taken_by(|| call(1)), 0);
    assert_eq!(taken_by(|| call(100_000)), 0);

    let key = validate(&json!({
        "kind": "public",
        "referrers": ["example.org", "https://*.example.com:8443/app/*"],
        "ips": ["2001:db8::/32", "192.0.2.0/24"],
        "paths": ["POST /v1/**", "GET /v1/*/models"],
        "scopes": ["files:read", "chat:*"],
        "expires_at": "2027-01-01T00:00:00Z",
    }))
    .unwrap();
    let record = key.record("acme", "key_a", "sec_a", 1);
    let access = Access {
        projects: Some(vec!["acme".to_owned()]),
        environments: Some(vec!["live".to_owned()]),
        scopes: vec!["chat:write".parse().unwrap()],
        ..Access::everything()
    };
    let path = CheckedPath::parse("/v1/a/models").unwrap();
    let allowed = Facts {
        method: "GET",
        path: &path,
        is_exchange: false,
        origin: Some("https://www.example.com:8443"),
        referer: Some("https://www.example.com:8443/app/page"),
        sec_fetch_site: Some("cross-site"),
        websocket: false,
        ip: "192.0.2.7".parse().ok(),
        android_package: None,
        android_cert: None,
        ios_bundle: None,
    };
    let refused = Facts {
        origin: Some("https://evil.example"),
        referer: None,
        ..allowed
    };
    for (facts, allows) in [(allowed, true), (refused, false)] {
        assert_eq!(decide(&record, &access, &facts, Millis(0)).is_ok(), allows);
        assert_eq!(taken_by(|| decide(&record, &access, &facts, Millis(0))), 0);
    }
}

#[test]
fn spending_of_a_lease_allocates_nothing() {
    let mut holder = Holder::new(1);
    for number in 1..=5 {
        holder.ask(1, Millis(number));
        let answer = Answer {
            number,
            outcome: Outcome::Granted {
                amount: 3,
                hold_ms: 5000,
                each: None,
            },
            lease_ms: 5000,
            limits: Vec::new(),
        };
        holder.answered(&answer, 0, Millis(number));
    }
    let spend = |holder: &mut Holder, cost, now| holder.spend(cost, Millis(now));
    for (cost, now, spent) in [
        (1, 10, Spent::Done),
        (7, 10, Spent::Done),
        (8, 10, Spent::Ask),
        (1, 9000, Spent::Ask),
    ] {
        let taken = taken_by(|| assert_eq!(spend(&mut holder, cost, now), spent));
        assert_eq!(taken, 0, "{cost} at {now}");
    }
}

#[test]
fn spending_of_a_paced_lease_allocates_nothing() {
    let mut holder = Holder::new(1);
    let number = holder.ask(1, Millis(1)).number;
    let each = Each {
        units: 40,
        window_ms: 1_000,
        short: Some(0),
    };
    let answer = Answer {
        number,
        outcome: Outcome::Granted {
            amount: 100,
            hold_ms: 9_000,
            each: Some(each),
        },
        lease_ms: 9_000,
        limits: Vec::new(),
    };
    holder.answered(&answer, 0, Millis(1));
    let taken = taken_by(|| {
        for now in 10..60 {
            let spent = holder.spend(1, Millis(now));
            assert_eq!(spent == Spent::Done, now < 50, "{now}");
        }
        for now in 1_060..1_080 {
            assert_eq!(holder.spend(1, Millis(now)), Spent::Done);
        }
    });
    assert_eq!(taken, 0);
}

/// How often the second and later calls of a key ask for memory.
fn warm_calls(record: &Record) -> usize {
    let mut world = metered::world(1);
    let key = metered::secret(7);
    world.hold(&key, record);
    for _ in 0..30 {
        assert_eq!(world.call(0, "/one/x", &key).code, "ok");
    }
    let head = format!("GET\nhttps://gate.example/one/x\nx-api-key\n{key}\ncf-ipcountry\nNZ\n");
    let now = world.now;
    taken_by(|| {
        for _ in 0..10 {
            let outcome = world.isolates[0].handle(&head, now, None);
            assert!(matches!(outcome, gateway::Outcome::Forward { .. }));
        }
    })
}

#[test]
fn a_lease_and_counts_take_no_memory_on_a_warm_call() {
    let plain = warm_calls(&desk::record(Kind::Private, false));
    let limits = r#"{"rate":[{"name":"r","limit":100000,"window_s":60},{"name":"a","limit":1000,"window_s":60,"per":"ip"}],"credits":{"balance":1000000}}"#;
    for mode in [RevocationMode::Strict, RevocationMode::Eventual] {
        for limits in ["{}", limits] {
            let record = metered::keyed(mode, metered::limits(limits));
            assert_eq!(warm_calls(&record), plain, "{record:?}");
        }
    }
}
