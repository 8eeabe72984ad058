//! What is known of the private key's restrictions.

use std::fs;
use std::path::Path;

use keyward_core::restrict::Restrictions;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// Reads scopes, addresses and paths from what `keyward keys show --json` or `keys create --json` has
/// printed.
pub(super) fn read(path: &Path) -> Result<Restrictions, Failure> {
    let wrong = |reason: &dyn std::fmt::Display| {
        Failure::Usage(format!("--parent: {}: {reason}", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let mut shown: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    if let Some(Value::Object(key)) = shown.remove("key") {
        shown = key;
    }
    if shown.get("kind").and_then(Value::as_str) != Some("private") {
        return Err(wrong(
            &"this is not what `keyward keys show --json` says of a private key",
        ));
    }
    let known = ["scopes", "ips", "paths"];
    shown.retain(|name, _| known.contains(&name.as_str()));
    serde_json::from_value(Value::Object(shown)).map_err(|error| wrong(&error))
}
