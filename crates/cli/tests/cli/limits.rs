//! Limits, credits, usage and how soon a change holds: what is sent and what is printed.

use crate::command::{ID, calls, keyward, run};
use crate::stub::Stub;

const KEY: &str = r#"{"id":"key_0123456789ABCDEFGHIJ","status":"active","version":3}"#;
const CHANGED: &str = r#"{"key":{"id":"key_0123456789ABCDEFGHIJ","kind":"private","status":"active","version":4},"publication":"published","in_force_by":"2026-11-21T12:00:07.500Z"}"#;
const CREATED: &str = r#"{"key":{"id":"key_0123456789ABCDEFGHIJ"},"secret":"kw_sk_live_1new","publication":"published"}"#;
const OWNER: &str = r#"{"owner":"customer-17","keys":3,"limits":{"rate":[{"name":"60s","limit":100,"window_s":60}]},"publication":"published","in_force_by":"2026-11-21T12:00:07.500Z"}"#;
const USAGE: &str = r#"{"since":"2026-11-20T12:00:00Z","until":"2026-11-21T12:00:00Z","by":"hour","total":{"calls":7,"refused":{"rate_limited":2},"answered":{"2xx":7},"routes":{"/v1/**":7},"countries":{"DE":7}},"spans":[{"start":"2026-11-20T15:00:00Z","calls":7,"refused":{"rate_limited":2}}]}"#;

#[test]
fn a_key_is_created_with_limits() {
    let arguments = [
        "keys",
        "create",
        "--rate",
        "100/60s",
        "--rate-per-ip",
        "10/1s",
        "--quota",
        "10000/month@15",
        "--credits",
        "500/day",
        "--on-meter-error",
        "allow",
    ];
    let (done, called) = calls(&[("201 Created", CREATED)], &arguments);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), "kw_sk_live_1new\n")
    );
    let limits = r#"{"limits":{"credits":{"balance":500,"refill":{"amount":500,"period":"day"}},"on_meter_error":"allow","quota":[{"limit":10000,"period":"month","reset_day":15}],"rate":[{"limit":100,"window_s":60},{"limit":10,"per":"ip","window_s":1}]}}"#;
    assert_eq!(called, [format!("POST projects/acme/keys {limits}")]);
    let (done, called) = calls(&[], &["keys", "create", "--rate", "100/minute"]);
    assert_eq!((done.code, called.len()), (Some(2), 0));
    assert!(
        done.stderr.contains("--rate") && done.stderr.contains("as in 100/60s"),
        "{}",
        done.stderr
    );
}

#[test]
fn limits_are_changed_and_taken_away() {
    for (arguments, body) in [
        (
            &["--quota", "5/day", "--clear-rates"][..],
            r#"{"limits":{"quota":[{"limit":5,"period":"day"}],"rate":null}}"#,
        ),
        (&["--no-limits"], r#"{"limits":null}"#),
    ] {
        let answers = [("200 OK\r\nETag: \"3\"", KEY), ("200 OK", CHANGED)];
        let (done, called) = calls(&answers, &[&["keys", "update", ID], arguments].concat());
        assert_eq!(called[1], format!("PATCH projects/acme/keys/{ID} {body}"));
        assert_eq!(done.stdout, format!("{ID}\tactive\n"));
        assert_eq!(
            done.stderr,
            "In force everywhere by 2026-11-21T12:00:07.500Z.\n"
        );
    }
}

#[test]
fn a_change_is_in_force_whatever_kv_has_and_else_when_kv_has_it() {
    let in_force = "In force everywhere by 2026-11-21T12:00:07.500Z.\n";
    let told = "KV does not have it yet, and is told until it does; nobody waits for that.\n";
    let published = "The change is published; locations have it within a minute or so.\n";
    let pending = CHANGED.replace("published", "pending");
    let unknown = |text: &str| text.replace(r#","in_force_by":"2026-11-21T12:00:07.500Z""#, "");
    for (answer, said) in [
        (CHANGED.to_owned(), in_force.to_owned()),
        (CHANGED.replace("private", "public"), in_force.to_owned()),
        (pending.clone(), format!("{in_force}{told}")),
        (unknown(CHANGED), published.to_owned()),
        (
            unknown(&pending),
            "pending: the change is stored and still being published; it is retried until it holds\n"
                .to_owned(),
        ),
    ] {
        let (done, _) = calls(&[("200 OK", &answer)], &["keys", "disable", ID]);
        assert_eq!(done.stderr, said);
    }
}

#[test]
fn credits_are_changed_once_for_a_name_that_is_given() {
    let once = ["--add", "500", "--idempotency-key", "order-17"];
    for (thing, id, answer) in [("keys", ID, CHANGED), ("owners", "customer-17", OWNER)] {
        let stub = Stub::new(&[("200 OK", answer)]);
        let arguments = [&[thing, "credits", "--project", "acme", id], &once[..]].concat();
        let done = run(&stub.url, &arguments, &[], "");
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let sent = &stub.calls()[0].headers;
        assert!(
            sent.contains(&"idempotency-key: order-17".to_owned()),
            "{sent:?}"
        );
    }
    for wrong in ["", "two words", "ü"] {
        let arguments = [
            "keys",
            "credits",
            ID,
            "--add",
            "5",
            "--idempotency-key",
            wrong,
        ];
        let (done, called) = calls(&[], &arguments);
        assert_eq!((done.code, called.len()), (Some(2), 0), "{wrong:?}");
    }
}

#[test]
fn how_limits_stand_is_a_row_each() {
    let standing = r#"{"key":"key_0123456789ABCDEFGHIJ","limits":[{"name":"60s","type":"rate","limit":100,"window_s":60,"remaining":88,"resets_at":"2026-11-21T12:00:07Z"},{"name":"credits","type":"credits","limit":500,"remaining":17}],"owner":[{"name":"month","type":"quota","limit":9,"remaining":0,"resets_at":"2026-12-01T00:00:00Z"}]}"#;
    let (done, called) = calls(&[("200 OK", standing)], &["keys", "limits", ID]);
    assert_eq!(called, [format!("GET projects/acme/keys/{ID}/limits")]);
    assert_eq!(
        done.stdout,
        "key\t60s\trate\t100/60s\t88\t2026-11-21T12:00:07Z\nkey\tcredits\tcredits\t500\t17\t\nowner\tmonth\tquota\t9\t0\t2026-12-01T00:00:00Z\n"
    );
    let (done, _) = calls(&[("200 OK", standing)], &["--json", "keys", "limits", ID]);
    assert_eq!(done.stdout, format!("{standing}\n"));
    let none = r#"{"key":"key_0123456789ABCDEFGHIJ","limits":[]}"#;
    let (done, _) = calls(&[("200 OK", none)], &["keys", "limits", ID]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    done.notes("no limits");
}

#[test]
fn credits_are_added_or_set() {
    for (arguments, body) in [
        (["--add", "500"], r#"{"add":500}"#),
        (["--set", "0"], r#"{"set":0}"#),
    ] {
        let key = [&["keys", "credits", ID], &arguments[..]].concat();
        let (done, called) = calls(&[("200 OK", CHANGED)], &key);
        assert_eq!(done.code, Some(0));
        assert_eq!(
            called,
            [format!("POST projects/acme/keys/{ID}/credits {body}")]
        );
        let owner = [&["owners", "credits", "customer-17"], &arguments[..]].concat();
        let (done, called) = calls(&[("200 OK", OWNER)], &owner);
        assert_eq!(done.code, Some(0));
        let sent: serde_json::Value = serde_json::from_str(body).unwrap();
        let mut sent = sent.as_object().unwrap().clone();
        sent.insert("owner".to_owned(), "customer-17".into());
        let body = serde_json::Value::Object(sent);
        assert_eq!(
            called,
            [format!("POST projects/acme/owners:credits {body}")]
        );
    }
    for wrong in [
        &[][..],
        &["--add", "0"],
        &["--add", "-1"],
        &["--add", "1", "--set", "1"],
    ] {
        let (done, called) = calls(&[], &[&["keys", "credits", ID], wrong].concat());
        assert_eq!((done.code, called.len()), (Some(2), 0), "{wrong:?}");
    }
}

#[test]
fn the_limits_of_an_owner_are_replaced_or_taken_away() {
    for (arguments, body, said) in [
        (
            &["--rate", "100/60s"][..],
            r#"{"limits":{"rate":[{"limit":100,"window_s":60}]},"owner":"customer-17"}"#,
            "Limited customer-17.",
        ),
        (
            &["--none"],
            r#"{"limits":null,"owner":"customer-17"}"#,
            "No limits any more for customer-17.",
        ),
    ] {
        let arguments = [&["owners", "limit", "customer-17"], arguments].concat();
        let (done, called) = calls(&[("200 OK", OWNER)], &arguments);
        assert_eq!(called, [format!("POST projects/acme/owners:limit {body}")]);
        assert_eq!(done.stdout, "customer-17\t3\t100/60s\n");
        assert!(
            done.stderr.contains(said)
                && done
                    .stderr
                    .contains("In force everywhere by 2026-11-21T12:00:07.500Z.\n"),
            "{}",
            done.stderr
        );
    }
    for wrong in [
        &[][..],
        &["--none", "--rate", "1/1s"],
        &["--rate-per-ip", "1/1s"],
    ] {
        let arguments = [&["owners", "limit", "customer-17"], wrong].concat();
        let (done, called) = calls(&[], &arguments);
        assert_eq!((done.code, called.len()), (Some(2), 0), "{wrong:?}");
    }
}

#[test]
fn owners_with_limits_are_listed_with_them() {
    let page = r#"{"items":[{"owner":"a","keys":1,"suspended_at":"t","note":"n"},{"owner":"b","keys":2,"limits":{"quota":[{"name":"day","limit":5,"period":"day"}]}}],"next_cursor":null}"#;
    let (done, _) = calls(&[("200 OK", page)], &["owners", "list"]);
    assert_eq!(done.stdout, "a\t1\tt\tn\t\nb\t2\t\t\t5/day\n");
}

#[test]
fn keys_are_shown_with_their_limits() {
    let key = r#"{"id":"key_1","name":"n","kind":"private","environment":"live","status":"active","limits":{"rate":[{"name":"60s","limit":100,"window_s":60}],"credits":{"balance":5}},"created_at":"t"}"#;
    let page = format!(r#"{{"items":[{key}],"next_cursor":null}}"#);
    let (done, _) = calls(&[("200 OK", &page)], &["keys", "list"]);
    assert_eq!(
        done.stdout,
        "key_1\tn\tprivate\tlive\tactive\t\tt\t100/60s, 5 credits\n"
    );
    let (done, _) = calls(&[("200 OK", key)], &["keys", "show", ID]);
    done.prints("limits\t100/60s, 5 credits\n");
}

#[test]
fn usage_is_of_a_key_or_of_a_project() {
    let sums = "total\tcalls\t7\ntotal\trefused\t2\nstatus\t2xx\t7\nrefusal\trate_limited\t2\nroute\t/v1/**\t7\ncountry\tDE\t7\n";
    let times = [
        "--since",
        "2026-11-20T12:00:00Z",
        "--until",
        "2026-11-21T12:00:00Z",
    ];
    let query = "since=2026-11-20T12%3A00%3A00Z&until=2026-11-21T12%3A00%3A00Z";
    let (done, called) = calls(&[("200 OK", USAGE)], &[&["usage"], &times[..]].concat());
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), (sums, ""));
    assert_eq!(called.len(), 1);
    assert!(
        called[0].starts_with(&format!("GET projects/acme/usage?{query}&by=")),
        "{called:?}"
    );
    let by = [&["usage", ID], &times[..], &["--by", "hour"]].concat();
    let (done, called) = calls(&[("200 OK", USAGE)], &by);
    assert_eq!(done.stdout, "2026-11-20T15:00:00Z\t7\t2\n");
    assert_eq!(
        called,
        [format!("GET projects/acme/keys/{ID}/usage?{query}&by=hour")]
    );
    let (done, called) = calls(&[("200 OK", USAGE)], &["--json", "usage"]);
    assert_eq!(done.stdout, format!("{USAGE}\n"));
    assert!(called[0].ends_with("&by=hour"), "{called:?}");
    for wrong in [
        &[
            "--since",
            "2026-11-21T12:00:00Z",
            "--until",
            "2026-11-20T12:00:00Z",
        ][..],
        &["--by", "week"],
        &["--since", "yesterday"],
        &["kw_sk_live_1"],
    ] {
        let (done, called) = calls(&[], &[&["usage"], wrong].concat());
        assert_eq!((done.code, called.len()), (Some(2), 0), "{wrong:?}");
    }
}

#[test]
fn a_project_says_how_soon_changes_hold() {
    for (word, value) in [
        ("strict", r#""strict""#),
        ("eventual", r#""eventual""#),
        ("default", "null"),
    ] {
        let project = r#"{"id":"acme","revocation":"strict"}"#;
        let changed = format!(r#"{{"project":{project},"publication":"published"}}"#);
        let answers = [("200 OK\r\nETag: \"3\"", project), ("200 OK", &changed)];
        let (done, called) = calls(
            &answers,
            &["projects", "update", "acme", "--revocation", word],
        );
        assert_eq!(
            called[1],
            format!(r#"PATCH projects/acme {{"revocation":{value}}}"#)
        );
        done.prints("revocation\tstrict\n");
    }
}

#[test]
fn a_file_with_limits_is_applied_once() {
    let file = "project = \"acme\"\n[[key]]\nname = \"Job\"\nlimits = { rate = [{ limit = 100, window_s = 60 }], credits = 5 }\n";
    let key = |limits: &str| {
        format!(
            r#"{{"items":[{{"id":"{ID}","name":"Job","kind":"private","environment":"live","status":"active","version":3{limits}}}],"next_cursor":null}}"#
        )
    };
    let shown = key(
        r#","limits":{"rate":[{"name":"60s","limit":100,"window_s":60}],"credits":{"balance":5}}"#,
    );
    for (before, changes) in [(key(""), true), (shown, false)] {
        let stub = Stub::new(&[("200 OK", &before), ("200 OK", CHANGED)]);
        let done = run(&stub.url, &["apply", "-f", "-", "--yes"], &[], file);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let called = stub.calls();
        assert_eq!(called.len(), 1 + usize::from(changes));
        if changes {
            assert_eq!(
                called[1].body,
                r#"{"limits":{"credits":{"balance":5},"rate":[{"limit":100,"name":"60s","window_s":60}]}}"#
            );
            done.notes("In force everywhere by 2026-11-21T12:00:07.500Z.");
        }
    }
}

#[test]
fn what_the_meter_cannot_answer_is_a_failure() {
    let problem = r#"{"title":"No","status":503,"code":"meter_unavailable"}"#;
    let stub = Stub::answering(move |_| crate::stub::Reply::new("503 No", problem));
    let done = keyward(&stub.url, &["usage"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    done.notes("meter_unavailable");
}
