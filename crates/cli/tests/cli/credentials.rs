//! `keyward credentials …`.

use crate::command::{calls, keyward, run};
use crate::stub::Stub;

const SHOWN: &str = r#"{"name":"OPENAI","origin":"https://api.openai.com","version":3,"created_at":"t","updated_at":"t"}"#;
const SET: [&str; 5] = [
    "credentials",
    "set",
    "OPENAI",
    "--origin",
    "https://API.openai.com:443",
];
const ACME: [(&str, &str); 1] = [("KEYWARD_PROJECT", "acme")];

#[test]
fn a_value_is_read_from_standard_input_and_never_printed() {
    let body = format!(r#"{{"credential":{SHOWN},"publication":"published"}}"#);
    for input in ["sk-0123", "sk-0123\n", "sk-0123\r\n"] {
        let stub = Stub::new(&[("200 OK", &body)]);
        let done = run(&stub.url, &SET, &ACME, input);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (Some(0), "OPENAI\thttps://api.openai.com\t3\tt\n")
        );
        let calls = stub.calls();
        assert_eq!(
            (calls[0].target().as_str(), calls[0].body.as_str()),
            (
                "PUT projects/acme/credentials/OPENAI",
                r#"{"origin":"https://api.openai.com","value":"sk-0123"}"#
            )
        );
        assert!(!done.stderr.contains("sk-0123"));
    }
}

#[test]
fn what_cannot_be_sent_in_a_header_is_not_set() {
    for input in ["", "\n", "a b", "a\nb", "é", &"x".repeat(4097)] {
        let stub = Stub::new(&[]);
        let done = run(&stub.url, &SET, &ACME, input);
        assert_eq!(done.code, Some(2), "{input:.10}");
        assert!(stub.calls().is_empty());
    }
    for arguments in [
        &[
            "credentials",
            "set",
            "openai",
            "--origin",
            "https://a.example",
        ],
        &[
            "credentials",
            "set",
            "OPENAI",
            "--origin",
            "https://a.example/v1",
        ],
    ] {
        assert_eq!(
            run("http://127.0.0.1:1", arguments, &ACME, "x").code,
            Some(2)
        );
    }
}

#[test]
fn a_list_has_no_values_and_a_deletion_is_asked_for() {
    let body = format!(r#"{{"items":[{SHOWN}],"next_cursor":null}}"#);
    let (done, _) = calls(&[("200 OK", &body)], &["credentials", "list"]);
    assert_eq!(done.stdout, "OPENAI\thttps://api.openai.com\t3\tt\n");

    let stub = Stub::new(&[]);
    let done = keyward(&stub.url, &["credentials", "delete", "OPENAI"]);
    assert_eq!(done.code, Some(2));
    assert!(stub.calls().is_empty());
    let (done, calls) = calls(
        &[("200 OK", "{}")],
        &["credentials", "delete", "OPENAI", "--yes"],
    );
    assert_eq!(done.stdout, "OPENAI\tdeleted\n");
    assert_eq!(calls, ["DELETE projects/acme/credentials/OPENAI"]);
}
