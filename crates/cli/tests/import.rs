//! `keyward keys import` against a stand-in: what is sent, the report, and what is left after the
//! process was killed.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod stub;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use stub::{Call, Reply, Stub};
use tempfile::TempDir;

fn command(url: &str, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command
        .current_dir(directory)
        .args(["keys", "import"])
        .args(arguments)
        .env("KEYWARD_URL", url)
        .env("KEYWARD_KEY", "mk-secret")
        .env("KEYWARD_PROJECT", "acme")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn import(url: &str, directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(url, directory, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// As much of a registry as imports show: keys by their secrets, and the answers of ten minutes.
#[derive(Default)]
struct Registry {
    keys: BTreeMap<String, usize>,
    answers: HashMap<String, (String, Reply)>,
}

impl Registry {
    fn import(&mut self, call: &Call) -> Reply {
        let name = call.header("idempotency-key").unwrap().to_owned();
        if let Some((body, reply)) = self.answers.get(&name) {
            assert_eq!(body, &call.body, "a name is bound to its body");
            return reply.clone();
        }
        let (mut created, mut existing, mut errors) = (0, 0, Vec::new());
        for (number, line) in (1..).zip(call.body.lines()) {
            let key: Value = serde_json::from_str(line).unwrap();
            if key["name"] == "bad" {
                errors.push(json!({"line": number, "code": "key_spec_invalid", "errors": [{"field": "ips[0]", "detail": "no address"}]}));
            } else if let Some(times) = self.keys.get_mut(key["secret"].as_str().unwrap()) {
                *times += 0;
                existing += 1;
            } else {
                self.keys
                    .insert(key["secret"].as_str().unwrap().to_owned(), 1);
                created += 1;
            }
        }
        let reply = Reply::ok(json!({
            "lines": call.body.lines().count(), "created": created, "existing": existing,
            "refused": errors.len(), "publication": "published", "keys": [], "errors": errors,
        }));
        self.answers
            .insert(name, (call.body.clone(), reply.clone()));
        reply
    }
}

fn lines(count: usize) -> String {
    (0..count)
        .map(|number| json!({"name": format!("Key {number}"), "secret": format!("legacy-secret-{number:010}")}).to_string() + "\n")
        .collect()
}

#[test]
fn refused_lines_are_told_with_the_lines_of_the_input() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(
        path("keys.csv"),
        "name,secret,environment\nGood,legacy-secret-good-0001,test\nbad,legacy-secret-bad-00001,\n\nShort,short,\nGood too,legacy-secret-good-0002,\n",
    )
    .unwrap();
    let registry = Mutex::new(Registry::default());
    let stub = Stub::answering(move |call| registry.lock().unwrap().import(call));
    let (code, stdout, stderr) = import(
        &stub.url,
        directory.path(),
        &[
            "--from",
            "csv",
            "keys.csv",
            "--environment",
            "live",
            "--report",
            "refused.ndjson",
        ],
    );
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(stdout, "created\t2\nexisting\t0\nrefused\t2\n");
    assert!(
        stderr.contains("3\tkey_spec_invalid\tips[0]\tno address\n"),
        "{stderr}"
    );
    assert!(
        stderr.contains("5\tkey_spec_invalid\tsecret\thas 5 characters"),
        "{stderr}"
    );
    assert!(
        stderr.ends_with("error: 2 lines were refused\n"),
        "{stderr}"
    );
    let report: Vec<Value> = fs::read_to_string(path("refused.ndjson"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        report[0],
        json!({"line": 3, "code": "key_spec_invalid", "errors": [{"field": "ips[0]", "detail": "no address"}]})
    );
    assert_eq!((report.len(), &report[1]["line"]), (2, &json!(5)));
    let calls = stub.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].target(), "POST projects/acme/keys:import");
    assert_eq!(
        calls[0].header("content-type"),
        Some("application/x-ndjson")
    );
    let sent: Vec<Value> = calls[0]
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(sent.len(), 3);
    assert_eq!(
        (&sent[0]["environment"], &sent[1]["environment"]),
        (&json!("test"), &json!("live"))
    );
    assert!(!path("keys.csv.keyward-import").exists());
}

#[test]
fn with_hash_no_secret_leaves_the_machine_and_a_dry_run_leaves_nothing_behind() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("keys.ndjson"), lines(1)).unwrap();
    let answer = r#"{"lines":1,"created":1,"existing":0,"refused":0,"publication":"published","keys":[],"errors":[]}"#;
    let stub = Stub::new(&[("200 OK", answer)]);
    let (code, stdout, stderr) = import(
        &stub.url,
        directory.path(),
        &[
            "--json",
            "--from",
            "ndjson",
            "keys.ndjson",
            "--hash",
            "--dry-run",
        ],
    );
    assert_eq!(code, Some(0), "{stderr}");
    let printed: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&printed["created"], &printed["dry_run"]),
        (&json!(1), &json!(true))
    );
    let call = &stub.calls()[0];
    assert_eq!(call.target(), "POST projects/acme/keys:import?dry_run=true");
    assert!(!call.body.contains("legacy-secret") && call.body.contains("\"sha256\":\""));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again_under_the_same_name() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("keys.ndjson"), lines(5)).unwrap();
    let mut registry = Registry::default();
    let mut calls = 0;
    let stub = Stub::answering(move |call| {
        calls += 1;
        let reply = registry.import(call);
        if calls == 2 { Reply::Lost } else { reply }
    });
    let (code, stdout, stderr) = import(
        &stub.url,
        directory.path(),
        &["--from", "ndjson", "keys.ndjson", "--batch", "2"],
    );
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), "created\t5\nexisting\t0\nrefused\t0\n"),
        "{stderr}"
    );
    let calls = stub.calls();
    let names: Vec<_> = calls
        .iter()
        .map(|call| call.header("idempotency-key").unwrap())
        .collect();
    assert_eq!(names.len(), 4);
    assert!(names[1] == names[2] && names[0] != names[1] && names[2] != names[3]);
}

#[test]
fn a_killed_import_goes_on_where_it_was() {
    let directory = TempDir::new().unwrap();
    let arguments = ["--from", "ndjson", "keys.ndjson", "--batch", "10"];
    let mut text = lines(35);
    text.insert_str(
        0,
        "{\"name\":\"bad\",\"secret\":\"legacy-secret-of-the-bad\"}\nnot JSON\n",
    );
    fs::write(directory.path().join("keys.ndjson"), text).unwrap();
    let registry = Arc::new(Mutex::new(Registry::default()));
    let shared = Arc::clone(&registry);
    let mut calls = 0;
    let stub = Stub::answering(move |call| {
        calls += 1;
        let reply = shared.lock().unwrap().import(call);
        // The third is carried out, and nobody hears of it.
        if calls == 3 { Reply::Silence } else { reply }
    });
    let mut first = command(&stub.url, directory.path(), &arguments)
        .spawn()
        .unwrap();
    while stub.calls().len() < 3 {
        thread::sleep(Duration::from_millis(5));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(registry.lock().unwrap().keys.len(), 29);

    let (code, stdout, stderr) = import(&stub.url, directory.path(), &arguments);
    assert_eq!(code, Some(1), "{stderr}");
    assert_eq!(stdout, "created\t35\nexisting\t0\nrefused\t2\n");
    assert!(stderr.contains("Going on after 21 of 37 keys"), "{stderr}");
    // What the first run heard of is in the report of the second.
    assert!(
        stderr.contains("1\tkey_spec_invalid\tips[0]")
            && stderr.contains("2\tkey_spec_invalid\tkey"),
        "{stderr}"
    );
    let calls = stub.calls();
    assert_eq!(calls.len(), 5);
    assert_eq!(
        (calls[2].header("idempotency-key"), &calls[2].body),
        (calls[3].header("idempotency-key"), &calls[3].body)
    );
    assert_eq!(registry.lock().unwrap().keys.len(), 35);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    // A later import of the same file is another one: nothing is answered from memory.
    let (_, stdout, _) = import(&stub.url, directory.path(), &arguments);
    assert_eq!(stdout, "created\t0\nexisting\t35\nrefused\t2\n");
}

#[test]
fn killed_at_any_moment_nothing_is_missing_and_nothing_twice() {
    const KEYS: usize = 2000;
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("keys.ndjson"), lines(KEYS)).unwrap();
    let registry = Arc::new(Mutex::new(Registry::default()));
    let shared = Arc::clone(&registry);
    let stub = Stub::answering(move |call| {
        let reply = shared.lock().unwrap().import(call);
        thread::sleep(Duration::from_millis(1));
        reply
    });
    let arguments = ["--from", "ndjson", "keys.ndjson", "--batch", "20"];
    let mut kills = 0;
    for round in 0_u64.. {
        let mut child = command(&stub.url, directory.path(), &arguments)
            .spawn()
            .unwrap();
        // Moments that differ, and that let it get on.
        thread::sleep(Duration::from_millis(30 + round * 7919 % 70));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(round < 500, "it does not get on");
    }
    assert!(kills > 2, "{kills}");
    assert_eq!(registry.lock().unwrap().keys.len(), KEYS);
    // No line was sent often: what was acknowledged is not sent again.
    let sent: usize = stub
        .calls()
        .iter()
        .map(|call| call.body.lines().count())
        .sum();
    assert!(sent <= KEYS + 20 * kills, "{sent} after {kills}");
    assert!(!directory.path().join("keys.ndjson.keyward-import").exists());
}

#[test]
fn a_checkpoint_of_another_import_is_not_used() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("keys.ndjson");
    fs::write(&file, lines(4)).unwrap();
    let registry = Mutex::new(Registry::default());
    let stub = Stub::answering(move |call| {
        if registry.lock().unwrap().keys.len() == 2 && call.target().contains("acme/") {
            Reply::problem(403, "scope_missing")
        } else {
            registry.lock().unwrap().import(call)
        }
    });
    let arguments = ["--from", "ndjson", "keys.ndjson", "--batch", "2"];
    let (code, _, stderr) = import(&stub.url, directory.path(), &arguments);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("Stopped after 2 of 4 keys"), "{stderr}");
    for (more, content, reason) in [
        (
            &["--project", "other"][..],
            lines(4),
            "into another project",
        ),
        (&["--environment", "test"], lines(4), "with other arguments"),
        (&[], lines(5), "of other content"),
    ] {
        let checkpoint = directory.path().join("keys.ndjson.keyward-import");
        let kept = fs::read(&checkpoint).unwrap();
        fs::write(&file, content).unwrap();
        let (_, _, stderr) = import(
            &stub.url,
            directory.path(),
            &[&arguments[..], more].concat(),
        );
        assert!(
            stderr.contains(&format!(
                "keys.ndjson.keyward-import is not used: it is of an import {reason}."
            )),
            "{stderr}"
        );
        fs::write(checkpoint, kept).unwrap();
    }
}

#[test]
fn other_gateways_files_are_converted() {
    let directory = TempDir::new().unwrap();
    for (from, file, sent) in [
        ("unkey", "unkey.json", 2),
        ("kong", "kong.yaml", 5),
        ("apisix", "apisix.yaml", 3),
        ("apisix", "apisix.json", 2),
    ] {
        let path = format!("{}/tests/import/{file}", env!("CARGO_MANIFEST_DIR"));
        fs::copy(path, directory.path().join(file)).unwrap();
        let answer = json!({"lines": sent, "created": sent, "existing": 0, "refused": 0, "publication": "published", "errors": []});
        let stub = Stub::new(&[("200 OK", &answer.to_string())]);
        let (_, stdout, stderr) = import(&stub.url, directory.path(), &["--from", from, file]);
        assert!(
            stdout.starts_with(&format!("created\t{sent}\n")),
            "{file}: {stderr}"
        );
        assert_eq!(stub.calls()[0].body.lines().count(), sent, "{file}");
    }
}

#[test]
fn what_cannot_be_read_is_said_before_anything_is_sent() {
    let directory = TempDir::new().unwrap();
    fs::write(
        directory.path().join("latin1.csv"),
        b"name,secret\n\xe4,x\n",
    )
    .unwrap();
    fs::write(directory.path().join("bad.csv"), "nome,secret\n").unwrap();
    for (arguments, code, part) in [
        (
            &["--from", "csv", "latin1.csv"][..],
            1,
            "latin1.csv:2: is not UTF-8",
        ),
        (&["--from", "csv", "bad.csv"], 1, "no field \"nome\""),
        (&["--from", "csv", "missing.csv"], 2, "cannot be read"),
        (&["--from", "xml", "bad.csv"], 2, "possible values"),
        (
            &["--from", "csv", "bad.csv", "--batch", "1001"],
            2,
            "1..=1000",
        ),
    ] {
        let (exit, _, stderr) = import("http://127.0.0.1:9", directory.path(), arguments);
        assert_eq!(exit, Some(code), "{stderr}");
        assert!(stderr.contains(part), "{stderr}");
    }
}
