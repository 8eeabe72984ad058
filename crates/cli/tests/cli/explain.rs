//! `keyward explain` as its users run it: the shared cases through a pipe, in one process.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use assert_cmd::Command;
use serde_json::{Map, Value, json};

const REFERRERS: &str = include_str!("../../../core/tests/cases/referrer_documented.jsonl");
const PATHS: &str = include_str!("../../../core/tests/cases/path_documented.jsonl");

fn referrer_question(case: &Value) -> Value {
    let sent = [("Origin", &case["origin"]), ("Referer", &case["referer"])];
    let headers: Map<_, _> = sent
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| ((*name).to_owned(), (*value).clone()))
        .collect();
    let key = json!({"kind": "public", "referrers": case["pattern"]});
    json!({"key": key, "request": {"method": "GET", "path": "/", "headers": headers}})
}

fn path_question(case: &Value) -> Value {
    let request = json!({"method": case["method"], "path": case["raw_path"]});
    json!({"key": {"kind": "private", "paths": case["rules"]}, "request": request})
}

fn explain(input: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_keyward"))
        .arg("explain")
        .write_stdin(input)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_shared_cases_are_answered_through_a_pipe() {
    let cases = |text: &str| {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect::<Vec<Value>>()
    };
    let (referrers, paths) = (cases(REFERRERS), cases(PATHS));
    let questions = referrers
        .iter()
        .map(referrer_question)
        .chain(paths.iter().map(path_question));
    let mut input = String::new();
    questions.for_each(|question| writeln!(input, "{question}").unwrap());

    let answers = explain(&input);
    assert_eq!(answers.len(), referrers.len() + paths.len());
    for (case, answer) in referrers.iter().chain(&paths).zip(answers) {
        let expected = if case["allow"] == true {
            "allow"
        } else {
            "deny"
        };
        assert_eq!(answer["decision"], expected, "{case}\n{answer}");
    }
}

#[test]
fn bad_lines_are_answered_and_end_nothing() {
    let good = r#"{"key":{"kind":"private"},"request":{"method":"GET","path":"/"}}"#;
    let input = format!("{good}\nnot json\n\n[]\n{{\"key\":{{}}}}\n{good}");
    let answers = explain(&input);
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| answer["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "ok",
            "body_invalid",
            "body_invalid",
            "body_invalid",
            "body_invalid",
            "ok"
        ]
    );
    assert!(
        answers
            .iter()
            .filter(|answer| answer["code"] == "body_invalid")
            .all(|answer| answer["status"] == 400)
    );
    assert!(explain("").is_empty());
}

#[test]
fn rules_in_unicode_are_converted() {
    let question = json!({
        "key": {"referrers": ["https://*.b\u{fc}cher.example"]},
        "request": {"method": "GET", "path": "/", "headers": {"origin": "https://www.xn--bcher-kva.example"}},
    });
    assert_eq!(explain(&question.to_string())[0]["decision"], "allow");
    // A converted rule is held to the same grammar: this one is `*.com` in full-width letters.
    let question = question
        .to_string()
        .replace("*.b\u{fc}cher.example", "*.\u{ff43}\u{ff4f}\u{ff4d}");
    assert_eq!(explain(&question)[0]["code"], "key_spec_invalid");
}

#[test]
fn a_question_is_answered_before_the_next_is_asked() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_keyward"))
        .arg("explain")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        questions.write_all(b"{}\n").unwrap();
        assert!(answers.next().unwrap().unwrap().contains("body_invalid"));
    }
    drop(questions);
    assert!(answers.next().is_none());
    assert!(child.wait().unwrap().success());
}
