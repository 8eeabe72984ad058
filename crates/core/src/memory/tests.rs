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
    }
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
        memory.store(digest, true, Some(record(1)), at(0));
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
    memory.store(digest, true, Some(record(1)), at(0));
    assert_eq!(memory.look_up(&digest, at(10)), Some(Age::Refresh));
    assert_eq!(memory.look_up(&digest, at(11)), Some(Age::Fresh));
    assert_eq!(memory.look_up(&digest, at(12)), Some(Age::Refresh));
    memory.store(digest, true, Some(record(1)), at(13));
    assert_eq!(memory.look_up(&digest, at(22)), Some(Age::Fresh));
}

#[test]
fn the_absence_of_what_was_there_is_remembered_for_ten_seconds() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, true, Some(record(1)), at(0));
    memory.store(digest, true, None, at(0));
    assert_eq!(memory.look_up(&digest, at(9)), Some(Age::Fresh));
    assert_eq!(memory.look_up(&digest, at(10)), Some(Age::Dead));
}

#[test]
fn a_version_never_goes_back_but_a_deletion_holds() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, true, Some(record(5)), at(0));
    memory.store(digest, true, Some(record(4)), at(1));
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
    memory.store(digest, true, Some(record(6)), at(2));
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
    memory.store(digest, true, None, at(3));
    assert_eq!(memory.entry(&digest).unwrap().record, None);
    let version = |memory: &mut Memory<()>| {
        let entry = memory.entry(&digest).unwrap();
        entry.record.as_ref().map(|record| record.version)
    };
    memory.store(digest, true, Some(record(6)), at(20));
    assert_eq!(version(&mut memory), None, "a lagging replica");
    memory.store(digest, true, Some(record(7)), at(21));
    assert_eq!(version(&mut memory), Some(7), "created again");
    memory.store(digest, true, None, at(22));
    memory.store(digest, true, Some(record(7)), at(143));
    assert_eq!(version(&mut memory), Some(7), "KV insists");
}

#[test]
fn a_clock_that_moves_back_reads_again() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, true, Some(record(1)), at(100));
    assert_eq!(memory.look_up(&digest, at(50)), Some(Age::Stale));
}

#[test]
fn what_is_confirmed_on_and_on_is_read_each_minute() {
    let digest = Digest::of("k");
    let mut memory = memory(4);
    memory.store(digest, true, Some(record(1)), at(0));
    let mut reads = Vec::new();
    for seconds in 0..=240 {
        memory.confirm(&digest, 1, at(seconds));
        if seconds == 100 {
            memory.told(digest, Some(record(1)), at(seconds));
        }
        if memory.look_up(&digest, at(seconds)) == Some(Age::Refresh) {
            reads.push(seconds);
            // Every other read fails.
            if reads.len() % 2 == 0 {
                memory.store(digest, true, Some(record(1)), at(seconds));
            }
        }
    }
    assert_eq!(reads, [60, 120, 180, 240]);
}

#[test]
fn the_least_recently_used_goes_first() {
    let mut memory = memory(2);
    let keys = ["a", "b", "c"].map(Digest::of);
    memory.store(keys[0], true, Some(record(1)), at(0));
    memory.store(keys[1], true, Some(record(1)), at(0));
    memory.look_up(&keys[0], at(1));
    memory.store(keys[2], true, Some(record(1)), at(1));
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
        memory.store(key, true, Some(record(1)), at(0));
    }
    for number in 0..10_000 {
        let unknown = Digest::of(&format!("{number}"));
        assert_eq!(memory.look_up(&unknown, at(1)), None);
        memory.store(unknown, false, None, at(1));
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
    memory.store(digest, false, None, at(0));
    memory.store(digest, false, Some(record(1)), at(1));
    assert!(!memory.is_absent(&digest, at(1)));
    assert_eq!(memory.look_up(&digest, at(1)), Some(Age::Fresh));
    assert!(!memory.entry(&digest).unwrap().native);
}

#[test]
fn a_deleted_keys_record_ages_as_absence_and_its_version_holds() {
    let digest = Digest::of("k");
    let deleted = |version| Record {
        status: Status::Deleted,
        ..record(version)
    };
    let mut memory = memory(4);
    memory.store(digest, true, Some(record(5)), at(0));
    memory.store(digest, true, Some(deleted(6)), at(1));
    assert_eq!(memory.look_up(&digest, at(10)), Some(Age::Fresh));
    assert_eq!(memory.look_up(&digest, at(11)), Some(Age::Dead));
    for (record, seconds, version) in [(record(5), 12, 6), (record(7), 500, 7)] {
        memory.store(digest, true, Some(record), at(seconds));
        let entry = memory.entry(&digest).unwrap();
        assert_eq!(entry.record.as_ref().unwrap().version, version);
    }
}
