//! `keyward keys export` against a stand-in.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::keyward;
use crate::stub::{Reply, Stub};

const ACTIVE: &str = r#"{"id":"key_1","name":"Café","status":"active"}"#;
const REVOKED: &str = r#"{"id":"key_2","status":"revoked","revoked":{"reason":"superseded"}}"#;

const NO_OWNERS: &str = r#"{"items":[],"next_cursor":null}"#;

/// Two pages, and then a failure if a third is asked for.
fn two_pages() -> Stub {
    Stub::answering(|call| match call.target().as_str() {
        "GET projects/acme/owners?limit=100" => Reply::ok(NO_OWNERS),
        "GET projects/acme/keys:export?limit=500" => Reply::Answer(
            "200 OK".to_owned(),
            vec!["keyward-next-cursor: a b".to_owned()],
            format!("{ACTIVE}\n"),
        ),
        "GET projects/acme/keys:export?limit=500&cursor=a+b" => Reply::ok(format!("{REVOKED}\n")),
        other => panic!("{other}"),
    })
}

#[test]
fn all_pages_go_to_standard_output() {
    let done = keyward(&two_pages().url, &["keys", "export"]);
    assert_eq!(done.stdout, format!("{ACTIVE}\n{REVOKED}\n"));
    assert_eq!((done.code, &*done.stderr), (Some(0), "2 keys exported.\n"));
    let done = keyward(&two_pages().url, &["keys", "export", "--status", "revoked"]);
    assert_eq!(done.stdout, format!("{REVOKED}\n"));
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys.ndjson");
    let file = path.to_str().unwrap();
    let done = keyward(&two_pages().url, &["keys", "export", "--output", file]);
    assert_eq!((done.code, &*done.stdout), (Some(0), ""));
    let exported = fs::read_to_string(&path).unwrap();
    assert_eq!(exported, format!("{ACTIVE}\n{REVOKED}\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    let mut calls = 0;
    let stub = Stub::answering(move |_| {
        calls += 1;
        match calls {
            1 => Reply::ok(NO_OWNERS),
            2 => Reply::Answer(
                "200 OK".to_owned(),
                vec!["keyward-next-cursor: c".to_owned()],
                "{}\n".to_owned(),
            ),
            _ => Reply::problem(403, "scope_missing"),
        }
    });
    let done = keyward(&stub.url, &["keys", "export", "-o", file]);
    assert_eq!(done.code, Some(1));
    assert_eq!(fs::read_to_string(&path).unwrap(), exported);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn an_owner_that_changes_meanwhile_is_not_lost_silently() {
    let page =
        |items: Value, next: Option<&str>| Reply::ok(json!({"items": items, "next_cursor": next}));
    let limited =
        |owner: &str| json!({"owner": owner, "keys": 1, "limits": {"credits": {"balance": 5}}});
    let suspended = |owner: &str| json!({"owner": owner, "keys": 1, "suspended_at": "2026-11-22T00:00:00Z", "limits": {"credits": {"balance": 5}}});
    // The first list, and the second.
    for (changed, pages) in [
        (
            false,
            [
                vec![limited("b"), limited("a")],
                vec![limited("b"), limited("a")],
            ],
        ),
        // `a` moves to the first page after that was read.
        (
            true,
            [vec![limited("b")], vec![suspended("a"), limited("b")]],
        ),
        (true, [vec![], vec![limited("a")]]),
        (true, [vec![limited("a")], vec![suspended("a")]]),
        (true, [vec![limited("a")], vec![]]),
    ] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("keys.ndjson");
        let mut lists = pages.into_iter();
        let mut rest = Vec::new();
        let stub = Stub::answering(move |call| match call.target().as_str() {
            "GET projects/acme/owners?limit=100" => {
                rest = lists.next().unwrap_or_default();
                rest.reverse();
                let item = rest.pop();
                page(
                    json!(Vec::from_iter(item)),
                    (!rest.is_empty()).then_some("x"),
                )
            }
            "GET projects/acme/owners?limit=100&cursor=x" => {
                let item = rest.pop();
                page(
                    json!(Vec::from_iter(item)),
                    (!rest.is_empty()).then_some("x"),
                )
            }
            "GET projects/acme/keys:export?limit=500" => Reply::ok(format!("{ACTIVE}\n")),
            other => panic!("{other}"),
        });
        let file = path.to_str().unwrap();
        let done = keyward(&stub.url, &["keys", "export", "-o", file]);
        assert_eq!(done.code, Some(i32::from(changed)), "{}", done.stderr);
        assert_eq!(done.stderr.contains("give the command again"), changed);
        assert_eq!(path.exists(), !changed);
    }
}

#[test]
fn keys_without_what_they_share_are_not_written_silently() {
    let owned = r#"{"id":"key_3","owner":"customer-1","status":"active"}"#;
    let disowned = r#"{"id":"key_4","owner":null,"status":"revoked"}"#;
    let stub = Stub::answering(move |call| match call.target().as_str() {
        "GET projects/acme/keys:export?limit=500" => Reply::ok(format!("{owned}\n{disowned}\n")),
        other => panic!("{other}"),
    });
    for (status, remarks) in [("active", true), ("revoked", false), ("disabled", false)] {
        let done = keyward(&stub.url, &["keys", "export", "--status", status]);
        assert_eq!(done.code, Some(0));
        assert_eq!(
            done.stderr.contains("Without --status"),
            remarks,
            "{status}: {}",
            done.stderr
        );
    }
}
