//! `keyward keys`: what is sent and what is printed, beyond creating, listing and showing.

use crate::command::{ID, calls, keyward, run};
use crate::stub::Stub;

const KEY: &str = r#"{"id":"key_0123456789ABCDEFGHIJ","status":"active","version":3}"#;
const CHANGED: &str = r#"{"key":{"id":"key_0123456789ABCDEFGHIJ","status":"active","version":4},"publication":"published"}"#;
const ROTATED: &str = r#"{"key":{"id":"key_0123456789ABCDEFGHIJ"},"secret":"kw_sk_live_1new","publication":"published"}"#;
const READ: &str = "200 OK\r\nETag: \"3\"";
const CONFLICT: &str = r#"{"title":"Changed meanwhile","status":412,"code":"version_conflict","detail":"The version in If-Match is not the current one, so nothing was changed.","fix":"Read it again."}"#;

#[test]
fn an_update_says_which_version_it_changes() {
    let stub = Stub::new(&[(READ, KEY), ("200 OK", CHANGED)]);
    let arguments = [
        "keys",
        "update",
        ID,
        "--name",
        "New",
        "--no-owner",
        "--ip",
        "203.0.113.7",
    ];
    let done = keyward(&stub.url, &arguments);
    assert_eq!(
        (done.code, done.stdout),
        (Some(0), format!("{ID}\tactive\n"))
    );
    let calls = stub.calls();
    assert_eq!(
        calls[0].line,
        format!("GET /_keyward/v1/projects/acme/keys/{ID} HTTP/1.1")
    );
    assert_eq!(
        calls[1].line,
        format!("PATCH /_keyward/v1/projects/acme/keys/{ID} HTTP/1.1")
    );
    for header in [
        "if-match: \"3\"",
        "content-type: application/merge-patch+json",
    ] {
        assert!(
            calls[1].headers.contains(&header.to_owned()),
            "{:?}",
            calls[1].headers
        );
    }
    assert!(
        !calls[1]
            .headers
            .iter()
            .any(|header| header.starts_with("idempotency-key"))
    );
    assert_eq!(
        calls[1].body,
        r#"{"ips":["203.0.113.7"],"name":"New","owner":null}"#
    );
}

#[test]
fn an_update_of_a_known_version_reads_nothing() {
    let stub = Stub::new(&[("200 OK", CHANGED)]);
    let done = keyward(
        &stub.url,
        &["keys", "update", ID, "--no-expiry", "--if-version", "7"],
    );
    assert_eq!(done.code, Some(0));
    assert!(
        stub.calls()[0]
            .headers
            .contains(&"if-match: \"7\"".to_owned())
    );
}

#[test]
fn a_lost_race_is_told_with_what_to_do() {
    let stub = Stub::new(&[(READ, KEY), ("412 Precondition Failed", CONFLICT)]);
    let done = keyward(&stub.url, &["keys", "update", ID, "--no-name"]);
    assert_eq!(done.code, Some(1));
    let fix = format!("keyward keys show --project acme {ID}");
    done.notes("412 version_conflict");
    assert!(done.stderr.contains(&fix) && done.stderr.contains("run this command again"));

    let stub = Stub::new(&[(READ, KEY), ("412 Precondition Failed", CONFLICT)]);
    let done = keyward(&stub.url, &["--json", "keys", "update", ID, "--no-name"]);
    assert_eq!(done.stderr, format!("{CONFLICT}\n"));
}

#[test]
fn an_update_of_nothing_calls_nobody() {
    let (done, calls) = calls(&[], &["keys", "update", ID]);
    assert_eq!((done.code, calls.len()), (Some(2), 0));
}

#[test]
fn a_rotation_prints_the_new_secret_alone() {
    for (arguments, body) in [
        (&[][..], "{}"),
        (&["--overlap", "0"], r#"{"overlap":0}"#),
        (
            &["--overlap", "7d", "--at", "2027-01-01T00:00:00Z"],
            r#"{"at":"2027-01-01T00:00:00Z","overlap":604800}"#,
        ),
    ] {
        let (done, calls) = calls(
            &[("201 Created", ROTATED)],
            &[&["keys", "rotate", ID], arguments].concat(),
        );
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (Some(0), "kw_sk_live_1new\n")
        );
        assert!(done.stderr.contains("only time") && !done.stderr.contains("1new"));
        assert_eq!(
            calls,
            [format!("POST projects/acme/keys/{ID}/rotate {body}")]
        );
    }
    let (done, calls) = calls(&[], &["keys", "rotate", ID, "--overlap", "31d"]);
    assert_eq!((done.code, calls.len()), (Some(2), 0));
}

#[test]
fn a_revocation_carries_its_reason() {
    for (arguments, call) in [
        (&["keys", "revoke", ID][..], format!("keys/{ID}/revoke")),
        (
            &["keys", "secrets", "revoke", ID, "sec_0123456789AB"],
            format!("keys/{ID}/secrets/sec_0123456789AB/revoke"),
        ),
    ] {
        let (done, _) = calls(&[], arguments);
        assert_eq!(done.code, Some(2), "no yes");
        let more = [
            "--yes",
            "--reason",
            "keyCompromise",
            "--note",
            "seen in a log",
        ];
        let (done, calls) = calls(&[("200 OK", CHANGED)], &[arguments, &more].concat());
        assert_eq!(done.code, Some(0));
        let body = r#"{"note":"seen in a log","reason":"keyCompromise"}"#;
        assert_eq!(calls, [format!("POST projects/acme/{call} {body}")]);
    }
    for wrong in [["--reason", "keycompromise"], ["--note", &"x".repeat(201)]] {
        let (done, _) = calls(
            &[],
            &[&["keys", "revoke", ID, "--yes"], &wrong[..]].concat(),
        );
        assert_eq!(done.code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_deleted_key_is_brought_back() {
    let (done, calls) = calls(&[("200 OK", CHANGED)], &["keys", "undelete", ID]);
    assert_eq!(
        (done.code, done.stdout),
        (Some(0), format!("{ID}\tactive\n"))
    );
    assert_eq!(
        calls,
        [format!("POST projects/acme/keys/{ID}/undelete {{}}")]
    );
}

#[test]
fn lists_are_filtered_and_say_what_needs_attention() {
    let page = r#"{"items":[{"id":"key_1","project":"acme","name":"n","kind":"public","environment":"live","status":"active","owner":"o","created_at":"t","attention":["unused","unrestricted"]}],"next_cursor":null}"#;
    let arguments = [
        "keys",
        "list",
        "--unused",
        "90d",
        "--expiring",
        "14d",
        "--unrestricted",
        "--full-access",
        "--kind",
        "public",
        "-e",
        "live",
    ];
    let (done, called) = calls(&[("200 OK", page)], &arguments);
    assert_eq!(
        done.stdout,
        "key_1\tn\tpublic\tlive\tactive\to\tt\t\tunused, unrestricted\n"
    );
    assert_eq!(
        called,
        [
            "GET projects/acme/keys?environment=live&kind=public&unused=90d&expiring=14d&unrestricted=true&full_access=true&limit=50"
        ]
    );
    // Without a project: all of them, with their names.
    for (arguments, project) in [
        (&["keys", "list"][..], ""),
        (&["keys", "list", "--all-projects"], "other"),
    ] {
        let stub = Stub::new(&[("200 OK", page)]);
        let done = run(&stub.url, arguments, &[("KEYWARD_PROJECT", project)], "");
        assert_eq!(
            stub.calls()[0].line,
            "GET /_keyward/v1/keys?limit=50 HTTP/1.1"
        );
        assert_eq!(
            done.stdout,
            "key_1\tacme\tn\tpublic\tlive\tactive\to\tt\t\n"
        );
    }
    for wrong in [
        &["--unused", "90"][..],
        &["--expiring", "x"],
        &["--all-projects", "--project", "acme"],
    ] {
        let (done, _) = calls(&[], &[&["keys", "list"], wrong].concat());
        assert_eq!(done.code, Some(2), "{wrong:?}");
    }
    let done = run(
        "http://127.0.0.1:9",
        &["keys", "list"],
        &[("KEYWARD_PROJECT", "../x")],
        "",
    );
    assert_eq!(done.code, Some(2), "{}", done.stderr);
}

#[test]
fn where_compares_the_registry_with_kv() {
    let answer = format!(
        r#"{{"id":"{ID}","version":4,"replicas":[{{"secret":"sec_1","entry":"a1","version":3,"state":"behind"}},{{"secret":"sec_1","entry":"a2","version":null,"state":"missing"}}]}}"#
    );
    let (done, called) = calls(&[("200 OK", &answer)], &["keys", "show", ID, "--where"]);
    assert_eq!(
        done.stdout,
        "sec_1\ta1\t4\t3\tbehind\nsec_1\ta2\t4\t-\tmissing\n"
    );
    assert_eq!(called, [format!("GET projects/acme/keys/{ID}/where")]);
    let (done, _) = calls(
        &[("200 OK", &answer)],
        &["keys", "show", ID, "--where", "--json"],
    );
    assert_eq!(done.stdout, format!("{answer}\n"));
}

#[test]
fn a_key_can_be_protected_from_the_start() {
    let (_, called) = calls(
        &[("201 Created", ROTATED)],
        &["keys", "create", "--delete-protection"],
    );
    assert_eq!(
        called,
        [r#"POST projects/acme/keys {"delete_protection":true}"#]
    );
}
