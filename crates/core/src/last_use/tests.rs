//! What is told of, how often, and within which bounds.

use super::*;

const BOUND: usize = 100;

fn last_use() -> LastUse {
    LastUse::new(NonZeroUsize::new(BOUND).unwrap(), 7)
}

fn at(millis: u64) -> Millis {
    Millis(1_000_000_000 + millis)
}

fn message(project: &str, keys: &[&str]) -> Message {
    Message {
        project: project.to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

/// Notes a use: when the next one is to be noted, after now, and whether a collection begins.
fn note(last_use: &mut LastUse, key: &str, now: u64) -> (u64, bool) {
    let Noted { next, collect } = last_use.note("acme", key, at(now));
    (next.since(at(now)), collect)
}

#[test]
fn a_burst_is_one_collection_and_one_message_for_each_project() {
    let mut last_use = last_use();
    assert_eq!(note(&mut last_use, "key_a", 0), (AGAIN_MS, true));
    assert_eq!(note(&mut last_use, "key_b", 1), (AGAIN_MS, false));
    assert_eq!(
        note(&mut last_use, "key_a", 2),
        (AGAIN_MS, false),
        "another secret of the key"
    );
    last_use.note("globex", "key_c", at(3));
    assert_eq!(
        last_use.take(),
        [
            message("acme", &["key_a", "key_b"]),
            message("globex", &["key_c"])
        ]
    );
    assert_eq!(last_use.take(), []);
}

#[test]
fn the_hour_begins_when_the_message_has_arrived() {
    let mut last_use = last_use();
    note(&mut last_use, "key_a", 0);
    last_use.take();
    assert_eq!(
        note(&mut last_use, "key_a", 60_000),
        (AGAIN_MS, true),
        "the message was lost"
    );
    assert_eq!(last_use.take(), [message("acme", &["key_a"])]);
    last_use.told(["key_a"].into_iter(), at(62_000));
    for (now, next) in [(120_000, EVERY_MS - 58_000), (EVERY_MS + 61_999, 1)] {
        assert_eq!(note(&mut last_use, "key_a", now), (next, false), "{now}");
    }
    assert_eq!(last_use.take(), []);
    assert_eq!(
        note(&mut last_use, "key_a", EVERY_MS + 62_000),
        (AGAIN_MS, true)
    );
    assert_eq!(last_use.take(), [message("acme", &["key_a"])]);
}

#[test]
fn the_mark_of_a_collection_that_got_lost_expires() {
    let mut last_use = last_use();
    assert!(note(&mut last_use, "key_a", 0).1);
    assert!(!note(&mut last_use, "key_b", 9_999).1);
    assert!(note(&mut last_use, "key_c", 10_000).1);
    assert_eq!(
        last_use.take(),
        [message("acme", &["key_a", "key_b", "key_c"])],
        "nothing is lost"
    );
    assert!(
        note(&mut last_use, "key_d", 10_001).1,
        "the next collection"
    );
    assert!(
        note(&mut last_use, "key_e", 5_000).1,
        "a clock that moved back holds nothing up"
    );
}

#[test]
fn what_does_not_fit_is_left_to_a_later_use() {
    let mut last_use = last_use();
    for number in 0..2 * MOST_WAITING {
        note(&mut last_use, &format!("key_{number}"), 0);
    }
    let messages = last_use.take();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].keys.len(), MOST_WAITING);
    assert_eq!(messages[0].keys[0], "key_0");
}

#[test]
fn a_collection_makes_few_messages_and_the_next_one_the_others() {
    let mut last_use = last_use();
    for number in 0..MOST_MESSAGES + 1 {
        for key in ["a", "b"] {
            last_use.note(&format!("p{number}"), &format!("key_{number}{key}"), at(0));
        }
    }
    let messages = last_use.take();
    assert_eq!(messages.len(), MOST_MESSAGES);
    assert!(messages.iter().all(|message| message.keys.len() == 2));
    assert_eq!(last_use.take().len(), 1);
}

#[test]
fn what_was_told_is_remembered_within_a_bound() {
    let mut last_use = last_use();
    for number in 0..5 * BOUND {
        last_use.told([format!("key_{number}").as_str()].into_iter(), at(0));
    }
    assert_eq!(last_use.told.len(), BOUND);
    assert_eq!(note(&mut last_use, "key_499", 1).0, EVERY_MS - 1);
    assert_eq!(note(&mut last_use, "key_0", 1).0, AGAIN_MS);
}
