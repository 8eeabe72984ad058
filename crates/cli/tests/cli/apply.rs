//! `keyward apply` against a stand-in that keeps keys as the registry does: what is planned, what
//! is done, and that doing it again changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use keyward_core::spec;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::command::{Done, run};
use crate::stub::{Call, Reply, Stub};

const FILE: &str = r#"
project = "acme"

[[key]]
name = "Shop page"
referrers = ["https://Bücher.example/", "*.Example.com"]
expires_at = 2027-01-01T01:00:00+01:00
metadata = { team = "web", tier = 1 }

[[key]]
name = "Night job"
environment = "test"
scopes = ["orders:write", "orders:read"]
ips = ["2001:DB8::/32", "10.0.0.0/8"]
paths = ["GET /v1/orders/**"]
owner = "customer-17"
delete_protection = true
"#;

/// The keys of a project.
#[derive(Default)]
struct Project(BTreeMap<String, Value>);

impl Project {
    fn answer(&mut self, call: &Call) -> Reply {
        let target = call.target();
        let (method, path) = target.split_once(' ').unwrap();
        let path: Vec<_> = path.split('?').next().unwrap().split('/').collect();
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        match (method, &path[..]) {
            ("GET", ["projects", "acme", "keys"]) => Reply::ok(
                json!({"items": self.0.values().collect::<Vec<_>>(), "next_cursor": null}),
            ),
            ("POST", ["projects", "acme", "keys"]) => {
                let id = format!("key_{:020}", self.0.len());
                let key = view(&id, 1, &body);
                self.0.insert(id, key.clone());
                Reply::ok(
                    json!({"key": key, "secret": format!("secret-of-{}", body["name"].as_str().unwrap()), "publication": "published"}),
                )
            }
            ("PATCH" | "POST", ["projects", "acme", "keys", id, verb @ ..]) => {
                let key = self.0.get_mut(*id).unwrap();
                let version = key["version"].as_u64().unwrap();
                if call.header("if-match") != Some(&format!("\"{version}\"")) {
                    return Reply::problem(412, "version_conflict");
                }
                let mut fields = key.clone();
                match verb {
                    [] => merge(&mut fields, &body),
                    ["revoke"] => {
                        assert_eq!(body, json!({"reason": "cessationOfOperation"}));
                        fields["status"] = json!("revoked");
                    }
                    ["enable"] => fields["status"] = json!("active"),
                    ["disable"] => fields["status"] = json!("disabled"),
                    _ => panic!("{target}"),
                }
                let status = fields["status"].take();
                *key = view(id, version + 1, &fields);
                key["status"] = status;
                Reply::ok(json!({"key": key, "publication": "published"}))
            }
            _ => panic!("{target}"),
        }
    }

    fn named(&mut self, name: &str) -> &mut Value {
        self.0.values_mut().find(|key| key["name"] == name).unwrap()
    }
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    for (name, value) in patch.as_object().unwrap() {
        let fields = target.as_object_mut().unwrap();
        match value {
            Value::Null => drop(fields.remove(name)),
            Value::Object(_) => merge(fields.entry(name).or_insert_with(|| json!({})), value),
            _ => drop(fields.insert(name.clone(), value.clone())),
        }
    }
}

/// A key as the management API shows it.
fn view(id: &str, version: u64, fields: &Value) -> Value {
    let mut fields: Map<String, Value> = fields.as_object().unwrap().clone();
    fields.retain(|name, value| {
        !matches!(name.as_str(), "id" | "version" | "secrets") && !value.is_null()
    });
    let key = spec::validate(&Value::Object(fields)).unwrap();
    let mut shown = serde_json::to_value(&key.restrictions).unwrap();
    let more = json!({
        "id": id, "version": version, "name": key.name, "kind": key.kind, "environment": key.environment,
        "owner": key.owner, "status": key.status, "secrets": [], "metadata": key.metadata,
        "not_before": key.not_before.map(|time| time.to_string()),
        "expires_at": key.expires_at.map(|time| time.to_string()),
        "delete_protection": key.delete_protection.then_some(true),
    });
    for (name, value) in more.as_object().unwrap() {
        if !value.is_null() && *value != json!({}) {
            shown[name] = value.clone();
        }
    }
    shown
}

struct Scene {
    directory: TempDir,
    project: Arc<Mutex<Project>>,
    stub: Stub,
}

impl Scene {
    fn new() -> Self {
        let project = Arc::new(Mutex::new(Project::default()));
        let shared = Arc::clone(&project);
        Self {
            directory: TempDir::new().unwrap(),
            stub: Stub::answering(move |call| shared.lock().unwrap().answer(call)),
            project,
        }
    }

    fn apply(&self, file: &str, arguments: &[&str]) -> Done {
        let path = self.directory.path().join("keys.toml");
        fs::write(&path, file).unwrap();
        let arguments = [&["apply", "-f", path.to_str().unwrap()], arguments].concat();
        run(&self.stub.url, &arguments, &[], "")
    }

    fn changes(&self) -> usize {
        let calls = self.stub.calls();
        calls
            .iter()
            .filter(|call| !call.line.starts_with("GET"))
            .count()
    }
}

#[test]
fn applying_twice_changes_nothing() {
    let scene = Scene::new();
    let done = scene.apply(FILE, &["--yes"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert_eq!(
        done.stdout,
        "Shop page\tkey_00000000000000000000\tsecret-of-Shop page\nNight job\tkey_00000000000000000001\tsecret-of-Night job\n"
    );
    done.notes("acme: 2 to create, 0 to update, 0 to revoke, 0 unchanged.");
    let done = scene.apply(FILE, &["--yes"]);
    assert_eq!((done.code, &*done.stdout), (Some(0), ""));
    done.notes("acme: 0 to create, 0 to update, 0 to revoke, 2 unchanged.");
    assert_eq!(scene.changes(), 2);
}

#[test]
fn a_changed_file_changes_the_fields_that_differ_and_takes_off_what_is_absent() {
    let scene = Scene::new();
    scene.apply(FILE, &["--yes"]);
    let changed = FILE
        .replace(
            "metadata = { team = \"web\", tier = 1 }",
            "metadata = { team = \"shop\" }\nstatus = \"disabled\"",
        )
        .replace("owner = \"customer-17\"\n", "")
        .replace("delete_protection = true\n", "")
        .replace("\"https://Bücher.example/\", ", "");
    let dry = scene.apply(&changed, &["--dry-run"]);
    assert_eq!((dry.code, &*dry.stdout), (Some(0), ""));
    for line in [
        "~ update  live Shop page key_00000000000000000000\n      disable\n",
        "      metadata: {\"team\":\"web\",\"tier\":1} -> {\"team\":\"shop\"}\n",
        "      referrers: [\"*.example.com\",\"https://xn--bcher-kva.example/\"] -> [\"*.example.com\"]\n",
        "      delete_protection: true -> (none)\n      owner: \"customer-17\" -> (none)\n",
        "0 to create, 2 to update",
    ] {
        assert!(dry.stderr.contains(line), "{line}\n{}", dry.stderr);
    }
    assert_eq!(scene.changes(), 2);

    let done = scene.apply(&changed, &["--yes"]);
    assert_eq!((done.code, &*done.stdout), (Some(0), ""), "{}", done.stderr);
    let calls = scene.stub.calls();
    let patches: Vec<Value> = calls
        .iter()
        .filter(|call| call.line.starts_with("PATCH"))
        .map(|call| serde_json::from_str(&call.body).unwrap())
        .collect();
    assert_eq!(
        patches,
        [
            json!({"metadata": {"team": "shop", "tier": null}, "referrers": ["*.example.com"]}),
            json!({"owner": null, "delete_protection": null}),
        ]
    );
    assert_eq!(
        scene.project.lock().unwrap().named("Shop page")["status"],
        "disabled"
    );
    let again = scene.apply(&changed, &["--yes"]);
    assert!(again.stderr.contains("2 unchanged"), "{}", again.stderr);
    // A file that says nothing of it leaves a disabled key disabled.
    let silent = changed.replace("status = \"disabled\"\n", "");
    assert!(
        scene
            .apply(&silent, &["--yes"])
            .stderr
            .contains("2 unchanged")
    );
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_overwritten() {
    let scene = Scene::new();
    scene.apply(FILE, &["--yes"]);
    // Another version than the list says by the time of the change.
    let project = Arc::clone(&scene.project);
    let stub = Stub::answering(move |call| {
        let mut project = project.lock().unwrap();
        let reply = project.answer(call);
        if call.line.starts_with("GET") {
            project.named("Night job")["version"] = json!(7);
        }
        reply
    });
    let raced = Scene { stub, ..scene };
    let changed = FILE.replace("customer-17", "customer-18");
    let done = raced.apply(&changed, &["--yes"]);
    assert_eq!((done.code, &*done.stdout), (Some(1), ""));
    for part in [
        "Night job (key_00000000000000000001) has been changed since the plan was made",
        "fix: apply again",
        "Stopped after 0 of 1 changes",
    ] {
        done.notes(part);
    }
    assert_eq!(
        raced.project.lock().unwrap().named("Night job")["owner"],
        "customer-17"
    );
}

#[test]
fn prune_revokes_what_the_file_does_not_have() {
    let scene = Scene::new();
    scene.apply(FILE, &["--yes"]);
    let (first, _) = FILE.split_at(FILE.rfind("[[key]]").unwrap());
    let done = scene.apply(first, &["--prune", "--yes"]);
    done.notes("0 to revoke, 1 unchanged");
    let both = first.replace(
        "project = \"acme\"",
        "project = \"acme\"\nenvironments = [\"live\", \"test\"]",
    );
    let done = scene.apply(&both, &["--prune"]);
    assert_eq!(done.code, Some(2));
    assert!(
        done.stderr
            .contains("- revoke  test Night job key_00000000000000000001")
            && done.stderr.contains("--yes"),
        "{}",
        done.stderr
    );
    let done = scene.apply(&both, &["--prune", "--yes", "--json"]);
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        answer["plan"]["revoke"][0]["reason"],
        "cessationOfOperation"
    );
    assert_eq!(
        answer["outcome"],
        json!([{"action": "revoke", "id": "key_00000000000000000001", "name": "Night job", "environment": "test"}])
    );
    assert_eq!(
        scene.project.lock().unwrap().named("Night job")["status"],
        "revoked"
    );
    // A revoked key is in nobody's way.
    let done = scene.apply(FILE, &["--yes"]);
    assert_eq!(
        done.stdout,
        "Night job\tkey_00000000000000000002\tsecret-of-Night job\n"
    );
}

#[test]
fn a_secret_is_printed_before_the_next_step_can_fail() {
    let scene = Scene::new();
    let project = Arc::clone(&scene.project);
    let stub = Stub::answering(move |call| {
        if call.body.contains("Night job") {
            Reply::problem(422, "key_spec_invalid")
        } else {
            project.lock().unwrap().answer(call)
        }
    });
    let scene = Scene { stub, ..scene };
    let done = scene.apply(FILE, &["--yes"]);
    assert_eq!(done.code, Some(1));
    assert_eq!(
        done.stdout,
        "Shop page\tkey_00000000000000000000\tsecret-of-Shop page\n"
    );
    done.notes("Stopped after 1 of 2 changes");
}

#[test]
fn the_project_and_the_file_must_be_right() {
    let scene = Scene::new();
    for (file, arguments, code, part) in [
        (
            FILE,
            &["--project", "other"][..],
            2,
            "the file is for the project acme",
        ),
        ("[[key]]\nname = \"A\"\n", &[], 2, "name the project"),
        (
            "project = \"acme\"\n[[key]]\nname = \"A\"\nips = [\"x\"]\n",
            &[],
            1,
            "line 2: \"A\" ips[0]: ",
        ),
    ] {
        let done = scene.apply(file, arguments);
        assert_eq!(done.code, Some(code));
        done.notes(part);
    }
    assert!(scene.stub.calls().is_empty());
    let done = run(
        &scene.stub.url,
        &["apply", "-f", "-", "--dry-run"],
        &[("KEYWARD_PROJECT", "acme")],
        "[[key]]\nname = \"A\"\n",
    );
    done.notes("+ create  live A\n");
}
