//! The commands that call the management API, against a stand-in: what is sent, what is printed
//! and the exit codes.

use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::stub::Stub;

const ID: &str = "key_0123456789ABCDEFGHIJ";
const SECRET: &str = "kw_sk_live_10123456789ABCDEFGHIJKLMNabcdefgh";
const CREATED: &str = r#"{"key":{"id":"key_0123456789ABCDEFGHIJ","name":"Job"},"secret":"kw_sk_live_10123456789ABCDEFGHIJKLMNabcdefgh","publication":"published"}"#;
const PROBLEM: &str = r#"{"type":"/_keyward/errors/key_spec_invalid","title":"Key cannot be created","status":422,"code":"key_spec_invalid","detail":"The key's fields are not valid together.","request_id":"req-1","fix":"See `errors`.","errors":[{"field":"ips[0]","detail":"not an address\u001b[2J"}]}"#;

fn keyward(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command
        .args(arguments)
        .env("KEYWARD_URL", url)
        .env("KEYWARD_KEY", "mk-secret")
        .env("KEYWARD_PROJECT", "acme");
    command.timeout(Duration::from_secs(60)).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_new_keys_secret_stands_alone_in_a_pipe() {
    let stub = Stub::new(&[("201 Created", CREATED)]);
    let output = keyward(
        &stub.url,
        &[
            "keys", "create", "--name", "Job", "--scope", "a:b", "--path", "GET /x",
        ],
    );
    assert_eq!(
        (text(&output.stdout), output.status.code()),
        (format!("{SECRET}\n").as_str(), Some(0))
    );
    assert!(text(&output.stderr).contains(ID) && !text(&output.stderr).contains(SECRET));
    let call = &stub.calls()[0];
    assert_eq!(call.line, "POST /_keyward/v1/projects/acme/keys HTTP/1.1");
    assert!(
        call.headers
            .contains(&"authorization: bearer mk-secret".to_owned())
    );
    assert!(
        call.headers
            .contains(&"content-type: application/json".to_owned())
    );
    let sent: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(
        sent,
        json!({"name": "Job", "scopes": ["a:b"], "paths": ["GET /x"]})
    );
}

#[test]
fn json_is_printed_as_it_came() {
    let stub = Stub::new(&[("201 Created", CREATED)]);
    let output = keyward(&stub.url, &["--json", "keys", "create"]);
    assert_eq!(text(&output.stdout), format!("{CREATED}\n"));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn rows_in_a_pipe_are_tab_separated_and_pages_are_followed() {
    let page = |id: &str, next: Value| {
        let key = json!({"id": id, "name": "A\tb", "kind": "private", "environment": "live", "status": "active", "owner": "o", "created_at": "t"});
        json!({"items": [key], "next_cursor": next}).to_string()
    };
    let (first, last) = (page("key_1", json!("c/1")), page("key_2", Value::Null));
    let stub = Stub::new(&[("200 OK", &first), ("200 OK", &last)]);
    let output = keyward(
        &stub.url,
        &[
            "keys", "list", "--all", "--status", "active", "--owner", "a b&c",
        ],
    );
    let row = |id: &str| format!("{id}\tA\u{fffd}b\tprivate\tlive\tactive\to\tt\t\n");
    assert_eq!(text(&output.stdout), row("key_1") + &row("key_2"));
    let calls = stub.calls();
    assert_eq!(
        calls[0].line,
        "GET /_keyward/v1/projects/acme/keys?status=active&owner=a+b%26c&limit=50 HTTP/1.1"
    );
    assert!(
        calls[1].line.contains("&limit=50&cursor=c%2F1 "),
        "{}",
        calls[1].line
    );

    let stub = Stub::new(&[("200 OK", &first)]);
    let output = keyward(&stub.url, &["keys", "list"]);
    assert!(text(&output.stderr).contains("--cursor c/1"));
}

#[test]
fn changes_call_the_right_endpoint() {
    for (verb, line) in [
        (
            "revoke",
            format!("POST /_keyward/v1/projects/acme/keys/{ID}/revoke HTTP/1.1"),
        ),
        (
            "disable",
            format!("POST /_keyward/v1/projects/acme/keys/{ID}/disable HTTP/1.1"),
        ),
        (
            "enable",
            format!("POST /_keyward/v1/projects/acme/keys/{ID}/enable HTTP/1.1"),
        ),
        (
            "delete",
            format!("DELETE /_keyward/v1/projects/acme/keys/{ID} HTTP/1.1"),
        ),
    ] {
        let answer =
            json!({"key": {"id": ID, "status": "x"}, "publication": "pending"}).to_string();
        let stub = Stub::new(&[("200 OK", &answer)]);
        let yes: &[&str] = if matches!(verb, "revoke" | "delete") {
            &["--yes"]
        } else {
            &[]
        };
        let output = keyward(&stub.url, &[&["keys", verb, ID], yes].concat());
        assert_eq!(
            (stub.calls()[0].line.as_str(), output.status.code()),
            (line.as_str(), Some(0))
        );
        assert!(text(&output.stderr).contains("pending"));
    }
}

#[test]
fn what_cannot_be_undone_is_not_done_without_a_yes() {
    let stub = Stub::new(&[]);
    for verb in ["revoke", "delete"] {
        let output = keyward(&stub.url, &["keys", verb, ID]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("--yes"));
    }
    assert!(stub.calls().is_empty());
}

#[test]
fn a_refusal_is_told_with_its_fields_and_its_fix() {
    let stub = Stub::new(&[("422 Unprocessable Content", PROBLEM)]);
    let output = keyward(&stub.url, &["keys", "create", "--ip", "x"]);
    assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)));
    assert_eq!(
        text(&output.stderr),
        "error: Key cannot be created (422 key_spec_invalid)\n  The key's fields are not valid together.\n  \
         ips[0]: not an address\u{fffd}[2J\n  fix: See `errors`.\n  request id req-1\n"
    );
    let stub = Stub::new(&[("422 Unprocessable Content", PROBLEM)]);
    let output = keyward(&stub.url, &["keys", "create", "--json"]);
    assert_eq!(text(&output.stderr), format!("{PROBLEM}\n"));
}

#[test]
fn an_answer_that_is_not_keywards_is_told_as_such() {
    for (status, body) in [
        ("502 Bad Gateway", "<html>"),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", ""),
    ] {
        let stub = Stub::new(&[(status, body)]);
        let output = keyward(&stub.url, &["projects", "list"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            text(&output.stderr).contains("is KEYWARD_URL right?"),
            "{}",
            text(&output.stderr)
        );
    }
    let output = keyward("http://127.0.0.1:9", &["projects", "list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot be reached"));
}

#[test]
fn projects_are_created_listed_and_shown() {
    let project = json!({"id": "acme", "name": "Acme", "status": "active", "created_at": "t"});
    let page = json!({"items": [project], "next_cursor": null}).to_string();
    let project = project.to_string();
    let stub = Stub::new(&[
        ("201 Created", &project),
        ("200 OK", &page),
        ("200 OK", &project),
    ]);
    let created = keyward(&stub.url, &["projects", "create", "acme", "--name", "Acme"]);
    let listed = keyward(&stub.url, &["projects", "list"]);
    let shown = keyward(&stub.url, &["projects", "show", "acme"]);
    assert_eq!(text(&created.stdout), "acme\n");
    assert_eq!(text(&listed.stdout), "acme\tAcme\tactive\tt\n");
    assert_eq!(
        text(&shown.stdout),
        "id\tacme\nname\tAcme\nstatus\tactive\ncreated_at\tt\n"
    );
    let calls = stub.calls();
    assert_eq!(calls[0].body, r#"{"id":"acme","name":"Acme"}"#);
    assert_eq!(calls[2].line, "GET /_keyward/v1/projects/acme HTTP/1.1");
}

#[test]
fn what_is_no_id_never_becomes_part_of_an_address() {
    for arguments in [
        &["keys", "show", "../projects"][..],
        &["keys", "show", SECRET],
        &["keys", "show", ID, "--project", "../x"],
        &["projects", "show", "a/b"],
        &["keys", "list", "--limit", "101"],
        &["keys"],
        &["unknown"],
    ] {
        let output = keyward("http://127.0.0.1:9", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn url_and_key_come_from_the_environment_only() {
    for missing in ["KEYWARD_URL", "KEYWARD_KEY"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
        command
            .args(["projects", "list"])
            .env("KEYWARD_URL", "http://127.0.0.1:9")
            .env("KEYWARD_KEY", "k")
            .env_remove(missing);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(missing));
    }
    let output = keyward("http://gateway.example.com", &["projects", "list"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("in the clear"));
}
