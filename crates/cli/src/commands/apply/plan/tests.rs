use std::path::Path;

use serde_json::json;

use super::*;

fn make(file: &str, keys: Value, prune: bool) -> Result<Plan, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.toml");
    std::fs::write(&path, file).unwrap();
    let views: Vec<Map<String, Value>> = serde_json::from_value(keys).unwrap();
    let document = Document::read(Path::new(&path)).unwrap();
    Plan::make(document, &views, prune).map_err(|failure| failure.to_string())
}

fn key(id: &str, name: &str, environment: &str, status: &str) -> Value {
    json!({"id": id, "name": name, "environment": environment, "status": status, "version": 1, "kind": "private"})
}

fn ids(keys: &[Existing]) -> Vec<&str> {
    keys.iter().map(|key| key.id.as_str()).collect()
}

#[test]
fn a_key_is_found_by_its_environment_and_name() {
    let keys = json!([
        key("key_1", "A", "live", "active"),
        key("key_2", "A", "test", "active"),
        key("key_3", "B", "live", "revoked"),
        key("key_4", "", "live", "active"),
    ]);
    let file = "[[key]]\nname = \"A\"\nowner = \"me\"\n[[key]]\nname = \"A\"\nenvironment = \"test\"\n[[key]]\nname = \"B\"\n";
    let plan = make(file, keys, false).unwrap();
    assert_eq!(
        (
            plan.create.len(),
            plan.update.len(),
            plan.revoke.len(),
            plan.unchanged
        ),
        (1, 1, 0, 1)
    );
    assert_eq!(plan.update[0].key.id, "key_1");
    assert_eq!(
        Value::Object(plan.update[0].patch.clone()),
        json!({"owner": "me"})
    );
    assert_eq!(plan.create[0].key.name, "B");
}

#[test]
fn prune_revokes_what_is_left_in_the_environments_of_the_file_and_no_more() {
    let keys = || {
        json!([
            key("key_1", "A", "live", "active"),
            key("key_2", "Old", "live", "active"),
            key("key_3", "Old", "live", "disabled"),
            key("key_4", "Old", "test", "active"),
            key("key_5", "Older", "live", "suspended"),
            key("key_6", "", "live", "active"),
            key("key_7", "Oldest", "live", "revoked"),
        ])
    };
    let file = "[[key]]\nname = \"A\"\n";
    let plan = make(file, keys(), true).unwrap();
    assert_eq!(ids(&plan.revoke), ["key_2", "key_3"]);
    assert_eq!(plan.remarks.len(), 2, "{:?}", plan.remarks);
    assert!(make(file, keys(), false).unwrap().is_empty());
    let file = format!("environments = [\"live\", \"test\"]\n{file}");
    assert_eq!(
        ids(&make(&file, keys(), true).unwrap().revoke),
        ["key_2", "key_3", "key_4"]
    );
    assert!(make("", keys(), true).unwrap().is_empty());
}

#[test]
fn what_cannot_be_decided_is_an_error_with_the_ids() {
    let keys = json!([
        key("key_1", "A", "live", "active"),
        key("key_2", "A", "live", "disabled"),
        key("key_3", "B", "live", "active")
    ]);
    let file =
        "[[key]]\nname = \"A\"\n[[key]]\nname = \"B\"\nreferrers = [\"https://a.example.com\"]\n";
    let error = make(file, keys, true).map(|_| ()).unwrap_err();
    for part in [
        "key_1, key_2",
        "line 1",
        "line 3",
        "is private, and the file makes it public",
        "fix:",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_status_is_changed_only_where_the_file_names_one() {
    let keys = json!([
        key("key_1", "A", "live", "disabled"),
        key("key_2", "B", "live", "disabled"),
        key("key_3", "C", "live", "active"),
        key("key_4", "D", "live", "suspended")
    ]);
    let file = "[[key]]\nname = \"A\"\n[[key]]\nname = \"B\"\nstatus = \"active\"\n[[key]]\nname = \"C\"\nstatus = \"disabled\"\n[[key]]\nname = \"D\"\nstatus = \"active\"\n";
    let plan = make(file, keys, false).unwrap();
    let statuses: Vec<_> = plan
        .update
        .iter()
        .map(|update| (update.key.id.as_str(), update.status))
        .collect();
    assert_eq!(
        statuses,
        [
            ("key_2", Some(Status::Active)),
            ("key_3", Some(Status::Disabled))
        ]
    );
    assert_eq!((plan.unchanged, plan.remarks.len()), (2, 1));
}

#[test]
fn limits_are_changed_one_by_one_and_taken_away_with_null() {
    let limited = |id: &str, name: &str, limits: Value| {
        let mut key = key(id, name, "live", "active");
        key["limits"] = limits;
        key
    };
    let keys = json!([
        limited(
            "key_1",
            "A",
            json!({"rate": [{"name": "60s", "limit": 100, "window_s": 60}], "credits": {"balance": 5}})
        ),
        limited(
            "key_2",
            "B",
            json!({"rate": [{"name": "60s", "limit": 100, "window_s": 60}], "quota": [{"name": "day", "limit": 9, "period": "day"}]})
        ),
        limited("key_3", "C", json!({"credits": {"balance": 5}})),
    ]);
    let file = "[[key]]\nname = \"A\"\nlimits = { rate = [{ limit = 100, window_s = 60 }], credits = 5 }\n\
        [[key]]\nname = \"B\"\nlimits.quota = { limit = 10, period = \"day\" }\n[[key]]\nname = \"C\"\n";
    let plan = make(file, keys, false).unwrap();
    let patches: Vec<_> = plan
        .update
        .iter()
        .map(|update| (update.key.id.as_str(), Value::Object(update.patch.clone())))
        .collect();
    assert_eq!(plan.unchanged, 1);
    assert_eq!(
        patches,
        [
            (
                "key_2",
                json!({"limits": {"quota": [{"name": "day", "limit": 10, "period": "day"}], "rate": null}})
            ),
            ("key_3", json!({"limits": null})),
        ]
    );
}
