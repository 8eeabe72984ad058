//! How a record ages, and what never brings it back.

use super::*;
use crate::kind::Kind;
use crate::record::{SCHEMA, Status};

fn record(version: u64) -> Record {
    Record {
        schema: SCHEMA,
        project: "acme".into(),
        environment: "live".into(),
        key_id: "key_1".into(),
        secret_id: "sec_1".into(),
        kind: Kind::Private,
        version,
        status: Status::Active,
        owner: None,
        not_before: None,
        expires_at: None,
        not_after: None,
        imported: false,
        restrictions: Default::default(),
        limits: crate::limits::Limits::default(),
        owner_limits: None,
        revocation: None,
        derivation: None,
    }
}

fn read(version: u64) -> Weighed {
    Weighed::new(record(version), 400)
}

fn memory(bound: usize) -> Memory<()> {
    Memory::new(NonZeroUsize::new(bound).unwrap(), 300_000, 7)
}

fn at(seconds: u64) -> Millis {
    Millis(1_000_000 + seconds * 1000)
}

#[test]
fn a_record_ages_from_fresh_to_dead() {
    let digest = Digest::of("k");
    for (seconds, age) in [
        (0, Age::Fresh),
        (9, Age::Fresh),
        (10, Age::Refresh),
        (29, Age::Refresh),
        (30, Age::Stale),
        (300, Age::Stale),
        (301, Age::Dead),
    ] {
        let mut memory = memory(4);
        memory.store(digest, Some(true), Some(read(1)), at(0));
        assert_eq!(
            memory.look_up(&digest, at(seconds)),
            Some(age),
            "{seconds} s"
        );
    }
}

#[test]
fn one_refresh_at_a_time_and_its_mark_expires() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, Some(true), Some(read(1)), at(0));
    assert_eq!(memory.look_up(&digest, at(10)), Some(Age::Refresh));
    assert_eq!(memory.look_up(&digest, at(11)), Some(Age::Fresh));
    assert_eq!(memory.look_up(&digest, at(12)), Some(Age::Refresh));
    memory.store(digest, Some(true), Some(read(1)), at(13));
    assert_eq!(memory.look_up(&digest, at(22)), Some(Age::Fresh));
}

#[test]
fn the_absence_of_what_was_there_is_remembered_for_ten_seconds() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, Some(true), Some(read(1)), at(0));
    memory.store(digest, Some(true), None, at(0));
    assert_eq!(memory.look_up(&digest, at(9)), Some(Age::Fresh));
    assert_eq!(memory.look_up(&digest, at(10)), Some(Age::Dead));
}

#[test]
fn a_version_never_goes_back_but_a_deletion_holds() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, Some(true), Some(read(5)), at(0));
    memory.store(digest, Some(true), Some(read(4)), at(1));
    assert_eq!(
        memory
            .entry(&digest)
            .unwrap()
            .record
            .as_ref()
            .unwrap()
            .version,
        5
    );
    memory.store(digest, Some(true), Some(read(6)), at(2));
    assert_eq!(
        memory
            .entry(&digest)
            .unwrap()
            .record
            .as_ref()
            .unwrap()
            .version,
        6
    );
    memory.store(digest, Some(true), None, at(3));
    assert_eq!(memory.entry(&digest).unwrap().record, None);
    let version = |memory: &mut Memory<()>| {
        let entry = memory.entry(&digest).unwrap();
        entry.record.as_ref().map(|record| record.version)
    };
    memory.store(digest, Some(true), Some(read(6)), at(20));
    assert_eq!(version(&mut memory), None, "a lagging replica");
    memory.store(digest, Some(true), Some(read(7)), at(21));
    assert_eq!(version(&mut memory), Some(7), "created again");
    memory.store(digest, Some(true), None, at(22));
    memory.store(digest, Some(true), Some(read(7)), at(143));
    assert_eq!(version(&mut memory), Some(7), "KV insists");
}

#[test]
fn a_clock_that_moves_back_reads_again() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, Some(true), Some(read(1)), at(100));
    assert_eq!(memory.look_up(&digest, at(50)), Some(Age::Stale));
}

#[test]
fn what_is_confirmed_on_and_on_is_read_each_minute() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, Some(true), Some(read(1)), at(0));
    let mut reads = Vec::new();
    for seconds in 0..=240 {
        memory.confirm(&digest, 1, at(seconds));
        if seconds == 100 {
            memory.told(digest, Some(read(1)), at(seconds));
        }
        if memory.look_up(&digest, at(seconds)) == Some(Age::Refresh) {
            reads.push(seconds);
            // Every other read fails.
            if reads.len() % 2 == 0 {
                memory.store(digest, Some(true), Some(read(1)), at(seconds));
            }
        }
    }
    assert_eq!(reads, [60, 120, 180, 240]);
}

#[test]
fn the_least_recently_used_goes_first() {
    let mut memory = memory(2);
    let keys = ["a", "b", "c"].map(Digest::of);
    memory.store(keys[0], Some(true), Some(read(1)), at(0));
    memory.store(keys[1], Some(true), Some(read(1)), at(0));
    memory.look_up(&keys[0], at(1));
    memory.store(keys[2], Some(true), Some(read(1)), at(1));
    assert_eq!(memory.len(), 2);
    assert_eq!(
        keys.map(|key| memory.look_up(&key, at(1)).is_some()),
        [true, false, true]
    );
}

#[test]
fn a_flood_of_absent_secrets_pushes_no_record_out() {
    let mut memory = memory(4);
    let keys = ["a", "b", "c", "d"].map(Digest::of);
    for key in keys {
        memory.store(key, Some(true), Some(read(1)), at(0));
    }
    for number in 0..10_000 {
        let unknown = Digest::of(&format!("{number}"));
        assert_eq!(memory.look_up(&unknown, at(1)), None);
        memory.store(unknown, Some(false), None, at(1));
    }
    assert!(memory.is_absent(&Digest::of("9999"), at(2)));
    assert_eq!(memory.len(), 4);
    for key in keys {
        assert_eq!(memory.look_up(&key, at(2)), Some(Age::Fresh));
    }
}

#[test]
fn what_was_absent_and_comes_to_be_is_a_record() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, Some(false), None, at(0));
    memory.store(digest, Some(false), Some(read(1)), at(1));
    assert!(!memory.is_absent(&digest, at(1)));
    assert_eq!(memory.look_up(&digest, at(1)), Some(Age::Fresh));
    assert_eq!(memory.entry(&digest).unwrap().native, Some(false));
}

#[test]
fn a_deleted_keys_record_ages_as_absence_and_its_version_holds() {
    let digest = Digest::of("k");
    let deleted = |version| Record {
        status: Status::Deleted,
        ..record(version)
    };
    let mut memory = memory(4);
    memory.store(digest, Some(true), Some(read(5)), at(0));
    memory.store(
        digest,
        Some(true),
        Some(Weighed::new(deleted(6), 400)),
        at(1),
    );
    assert_eq!(memory.look_up(&digest, at(10)), Some(Age::Fresh));
    assert_eq!(memory.look_up(&digest, at(11)), Some(Age::Dead));
    for (record, seconds, version) in [(record(5), 12, 6), (record(7), 500, 7)] {
        memory.store(
            digest,
            Some(true),
            Some(Weighed::new(record, 400)),
            at(seconds),
        );
        let entry = memory.entry(&digest).unwrap();
        assert_eq!(entry.record.as_ref().unwrap().version, version);
    }
}

#[test]
fn all_records_together_are_bounded_in_size_and_the_oldest_go() {
    let mut memory = memory(10_000);
    let keys: Vec<_> = (0..20).map(|n| Digest::of(&n.to_string())).collect();
    let large = |version| Weighed::new(record(version), MOST_BYTES / 4);
    for (seconds, key) in keys.iter().enumerate() {
        memory.store(*key, Some(true), Some(large(1)), at(seconds as u64));
        assert!(memory.bytes <= MOST_BYTES);
    }
    assert_eq!(memory.len(), 4);
    let held = |memory: &mut Memory<()>, n: usize| memory.entry(&keys[n]).is_some();
    assert!(!held(&mut memory, 15) && (16..20).all(|n| held(&mut memory, n)));

    // Who is used stays; one that grows pushes others out; one that is alone may be of any size.
    memory.look_up(&keys[16], at(20));
    let larger = Weighed::new(record(2), MOST_BYTES / 2);
    memory.store(keys[19], Some(true), Some(larger), at(20));
    assert!(!held(&mut memory, 17) && held(&mut memory, 16));
    assert_eq!((memory.len(), memory.bytes), (3, MOST_BYTES));
    memory.told(keys[19], Some(large(3)), at(21));
    assert_eq!(memory.bytes, 3 * (MOST_BYTES / 4));
    memory.store(keys[19], Some(true), None, at(22));
    assert_eq!((memory.len(), memory.bytes), (3, MOST_BYTES / 2));
    memory.store(
        keys[0],
        Some(true),
        Some(Weighed::new(record(1), 2 * MOST_BYTES)),
        at(23),
    );
    assert_eq!(memory.len(), 1);
    memory.forget(&keys[0]);
    assert_eq!((memory.len(), memory.bytes), (0, 0));
}

#[test]
fn what_is_pushed_out_or_replaced_is_not_counted_any_more() {
    let mut memory = memory(10);
    for n in 0..1000_u64 {
        let key = Digest::of(&(n % 37).to_string());
        let read = (n % 5 != 0).then(|| Weighed::new(record(n), n as usize));
        memory.store(key, Some(true), read, at(n));
        if n % 7 == 0 {
            memory.forget(&key);
        }
        let held: usize = memory.entries.iter().map(|(_, entry)| entry.bytes).sum();
        assert_eq!(memory.bytes, held, "{n}");
    }
    assert_eq!(memory.len(), 10);
}

#[test]
fn rules_weigh_more_than_their_text() {
    let mut full = record(1);
    full.restrictions.scopes = vec!["a:b".parse().unwrap(); 200];
    full.restrictions.paths = vec!["GET /a".parse().unwrap(); 3];
    let bytes = Weighed::new(full, 2000).bytes;
    assert_eq!(bytes, 2000 + 203 * RULE_BYTES);
}
