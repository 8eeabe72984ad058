//! `keyward webhooks …`.

use crate::command::{calls, keyward};
use crate::stub::Stub;

const ID: &str = "whk_0123456789ABCDEF";
const WEBHOOK: &str = r#"{"id":"whk_0123456789ABCDEF","url":"https://ops.example.com/","status":"active","waiting":2,"dropped":3,"created_at":"t","updated_at":"t"}"#;

#[test]
fn a_new_endpoint_prints_its_secret_alone() {
    let body = format!(r#"{{"webhook":{WEBHOOK},"secret":"whsec_c2VjcmV0"}}"#);
    let (done, calls) = calls(
        &[("201 Created", &body)],
        &[
            "webhooks",
            "create",
            "https://ops.example.com/",
            "--event",
            "key.leaked",
            "--description",
            "on call",
        ],
    );
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), "whsec_c2VjcmV0\n")
    );
    done.notes("Created whk_0123456789ABCDEF.");
    assert_eq!(
        calls,
        [
            r#"POST projects/acme/webhooks {"description":"on call","events":["key.leaked"],"url":"https://ops.example.com/"}"#
        ]
    );
}

#[test]
fn a_list_says_what_waits_and_what_was_dropped() {
    let body = format!(r#"{{"items":[{WEBHOOK}],"next_cursor":null}}"#);
    let (done, _) = calls(&[("200 OK", &body)], &["webhooks", "list"]);
    assert_eq!(
        done.stdout,
        format!("{ID}\thttps://ops.example.com/\tall\tactive\t2\t3\n")
    );
}

#[test]
fn a_test_that_is_not_taken_fails_and_says_why() {
    for (failure, why) in [
        (
            r#"{"at":"t","status":500,"cause":"status"}"#,
            "it answered 500",
        ),
        (r#"{"at":"t","cause":"timeout"}"#, "within 10 seconds"),
        (
            r#"{"at":"t","cause":"unreachable"}"#,
            "could not be reached",
        ),
    ] {
        let body = format!(r#"{{"message":"msg_1","delivered":false,"failure":{failure}}}"#);
        let (done, calls) = calls(&[("200 OK", &body)], &["webhooks", "test", ID]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
        done.notes(why);
        assert_eq!(
            calls,
            [format!("POST projects/acme/webhooks/{ID}/test {{}}")]
        );
    }
    let taken = r#"{"message":"msg_1","delivered":true}"#;
    let (done, _) = calls(&[("200 OK", taken)], &["webhooks", "test", ID]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), "msg_1\tdelivered\n")
    );
}

#[test]
fn what_cannot_be_undone_is_asked_for() {
    for verb in ["delete", "disable"] {
        let stub = Stub::new(&[]);
        let done = keyward(&stub.url, &["webhooks", verb, ID]);
        assert_eq!(done.code, Some(2));
        assert!(stub.calls().is_empty());
    }
    let (done, calls) = calls(&[("200 OK", WEBHOOK)], &["webhooks", "delete", ID, "--yes"]);
    assert_eq!(done.stdout, format!("{ID}\tdeleted\n"));
    assert_eq!(calls, [format!("DELETE projects/acme/webhooks/{ID}")]);
    assert_eq!(
        keyward("http://127.0.0.1:1", &["webhooks", "show", "key_1"]).code,
        Some(2)
    );
}
