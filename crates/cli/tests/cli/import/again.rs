//! An import that was interrupted goes on: nothing is missing, and nothing is there twice.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::*;

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
        // Moments that differ, and that let it get on, on a busy machine too.
        thread::sleep(Duration::from_millis(30 + round + round * 7919 % 70));
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
