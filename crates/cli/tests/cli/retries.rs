//! What is tried again, and what is not.

use crate::command::{ID, calls, keyward};
use crate::stub::{Call, Stub};

const CREATED: &str = r#"{"key":{"id":"key_0123456789ABCDEFGHIJ"},"secret":"kw_sk_live_1new","publication":"published"}"#;
const UNAVAILABLE: &str = r#"{"title":"Registry unavailable","status":503,"code":"registry_unavailable","detail":"The registry did not answer."}"#;
const BROKEN: (&str, &str) = ("", "");
const BUSY: (&str, &str) = ("503 Service Unavailable", UNAVAILABLE);

fn idempotency_key(call: &Call) -> &str {
    let value = |header: &'_ String| header.starts_with("idempotency-key: ");
    let header = call.headers.iter().find(|header| value(header)).unwrap();
    header.split_once(": ").unwrap().1
}

#[test]
fn a_post_is_made_again_with_the_same_idempotency_key() {
    for answers in [
        [BROKEN, BROKEN, ("201 Created", CREATED)],
        [BUSY, BROKEN, ("201 Created", CREATED)],
        [BUSY, BUSY, ("201 Created", CREATED)],
    ] {
        let stub = Stub::new(&answers);
        let done = keyward(&stub.url, &["keys", "create", "--name", "n"]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (Some(0), "kw_sk_live_1new\n")
        );
        let calls = stub.calls();
        assert_eq!(calls.len(), 3);
        let first = idempotency_key(&calls[0]);
        assert!(first.len() >= 20, "{first}");
        for call in &calls {
            assert_eq!(idempotency_key(call), first);
            assert_eq!((&call.line, &call.body), (&calls[0].line, &calls[0].body));
        }
    }
}

#[test]
fn another_command_has_another_idempotency_key() {
    let stub = Stub::new(&[("201 Created", CREATED), ("201 Created", CREATED)]);
    for _ in 0..2 {
        keyward(&stub.url, &["keys", "create"]);
    }
    let calls = stub.calls();
    assert_ne!(idempotency_key(&calls[0]), idempotency_key(&calls[1]));
}

#[test]
fn after_three_tries_it_says_that_it_does_not_know() {
    let stub = Stub::new(&[BROKEN, BROKEN, BROKEN, ("201 Created", CREATED)]);
    let done = keyward(&stub.url, &["keys", "create"]);
    assert_eq!((done.code, stub.calls().len()), (Some(1), 3));
    done.notes("may or may not have been made");

    let stub = Stub::new(&[BUSY, BUSY, BUSY, ("201 Created", CREATED)]);
    let done = keyward(&stub.url, &["keys", "create"]);
    assert_eq!((done.code, stub.calls().len()), (Some(1), 3));
    done.notes("503 registry_unavailable");
}

#[test]
fn reads_are_tried_again_too() {
    let stub = Stub::new(&[BROKEN, BUSY, ("200 OK", r#"{"id":"acme"}"#)]);
    let done = keyward(&stub.url, &["projects", "show", "acme"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "id\tacme\n"));
}

#[test]
fn a_patch_and_a_delete_are_made_once() {
    for answer in [BROKEN, BUSY] {
        let stub = Stub::new(&[answer, ("200 OK", CREATED)]);
        let done = keyward(&stub.url, &["keys", "delete", ID, "--yes"]);
        assert_eq!(
            (done.code, stub.calls().len()),
            (Some(1), 1),
            "{}",
            done.stderr
        );

        let stub = Stub::new(&[answer, ("200 OK", CREATED)]);
        let done = keyward(
            &stub.url,
            &["keys", "update", ID, "--no-name", "--if-version", "1"],
        );
        assert_eq!(
            (done.code, stub.calls().len()),
            (Some(1), 1),
            "{}",
            done.stderr
        );
        if answer == BROKEN {
            done.notes("may or may not have been made");
        }
    }
}

#[test]
fn a_refusal_is_an_answer() {
    let refusal = r#"{"title":"Rotation in progress","status":409,"code":"rotation_in_progress"}"#;
    let answers = [("409 Conflict", refusal), ("201 Created", CREATED)];
    let (done, called) = calls(&answers, &["keys", "rotate", ID]);
    assert_eq!(done.code, Some(1));
    assert_eq!(
        called,
        [format!("POST projects/acme/keys/{ID}/rotate {{}}")]
    );
}
