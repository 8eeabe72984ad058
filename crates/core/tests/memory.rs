//! What a gateway holds in memory: it is bounded, and once its tables are full it does not grow,
//! whoever calls. Counted by the allocator, so that it is exact; on this machine's pointers, which take
//! twice what they take at the edge.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[allow(dead_code, reason = "each test uses its part")]
mod desk;

use keyward_core::gateway::{Gateway, Outcome, Reply, Waited};
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::record::{OwnerLimits, Record, RevocationMode};
use keyward_core::records::{Loaded, Stored};
use keyward_core::route::Routes;
use keyward_core::time::Millis;
use serde_json::json;

use self::desk::{NOW, keyring, record, sealed};

thread_local! {
    /// The bytes that the gateway holds, while it is at work.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

fn count(bytes: usize, sign: isize) {
    if AT_WORK.with(Cell::get) {
        HELD.with(|held| held.set(held.get() + sign * isize::try_from(bytes).unwrap_or(0)));
    }
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promises are those that this call needs.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The gateway works; what it hands out must be dropped before this ends.
fn at_work<T: Copy>(work: impl FnOnce() -> T) -> T {
    AT_WORK.with(|on| on.set(true));
    let result = work();
    AT_WORK.with(|on| on.set(false));
    result
}

fn held() -> usize {
    usize::try_from(HELD.with(Cell::get)).unwrap()
}

/// What came of a call so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Passed,
    Refused(u16),
    Load,
    /// Patience, and the accounts that ask with the numbers of their asks.
    Ask(u32, [Option<(u64, u64)>; 2]),
}

fn step(outcome: &Outcome<'_>) -> Step {
    match outcome {
        Outcome::Forward { .. } => Step::Passed,
        Outcome::Respond(response) => Step::Refused(response.status),
        Outcome::Load(_) => Step::Load,
        Outcome::Ask(ask) => {
            let of = |index| ask.questions.get(index);
            let asked = [0, 1].map(|index| of(index).map(|one| (one.account, one.number)));
            Step::Ask(ask.patience, asked)
        }
        outcome => panic!("{outcome:?}"),
    }
}

struct World {
    gateway: Gateway,
    keyring: Keyring,
    now: Millis,
    address: u32,
}

impl World {
    fn new(records: usize) -> Self {
        let routes = json!({"gateway": {"memory_records": records}, "route": [{"path": "/**", "origin": "https://origin.example"}]});
        let routes = Routes::compile(&serde_json::from_value(routes).unwrap(), &|_| None).unwrap();
        HELD.with(|held| held.set(0));
        Self {
            keyring: keyring(),
            gateway: Gateway::new(routes, keyring(), &|_| None, 1),
            now: NOW,
            address: 0,
        }
    }

    /// A call from an address that nobody has used; KV has this record, and meters grant.
    fn call(
        &mut self,
        secret: &str,
        record: Option<&Record>,
        standing: &serde_json::Value,
    ) -> Step {
        self.address += 1;
        let [a, b, c, d] = self.address.to_be_bytes();
        let head = format!(
            "GET\nhttps://gate.example/x\nx-api-key\n{secret}\ncf-connecting-ip\n{a}.{b}.{c}.{d}\ncf-ipcountry\nN{}\n",
            char::from(b'A' + (self.address % 20) as u8)
        );
        let (gateway, now) = (&mut self.gateway, self.now);
        let mut came = at_work(|| step(&gateway.handle(&head, now, None)));
        if came == Step::Load {
            let value = record.map(|record| sealed(self.keyring.current(), record, secret));
            let stored = value.as_deref().map_or(Stored::Missing, Stored::Found);
            let loaded = Some(Loaded { attempt: 0, stored });
            came = at_work(|| step(&gateway.handle(&head, now, loaded)));
        }
        if let Step::Ask(patience, asked) = came {
            let told: Vec<_> = asked
                .iter()
                .flatten()
                .map(|(account, number)| {
                    let outcome = json!({"Granted": {"amount": 9, "hold_ms": 10_000}});
                    let answer = json!({"number": number, "outcome": outcome, "lease_ms": 10_000, "limits": standing});
                    let text = json!({"exchanged": {"answer": answer, "news": null, "usage": null}});
                    (*account, *number, text.to_string())
                })
                .collect();
            let replies: Vec<_> = told
                .iter()
                .map(|(account, number, text)| Reply {
                    account: *account,
                    number: *number,
                    text,
                })
                .collect();
            let waited = Waited {
                unlocked: false,
                patience,
                replies: &replies,
                ..Waited::default()
            };
            came = at_work(|| step(&gateway.resume(&head, now, waited)));
        }
        came
    }
}

fn secret(keyring: &Keyring, kind: Kind, number: u32) -> String {
    let mut seed = number.wrapping_mul(2_654_435_761);
    let mut fill = |bytes: &mut [u8]| {
        for byte in bytes {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (seed >> 24) as u8;
        }
    };
    let minted = keyring.mint("kw", kind, "live", &mut fill);
    minted.expose().to_owned()
}

fn key(kind: Kind, number: u32) -> Record {
    Record {
        key_id: format!("key_{number:020}"),
        secret_id: format!("sec_{number:012}"),
        owner: Some(format!("owner-{number}")),
        revocation: Some(RevocationMode::Eventual),
        derivation: None,
        ..record(kind, false)
    }
}

#[test]
fn once_all_tables_are_full_nothing_grows() {
    const SPAN: u32 = 3_500;
    let mut world = World::new(300);
    let mut after = Vec::new();
    for span in 0..5 {
        for number in span * SPAN..(span + 1) * SPAN {
            let by_address =
                json!({"rate": [{"name": "ip", "limit": 5, "window_s": 60, "per": "ip"}]});
            let record = Record {
                limits: serde_json::from_value(by_address).unwrap(),
                ..key(Kind::Public, number)
            };
            let known = secret(&world.keyring, Kind::Public, number);
            assert_eq!(world.call(&known, Some(&record), &json!([])), Step::Passed);
            let end = if known.ends_with('A') { 'B' } else { 'A' };
            let forged: String = known.chars().take(known.len() - 1).chain([end]).collect();
            let unknown = secret(&world.keyring, Kind::Private, number);
            for none in [forged, unknown] {
                assert_eq!(world.call(&none, None, &json!([])), Step::Refused(401));
            }
            world.now.0 += 20;
        }
        after.push(held());
    }
    // The tables of 10,000 addresses are full after three spans; a hash table may still double then.
    let grown = after[4] as f64 / after[3] as f64;
    assert!(grown < 1.005, "{grown}: {after:?}");
}

#[test]
fn the_largest_keys_take_no_more_than_is_said_of_them() {
    const RECORDS: u32 = 400;
    let name = |letter: char, index: usize| format!("{letter}{index}").repeat(16);
    let rates: Vec<_> = (0..8)
        .map(|index| json!({"name": name('r', index), "limit": 1000, "window_s": 60}))
        .collect();
    let quotas: Vec<_> = (0..4)
        .map(|index| json!({"name": name('q', index), "limit": 1000, "period": "day"}))
        .collect();
    let limits = json!({"rate": rates, "quota": quotas, "credits": {"balance": 1000}});
    let standing: Vec<_> = (0..13).map(|index| json!({"name": name('l', index), "sort": "quota", "limit": 1000, "free": 500, "reset_ms": 5000})).collect();
    let mut world = World::new(RECORDS as usize);
    // So many minutes that no meter confirms what was counted.
    for _ in 0..15 {
        for number in 0..RECORDS {
            let record = Record {
                limits: serde_json::from_value(limits.clone()).unwrap(),
                owner_limits: Some(OwnerLimits {
                    version: 1,
                    on_meter_error: Default::default(),
                }),
                ..key(Kind::Private, number)
            };
            let known = secret(&world.keyring, Kind::Private, number);
            assert_eq!(
                world.call(&known, Some(&record), &json!(standing)),
                Step::Passed
            );
        }
        world.now.0 += 60_000;
    }
    let each = held() / RECORDS as usize;
    assert!((4_000..14_000).contains(&each), "{each} bytes for each key");
}
