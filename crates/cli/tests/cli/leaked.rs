//! `keyward leaked`.

use serde_json::{Value, json};

use crate::command::{Done, run};
use crate::stub::{Call, Reply, Stub};

const SECRET: &str = "kw_sk_live_1abcdefghijklmnopqrstuvwxABCDEFGH";
/// Its SHA-256.
const DIGEST: &str = "148e4bd58dfe45b923e8e645f891f2e1651da01784737ce8718ee64f017a4f60";

/// A deployment that knows the secrets of these kinds and statuses, whatever is asked for; those of
/// private keys are revoked when they are reported.
fn deployment(known: &'static [(&'static str, &'static str)]) -> Stub {
    Stub::answering(move |call: &Call| {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        let digests = body["sha256"].as_array().unwrap().clone();
        let reported = call.target().contains("leaks:report");
        let item = |(digest, (kind, status)): (&Value, &(&str, &str))| {
            let status = if reported && *kind == "private" {
                "revoked"
            } else {
                status
            };
            let mut item = json!({
                "sha256": digest, "project": "acme", "key": "key_1", "kind": kind, "secret": "sec_1",
                "key_status": "active", "redacted": "kw_sk_live_…EFGH", "status": status,
            });
            if reported {
                item["leaked"] = json!({"at": "t", "source": "report"});
            }
            item
        };
        let items: Vec<_> = digests.iter().zip(known).map(item).collect();
        Reply::ok(json!({ "items": items }))
    })
}

fn leaked(stub: &Stub, arguments: &[&str], text: &str) -> Done {
    let arguments = [&["leaked"], arguments].concat();
    run(&stub.url, &arguments, &[], text)
}

fn targets(stub: &Stub) -> Vec<String> {
    stub.calls().iter().map(Call::target).collect()
}

#[test]
fn only_digests_leave_the_machine_each_once() {
    let stub = deployment(&[]);
    let done = leaked(&stub, &[], &format!("a={SECRET}\nb='{SECRET}' kw_sk_no"));
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    done.notes("No key of this deployment");
    let calls = stub.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].body.matches('"').count(), 4, "{}", calls[0].body);
    assert!(!calls[0].body.contains("kw_sk"));
    assert!(calls[0].body.contains(DIGEST), "{}", calls[0].body);
}

#[test]
fn a_text_without_secrets_asks_nobody() {
    let stub = deployment(&[]);
    assert_eq!(leaked(&stub, &[], "nothing here").code, Some(0));
    assert!(stub.calls().is_empty());
}

#[test]
fn what_works_is_shown_and_only_revoked_after_a_yes() {
    let stub = deployment(&[("private", "live")]);
    let done = leaked(&stub, &["--look"], SECRET);
    assert_eq!(done.code, Some(1));
    done.prints("kw_sk_live_…EFGH\tkey_1\tacme\tprivate\tlive\t");
    assert_eq!(targets(&stub), ["POST leaks:find"]);

    let stub = deployment(&[("private", "live")]);
    let done = leaked(&stub, &["--yes", "--source", "a log"], SECRET);
    assert_eq!(done.code, Some(0), "{done:?}");
    done.prints("\trevoked\treported");
    assert_eq!(targets(&stub), ["POST leaks:find", "POST leaks:report"]);
    assert!(stub.calls()[1].body.contains(r#""source":"a log""#));
}

#[test]
fn what_is_over_is_left_alone() {
    for known in [&[("private", "revoked")], &[("private", "ended")]] {
        let stub = deployment(known);
        assert_eq!(leaked(&stub, &["--yes"], SECRET).code, Some(0));
        assert_eq!(targets(&stub), ["POST leaks:find"]);
    }
}

#[test]
fn thousands_are_asked_for_a_thousand_at_a_time() {
    let stub = deployment(&[]);
    let text: String = (0..2500)
        .map(|number| format!("kw_pk_live_1{number:032}\n"))
        .collect();
    assert_eq!(leaked(&stub, &["--json"], &text).stdout, "{\"items\":[]}\n");
    let asked = stub.calls().into_iter().map(|call| {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        body["sha256"].as_array().unwrap().len()
    });
    assert_eq!(asked.collect::<Vec<_>>(), [1000, 1000, 500]);
}
