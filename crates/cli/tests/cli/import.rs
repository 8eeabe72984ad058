//! `keyward keys import` against a stand-in: what is sent, and the report.

mod again;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stub::{Call, Reply, Stub};

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
