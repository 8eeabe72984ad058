//! `keyward audit`: pages, and the whole log as lines.

use std::fs;

use tempfile::TempDir;

use crate::command::{ID, calls, keyward, run};
use crate::stub::Stub;

const ENTRY: &str = r#"{"id":"aud_1","at":"t","actor":{"type":"management_key","id":"key_m"},"action":"key.update","project":"acme","key":"key_1","changes":[{"field":"name","before":"a","after":"b"}],"ip":"203.0.113.7","request_id":"r"}"#;
const MORE: &str = "200 OK\r\nkeyward-next-cursor: c/1";
const REFUSED: &str = r#"{"title":"Scope missing","status":403,"code":"scope_missing"}"#;

#[test]
fn the_log_is_filtered_and_a_row_an_entry() {
    let page = format!(r#"{{"items":[{ENTRY}],"next_cursor":null}}"#);
    let arguments = [
        "audit",
        "--key",
        ID,
        "--actor",
        "key_m",
        "--action",
        "key.update",
        "--since",
        "2026-11-20T00:00:00Z",
        "--until",
        "2026-11-21T00:00:00Z",
    ];
    let (done, called) = calls(&[("200 OK", &page)], &arguments);
    assert_eq!(
        done.stdout,
        "t\tkey.update\tkey_1\tkey_m\t203.0.113.7\tname: a → b\n"
    );
    assert_eq!(
        called,
        [format!(
            "GET projects/acme/audit?key={ID}&actor=key_m&action=key.update&since=2026-11-20T00%3A00%3A00Z&until=2026-11-21T00%3A00%3A00Z&limit=50"
        )]
    );

    let (_, called) = calls(&[("200 OK", &page)], &["audit", "--account"]);
    assert_eq!(called, ["GET audit?limit=50"]);
    let (_, called) = calls(&[("200 OK", &page)], &["audit", "--since", "24h"]);
    assert!(
        called[0].starts_with("GET projects/acme/audit?since=20"),
        "{called:?}"
    );
    let done = run("http://127.0.0.1:9", &["audit"], &[], "");
    assert_eq!(done.code, Some(2));
    done.notes("--account");
}

#[test]
fn an_export_follows_the_cursor_to_the_end() {
    let answers = [
        (MORE, "{\"id\":\"aud_1\"}\n"),
        ("", ""),
        ("200 OK", "{\"id\":\"aud_2\"}\n"),
    ];
    let (done, called) = calls(
        &answers,
        &["audit", "export", "--since", "2026-11-20T00:00:00Z"],
    );
    assert_eq!(done.stdout, "{\"id\":\"aud_1\"}\n{\"id\":\"aud_2\"}\n");
    assert_eq!(done.stderr, "2 entries exported.\n");
    let first = "GET projects/acme/audit:export?since=2026-11-20T00%3A00%3A00Z";
    let second = format!("{first}&cursor=c%2F1");
    assert_eq!(
        called,
        [first, &second, &second],
        "what breaks is asked for again"
    );
}

#[test]
fn a_file_is_there_when_it_is_complete_and_not_before() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("audit.ndjson");
    let path = file.to_str().unwrap();
    fs::write(&file, "an older one\n").unwrap();
    let answers = [(MORE, "{\"id\":\"aud_1\"}\n"), ("403 Forbidden", REFUSED)];
    let (done, _) = calls(
        &answers,
        &["audit", "export", "--account", "--output", path],
    );
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), "an older one\n");
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "nothing is left behind"
    );

    let stub = Stub::new(&[("200 OK", "{\"id\":\"aud_1\"}\n")]);
    let done = keyward(&stub.url, &["audit", "export", "--account", "-o", path]);
    assert_eq!(done.code, Some(0));
    assert_eq!(
        stub.calls()[0].line,
        "GET /_keyward/v1/audit:export HTTP/1.1"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"id\":\"aud_1\"}\n");

    let done = keyward(
        "http://127.0.0.1:9",
        &["audit", "export", "-o", "/nowhere/x"],
    );
    assert_eq!(done.code, Some(1));
    done.notes("/nowhere/x");
}
