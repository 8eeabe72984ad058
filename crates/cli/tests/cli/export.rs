//! `keyward keys export` against a stand-in.

use std::fs;

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
