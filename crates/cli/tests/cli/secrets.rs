//! `keyward secrets`: what becomes of the text, and what is asked of the deployment.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use keyward_core::keyring::Keyring;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::run;
use crate::stub::{Reply, Stub};

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Runs without a deployment.
fn alone(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> crate::command::Done {
    let none = [("KEYWARD_URL", ""), ("KEYWARD_KEY", "")];
    run("", arguments, &[variables, &none].concat(), input)
}

/// A deployment of two projects, the second archived, whose entries are as `state` says at each call.
fn deployment(mut state: impl FnMut(usize) -> Value + Send + 'static) -> Stub {
    let mut asked = 0;
    Stub::answering(move |call| match call.target().as_str() {
        "GET projects?limit=100" => {
            Reply::ok(json!({"items": [{"id": "acme"}], "next_cursor": null}))
        }
        "GET projects?limit=100&status=archived" => {
            Reply::ok(json!({"items": [{"id": "old"}], "next_cursor": null}))
        }
        "GET projects/acme/publication" | "POST projects/acme/republish" => {
            asked += 1;
            Reply::ok(json!({"entries": state(asked), "outbox": {"pending": 0}}))
        }
        "GET projects/old/publication" | "POST projects/old/republish" => Reply::ok(json!({
            "entries": [
                {"id": "new", "state": "current", "records": 1, "published": 1, "finished_at": "2026-01-01T00:00:00Z"},
                {"id": "old", "state": "in_force", "records": 1, "published": 1, "droppable_at": "2026-01-01T00:05:00Z"},
            ],
            "outbox": {"pending": 0},
        })),
        other => panic!("{other}"),
    })
}

fn entries(published: u64, droppable_at: Option<&str>) -> Value {
    json!([
        {"id": "new", "state": "current", "records": 4, "published": published},
        {"id": "old", "state": "in_force", "records": 4, "published": 4, "droppable_at": droppable_at},
    ])
}

#[test]
fn rotate_puts_a_fresh_entry_first_and_prints_the_text_alone() {
    let text = format!("dev1:{KEY}");
    for (variables, input) in [
        (&[("KEYWARD_SECRET", text.as_str())][..], ""),
        (&[("KEYWARD_SECRET", "")], format!("{text}\n").as_str()),
        (
            &[("KEYWARD_SECRET", "")],
            format!("A=b\nKEYWARD_SECRET={text}\n").as_str(),
        ),
    ] {
        let done = alone(&["secrets", "rotate"], variables, input);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        let new = done.stdout.trim_end();
        assert!(
            new.ends_with(&format!(",{text}")) && !new.contains('\n'),
            "{new}"
        );
        let keyring = Keyring::parse(new).unwrap();
        let fresh = new.split(':').nth(1).unwrap().split(',').next().unwrap();
        assert!(!done.stderr.contains(fresh) && done.stderr.contains(keyring.current().id()));
    }
}

#[test]
fn a_file_is_changed_in_place() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(".dev.vars");
    let file = path.to_str().unwrap();
    fs::write(
        &path,
        format!("ORIGIN_KEY=x\nKEYWARD_SECRET=\"a:{KEY}\"\nKEYWARD_BOOTSTRAP_KEY=y\n"),
    )
    .unwrap();
    let value = || {
        let text = fs::read_to_string(&path).unwrap();
        let line = text.lines().nth(1).unwrap().to_owned();
        assert!(
            text.starts_with("ORIGIN_KEY=x\n") && text.ends_with("\nKEYWARD_BOOTSTRAP_KEY=y\n")
        );
        line.strip_prefix("KEYWARD_SECRET=").unwrap().to_owned()
    };
    let done = alone(&["secrets", "rotate", "--file", file], &[], "");
    assert_eq!(done.stdout, format!("{}\n", value()), "{}", done.stderr);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    let current = Keyring::parse(&value()).unwrap().current().id().to_owned();
    let done = alone(&["secrets", "drop", &current, "--file", file], &[], "");
    assert!(
        done.code == Some(1) && done.stderr.contains("is the first entry"),
        "{}",
        done.stderr
    );
    let done = alone(&["secrets", "drop", "b", "--file", file], &[], "");
    assert!(
        done.code == Some(1) && done.stderr.contains("there is no entry b"),
        "{}",
        done.stderr
    );
    let done = alone(
        &["secrets", "drop", "a", "--remove", "--file", file],
        &[],
        "",
    );
    assert!(
        done.code == Some(1) && done.stderr.contains("only a retired entry"),
        "{}",
        done.stderr
    );
    let done = alone(&["secrets", "drop", "a", "--file", file, "--json"], &[], "");
    assert!(done.stderr.contains("Not checked"), "{}", done.stderr);
    let text = value();
    let (_, written) = text.split_once(",-a@").unwrap();
    let until: u64 = written
        .strip_suffix(&format!(":{KEY}"))
        .unwrap()
        .parse()
        .unwrap();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert!((now + 890..=now + 900).contains(&until), "{until}");
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        answer,
        json!({"entries": [{"id": current, "state": "current"}, {"id": "a", "state": "retired"}]})
    );
    let done = alone(
        &["secrets", "drop", "a", "--leaked", "--file", file],
        &[],
        "",
    );
    assert!(value().ends_with(&format!(",-a:{KEY}")), "{}", done.stderr);
    let done = alone(
        &["secrets", "drop", "a", "--remove", "--file", file],
        &[],
        "",
    );
    assert!(
        !value().contains(',') && done.stderr.contains("imported_keys"),
        "{}",
        done.stderr
    );
}

#[test]
fn four_entries_are_the_most() {
    let text = format!("d:{KEY},c:{KEY},b:{KEY},a:{KEY}");
    let done = alone(&["secrets", "rotate"], &[("KEYWARD_SECRET", &text)], "");
    assert_eq!((done.code, &*done.stdout), (Some(1), ""));
    done.notes("keyward secrets drop a");
}

#[test]
fn status_is_a_row_for_each_entry_over_all_projects() {
    let stub = deployment(|_| entries(3, None));
    let done = run(&stub.url, &["secrets", "status"], &[], "");
    assert_eq!(
        done.stdout, "new\tcurrent\t5\t4\t\nold\tin_force\t5\t5\tnot yet\n",
        "{}",
        done.stderr
    );
    let stub = deployment(|_| entries(4, Some("2999-01-01T00:00:00Z")));
    let done = run(&stub.url, &["secrets", "status"], &[], "");
    assert!(
        done.stdout
            .ends_with("old\tin_force\t5\t5\t2999-01-01T00:00:00Z\n"),
        "{}",
        done.stdout
    );
    let done = run(&stub.url, &["secrets", "status", "--json"], &[], "");
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (
            &answer["entries"][1]["published"],
            &answer["projects"]["acme"]["entries"][0]["records"]
        ),
        (&json!(5), &json!(4))
    );
}

#[test]
fn republish_waits_until_all_records_are_under_the_current_entry() {
    let stub = deployment(|asked| match asked {
        1 => entries(0, None),
        _ => entries(4, Some("2999-01-01T00:00:00Z")),
    });
    let done = run(&stub.url, &["secrets", "republish"], &[], "");
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    done.notes("old can go from 2999-01-01T00:00:00Z on:  keyward secrets drop old");
    let targets: Vec<_> = stub.calls().iter().map(crate::stub::Call::target).collect();
    assert_eq!(
        targets[2..],
        [
            "POST projects/acme/republish",
            "POST projects/old/republish",
            "GET projects?limit=100",
            "GET projects?limit=100&status=archived",
            "GET projects/acme/publication",
            "GET projects/old/publication"
        ]
    );
}

#[test]
fn an_entry_that_is_needed_is_dropped_only_by_force() {
    let text = format!("new:{KEY},old:{KEY}");
    let secret = [("KEYWARD_SECRET", text.as_str())];
    let stub = deployment(|_| entries(3, None));
    let done = run(
        &stub.url,
        &["secrets", "drop", "old", "--leaked"],
        &secret,
        "",
    );
    assert_eq!((done.code, &*done.stdout), (Some(1), ""));
    assert!(
        done.stderr.contains("records of acme stand under it")
            && done.stderr.contains("What a leaked entry is worth"),
        "{}",
        done.stderr
    );
    let forced = run(
        &stub.url,
        &["secrets", "drop", "old", "--force", "--leaked"],
        &secret,
        "",
    );
    assert_eq!(forced.stdout, format!("new:{KEY},-old:{KEY}\n"));
    let stub = deployment(|_| entries(4, Some("2999-01-01T00:00:00Z")));
    let done = run(&stub.url, &["secrets", "drop", "old"], &secret, "");
    assert!(
        done.code == Some(1) && done.stderr.contains("it can go from 2999"),
        "{}",
        done.stderr
    );
    let stub = deployment(|_| entries(4, Some("2026-01-01T00:00:00Z")));
    let done = run(&stub.url, &["secrets", "drop", "old"], &secret, "");
    let start = format!("new:{KEY},-old@");
    assert!(done.stdout.starts_with(&start), "{}", done.stderr);
}
