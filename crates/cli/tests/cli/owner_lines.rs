//! What owners' keys share, in exports and imports, against a stand-in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Done, keyward};
use crate::stub::{Call, Reply, Stub};

/// As much of a project as is asked here: its owners, and how many keys were imported.
#[derive(Default)]
struct Project {
    owners: BTreeMap<String, Value>,
    keys: usize,
    /// Owners that have keys.
    with_keys: BTreeSet<String>,
}

impl Project {
    fn answer(&mut self, call: &Call) -> Reply {
        let target = call.target();
        if target == "GET projects/acme/keys:export?limit=500" {
            return Reply::ok("{\"id\":\"key_1\",\"status\":\"active\"}\n");
        }
        if target.starts_with("GET projects/acme/owners?limit=100") {
            // A page has one.
            let from = target.split_once("cursor=").map_or("", |(_, from)| from);
            let mut rest = self
                .owners
                .iter()
                .filter(|(owner, _)| owner.as_str() > from);
            let items: Vec<_> = rest.next().into_iter().collect();
            let next = items.first().filter(|_| rest.next().is_some());
            let shown: Vec<_> = items.iter().map(|(_, owner)| owner).collect();
            return Reply::ok(json!({"items": shown, "next_cursor": next.map(|(owner, _)| owner)}));
        }
        if let Some(owner) = target.strip_prefix("GET projects/acme/keys?owner=") {
            let owner = owner.strip_suffix("&limit=1").unwrap();
            let keys: &[_] = if self.with_keys.contains(owner) {
                &[json!({"id": "key_1"})]
            } else {
                &[]
            };
            return Reply::ok(json!({"items": keys, "next_cursor": null}));
        }
        if let Some(query) = target.strip_prefix("POST projects/acme/keys:import") {
            let lines = call.body.lines().count();
            for line in call.body.lines().filter(|_| query.is_empty()) {
                let key: Value = serde_json::from_str(line).unwrap();
                self.with_keys
                    .extend(key["owner"].as_str().map(str::to_owned));
                self.keys += 1;
            }
            return Reply::ok(json!({
                "lines": lines, "created": lines, "existing": 0, "refused": 0,
                "publication": "published", "keys": [], "errors": [],
            }));
        }
        let body: Value = serde_json::from_str(&call.body).unwrap();
        let name = body["owner"].as_str().unwrap().to_owned();
        if name == "refused" {
            return Reply::problem(422, "key_spec_invalid");
        }
        let empty = json!({"owner": name, "keys": 0});
        let owner = self.owners.entry(name).or_insert(empty);
        match target.as_str() {
            "POST projects/acme/owners:limit" => owner["limits"] = body["limits"].clone(),
            "POST projects/acme/owners:suspend" => {
                owner["suspended_at"] = json!("2026-11-22T00:00:00Z");
                owner["note"] = body["note"].clone();
            }
            other => panic!("{other}"),
        }
        Reply::ok(owner)
    }
}

fn project() -> (Stub, Arc<Mutex<Project>>) {
    let project = Arc::new(Mutex::new(Project::default()));
    let answering = Arc::clone(&project);
    let stub = Stub::answering(move |call| answering.lock().unwrap().answer(call));
    (stub, project)
}

fn targets(stub: &Stub) -> Vec<String> {
    stub.calls().iter().map(Call::target).collect()
}

fn limits() -> Value {
    json!({"rate": [{"name": "60s", "limit": 5, "window_s": 60}], "credits": {"balance": 9}})
}

/// Imports these lines from a file.
fn import(stub: &Stub, lines: &[Value], more: &[&str]) -> Done {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    import_text(stub, &text, more)
}

fn import_text(stub: &Stub, text: &str, more: &[&str]) -> Done {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys.ndjson");
    fs::write(&path, text).unwrap();
    keyward(
        &stub.url,
        &[&["keys", "import", path.to_str().unwrap()], more].concat(),
    )
}

fn key(owner: &str) -> Value {
    json!({"owner": owner, "secret": "legacy-secret-0123456789"})
}

#[test]
fn owners_are_exported_before_the_keys_and_come_back_as_they_were() {
    let (from, there) = project();
    let owners = [
        json!({"owner": "a", "keys": 1, "limits": limits()}),
        json!({"owner": "b", "keys": 0, "suspended_at": "2026-11-22T00:00:00Z", "note": "unpaid"}),
    ];
    for owner in &owners {
        let name = owner["owner"].as_str().unwrap().to_owned();
        there.lock().unwrap().owners.insert(name, owner.clone());
    }
    let done = keyward(&from.url, &["keys", "export"]);
    let lines: Vec<Value> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines[..2],
        [
            json!({"type": "owner", "owner": "a", "limits": limits()}),
            json!({"type": "owner", "owner": "b", "suspended": true, "note": "unpaid"}),
        ]
    );
    assert_eq!((lines.len(), &lines[2]["id"]), (3, &json!("key_1")));
    done.notes("2 owners and 1 key exported.\n");
    done.notes("begin anew");
    let only = keyward(&from.url, &["keys", "export", "--status", "active"]);
    assert_eq!(only.stdout.lines().count(), 1);

    let (to, here) = project();
    let moved = [&lines[..2], &[key("a")]].concat();
    let done = import(&to, &moved, &[]);
    let counts = "created\t1\nexisting\t0\nowners created\t2\nowners existing\t0\nrefused\t0\n";
    assert_eq!(
        (done.code, &*done.stdout),
        (Some(0), counts),
        "{}",
        done.stderr
    );
    done.notes("credits with their first balance");
    assert_eq!(
        targets(&to),
        [
            "GET projects/acme/owners?limit=100",
            "GET projects/acme/keys?owner=a&limit=1",
            "POST projects/acme/owners:limit",
            "GET projects/acme/keys?owner=b&limit=1",
            "POST projects/acme/owners:suspend",
            "POST projects/acme/keys:import",
        ]
    );
    let exported = keyward(&to.url, &["keys", "export"]).stdout;
    for (line, expected) in exported.lines().zip(&lines[..2]) {
        assert_eq!(&serde_json::from_str::<Value>(line).unwrap(), expected);
    }

    let calls = to.calls().len();
    let before = here.lock().unwrap().owners.clone();
    let again = import(&to, &moved[..2], &["--json"]);
    let report: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        (&report["lines"], &report["owners"]),
        (&json!(2), &json!({"created": 0, "existing": 2}))
    );
    assert!(!again.stderr.contains("first balance"), "nothing begins");
    assert!(
        targets(&to)[calls..]
            .iter()
            .all(|target| target.starts_with("GET"))
    );
    assert_eq!(here.lock().unwrap().owners, before);
}

#[test]
fn what_is_wrong_with_an_owner_is_refused_with_its_line_and_its_keys() {
    let (stub, project) = project();
    let other = json!({"owner": "other", "keys": 1, "limits": {"credits": {"balance": 1}}});
    let free = json!({"owner": "free", "keys": 1, "limits": limits()});
    for owner in [other, free] {
        let name = owner["owner"].as_str().unwrap().to_owned();
        project.lock().unwrap().owners.insert(name, owner);
    }
    let lines = [
        json!({"type": "owner", "owner": "wrong", "limits": {"quota": {"limit": 1, "period": "week"}}}),
        json!({"type": "owner", "owner": "other", "limits": limits()}),
        json!({"type": "owner", "owner": "free", "limits": limits(), "suspended": true}),
        json!({"type": "owner", "owner": "refused", "limits": limits()}),
        key("wrong"),
        key("other"),
        key("good"),
        json!({"type": "owners", "owner": "x", "limits": limits()}),
    ];
    let done = import(&stub, &lines, &["--json"]);
    assert_eq!(done.code, Some(1));
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let refused: Vec<_> = report["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["line"].as_u64().unwrap(),
                one["code"].as_str().unwrap(),
                one["errors"][0]["field"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [
            (1, "key_spec_invalid", "limits.quota.period"),
            (2, "key_state_conflict", "limits"),
            (3, "key_state_conflict", "suspended"),
            (4, "key_spec_invalid", ""),
            (5, "key_spec_invalid", "owner"),
            (6, "key_spec_invalid", "owner"),
            (8, "key_spec_invalid", "type"),
        ]
    );
    assert_eq!(
        report["errors"][4]["errors"][0]["detail"],
        "line 1, which says what its keys share, is refused"
    );
    assert_eq!(
        (project.lock().unwrap().keys, &report["created"]),
        (1, &json!(1))
    );
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let (stub, project) = project();
    let owner = |limits: Value| json!({"type": "owner", "owner": "a", "limits": limits});
    let lines = [
        owner(limits()),
        owner(limits()),
        owner(json!({"credits": 1})),
    ];
    let run = |more: &[&str]| import(&stub, &lines, more);
    let dry = run(&["--dry-run"]);
    assert!(project.lock().unwrap().owners.is_empty());
    let wet = run(&[]);
    let counts = "created\t0\nexisting\t0\nowners created\t1\nowners existing\t1\nrefused\t1\n";
    assert_eq!((&*dry.stdout, &*wet.stdout), (counts, counts));
    assert_eq!(project.lock().unwrap().owners["a"]["limits"], limits());
}

#[test]
fn an_owner_that_an_import_left_half_done_is_completed() {
    let (stub, project) = project();
    let half = json!({"owner": "a", "keys": 0, "suspended_at": "2026-11-22T00:00:00Z"});
    project.lock().unwrap().owners.insert("a".to_owned(), half);
    let line = json!({"type": "owner", "owner": "a", "limits": limits(), "suspended": true});
    let done = import(&stub, &[line], &[]);
    done.prints("owners created\t1\n");
    let project = project.lock().unwrap();
    assert_eq!(project.owners["a"]["limits"], limits());
    assert!(project.owners["a"]["suspended_at"].is_string());
}

#[test]
fn an_owner_that_has_keys_there_and_shares_nothing_is_left_as_it_is() {
    let (stub, project) = project();
    let own = |name: &str| {
        project.lock().unwrap().with_keys.insert(name.to_owned());
    };
    for name in ["limited", "suspended", "both", "half"] {
        own(name);
    }
    let half = json!({"owner": "half", "keys": 1, "suspended_at": "2026-11-22T00:00:00Z"});
    let before = BTreeMap::from([("half".to_owned(), half)]);
    project.lock().unwrap().owners = before.clone();
    let lines = [
        json!({"type": "owner", "owner": "limited", "limits": limits()}),
        json!({"type": "owner", "owner": "suspended", "suspended": true}),
        json!({"type": "owner", "owner": "both", "limits": limits(), "suspended": true}),
        json!({"type": "owner", "owner": "half", "limits": limits(), "suspended": true}),
        key("limited"),
    ];
    for more in [&["--json", "--dry-run"][..], &["--json"]] {
        let done = import(&stub, &lines, more);
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        let refused: Vec<_> = report["errors"].as_array().unwrap()[..4]
            .iter()
            .map(|one| (one["code"].as_str(), one["errors"][0]["field"].as_str()))
            .collect();
        let conflict = |field| (Some("key_state_conflict"), Some(field));
        assert_eq!(
            refused,
            ["limits", "suspended", "limits", "limits"].map(conflict),
            "{more:?}"
        );
        assert_eq!((done.code, &report["refused"]), (Some(1), &json!(5)));
    }
    assert_eq!(project.lock().unwrap().owners, before);
    assert_eq!(project.lock().unwrap().keys, 0);
}

#[test]
fn where_a_line_may_be_any_owners_no_key_with_an_owner_is_imported() {
    let nobody = json!({"secret": "legacy-secret-9876543210"});
    for (line, held) in [
        // Whose they are is not known.
        (r#"{"type": "owner", "owner": "a", "suspended": tru"#, true),
        (
            r#"{"type": "owner", "owner": "a", "owner": "a", "suspended": true}"#,
            true,
        ),
        (r#"["owner", "a"]"#, true),
        (r#"{"type": "owner", "owner": 1, "suspended": true}"#, true),
        (
            r#"{"type": "owner", "owner": "a ", "suspended": true}"#,
            true,
        ),
        (r#"{"type": "owner", "suspended": true}"#, true),
        (
            r#"{"type": "owners", "owner": null, "suspended": true}"#,
            true,
        ),
        (r#"{"typ": "owner", "ownr": "a", "suspended": true}"#, true),
        // It is, and is that of the first key only.
        (
            r#"{"type": "Owner", "owner": "a", "suspended": true}"#,
            false,
        ),
        (
            r#"{"typ": "owner", "owner": "a", "limits": {"credits": 1}}"#,
            false,
        ),
        (
            r#"{"type": "key", "owner": "a", "secret": "legacy-secret-0000000000"}"#,
            false,
        ),
    ] {
        for more in [&["--json", "--dry-run"][..], &["--json"]] {
            let (stub, project) = project();
            let text = format!("{}\n{line}\n{}\n{nobody}\n", key("a"), key("b"));
            let done = import_text(&stub, &text, more);
            let report: Value = serde_json::from_str(&done.stdout).unwrap();
            let errors = report["errors"].as_array().unwrap();
            let lines: Vec<_> = errors.iter().map(|one| one["line"].as_u64()).collect();
            let expected: &[_] = if held { &[1, 2, 3] } else { &[1, 2] };
            assert_eq!(
                lines,
                expected.iter().copied().map(Some).collect::<Vec<_>>(),
                "{line}"
            );
            let detail = errors[0]["errors"][0]["detail"].as_str().unwrap();
            assert!(detail.starts_with("line 2"), "{line}: {detail}");
            let imported = !held && more.len() == 1;
            let project = project.lock().unwrap();
            assert_eq!(project.with_keys.contains("b"), imported, "{line}");
            assert!(!project.with_keys.contains("a"), "{line}");
        }
    }
}
