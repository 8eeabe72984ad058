//! An import with owners that stops halfway, and is given again, against a stand-in.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Done, keyward};
use crate::stub::{Call, Reply, Stub};

/// What a project does about its one owner, and with keys.
#[derive(Default)]
struct Project {
    /// The credits that the owner's keys share.
    credits: Option<u64>,
    /// The secrets that it has.
    secrets: BTreeSet<String>,
    /// Whether it fails from the second batch on.
    fails: bool,
    /// Whether owners cannot be changed.
    fails_owners: bool,
}

impl Project {
    fn answer(&mut self, call: &Call) -> Reply {
        let target = call.target();
        if target.starts_with("GET projects/acme/owners?") {
            let limits = self.credits.map(|credits| {
                json!({"owner": "ann", "keys": 0, "limits": {"credits": {"balance": credits}}})
            });
            return Reply::ok(json!({"items": Vec::from_iter(limits), "next_cursor": null}));
        }
        if target.starts_with("GET projects/acme/keys?") {
            return Reply::ok(json!({"items": [], "next_cursor": null}));
        }
        if target == "POST projects/acme/owners:limit" {
            if self.fails_owners {
                return Reply::problem(403, "scope_missing");
            }
            let body: Value = serde_json::from_str(&call.body).unwrap();
            self.credits = body["limits"]["credits"]["balance"].as_u64();
            return Reply::ok(json!({"owner": "ann", "keys": 0}));
        }
        assert_eq!(target, "POST projects/acme/keys:import");
        if self.fails && !self.secrets.is_empty() {
            return Reply::problem(403, "scope_missing");
        }
        let keys: Vec<Value> = call
            .body
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let secret = |key: &Value| key["secret"].as_str().unwrap().to_owned();
        let created = keys
            .iter()
            .filter(|key| self.secrets.insert(secret(key)))
            .count();
        Reply::ok(json!({
            "lines": keys.len(), "created": created, "existing": keys.len() - created, "refused": 0,
            "publication": "published", "keys": [], "errors": [],
        }))
    }
}

fn project(project: Project) -> (Stub, Arc<Mutex<Project>>) {
    let project = Arc::new(Mutex::new(project));
    let answering = Arc::clone(&project);
    let stub = Stub::answering(move |call| answering.lock().unwrap().answer(call));
    (stub, project)
}

/// An owner's line, a key of it, and three keys of nobody.
fn written(directory: &TempDir) -> std::path::PathBuf {
    let path = directory.path().join("keys.ndjson");
    let owner = json!({"type": "owner", "owner": "ann", "limits": {"credits": {"balance": 5}}});
    let own = json!({"owner": "ann", "secret": "legacy-secret-of-ann-0001"});
    let others = (0..3).map(|number| json!({"secret": format!("legacy-secret-0000000{number}")}));
    let text: String = [owner, own]
        .into_iter()
        .chain(others)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&path, text).unwrap();
    path
}

fn import(stub: &Stub, path: &Path, more: &[&str]) -> Done {
    let file = path.to_str().unwrap();
    keyward(
        &stub.url,
        &[&["keys", "import", file, "--batch", "2"], more].concat(),
    )
}

#[test]
fn what_was_held_back_before_a_stop_is_judged_anew() {
    let directory = TempDir::new().unwrap();
    let path = written(&directory);
    let (stub, project) = project(Project {
        credits: Some(9),
        fails: true,
        ..Project::default()
    });
    let stopped = import(&stub, &path, &[]);
    assert_eq!((stopped.code, &*stopped.stdout), (Some(1), ""));
    stopped.notes("Stopped after 3 of 4 keys");

    // The owner has other limits still: the same is refused, and what was acknowledged is not sent.
    let again = import(&stub, &path, &[]);
    again.notes("Going on after 3 of 4 keys");

    project.lock().unwrap().credits = None;
    project.lock().unwrap().fails = false;
    let last = import(&stub, &path, &[]);
    last.notes("is not used: it is of an import that held back other keys.");
    last.prints("created\t2\nexisting\t2\nowners created\t1\nowners existing\t0\nrefused\t0\n");
    assert_eq!(last.code, Some(0), "{}", last.stderr);
    assert!(
        project
            .lock()
            .unwrap()
            .secrets
            .contains("legacy-secret-of-ann-0001")
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn refused_owners_are_told_also_where_the_import_stops() {
    for fails_owners in [false, true] {
        let directory = TempDir::new().unwrap();
        let path = written(&directory);
        if fails_owners {
            let wrong = json!({"type": "owner", "owner": "bob"});
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{wrong}\n{text}")).unwrap();
        }
        let (stub, _) = project(Project {
            credits: (!fails_owners).then_some(9),
            fails: true,
            fails_owners,
            ..Project::default()
        });
        let report = directory.path().join("refused.ndjson");
        let stopped = import(&stub, &path, &["--report", report.to_str().unwrap()]);
        assert_eq!((stopped.code, &*stopped.stdout), (Some(1), ""));
        let code = if fails_owners {
            "key_spec_invalid"
        } else {
            "key_state_conflict"
        };
        stopped.notes(&format!("1\t{code}\tlimits\t"));
        stopped.notes("scope_missing");
        let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
        assert_eq!(
            (&report["line"], &report["code"]),
            (&json!(1), &json!(code))
        );
    }
}
