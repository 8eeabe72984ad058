//! Unkey's keys with their hashes: what `keys.migrateKeys` (v2) and `migrations.createKeys` (v1)
//! take, what `getKey` and `apis.listKeys` show, and rows of the table `keys`; as lines of JSON,
//! or as a list, also under `keys` or `data`.
//!
//! A hash of Unkey is SHA-256 of the whole key in base64. What Unkey limits and Keyward cannot limit
//! in the same way is not imported, and said so.

mod items;
mod limits;
mod permission;

use keyward_core::names;
use keyward_core::secret::Digest;
use keyward_core::spec::FieldError;
use keyward_core::time::Millis;
use serde_json::{Map, Value, json};

use super::check::digest;
use super::record::{Key, Material, Reading, error};

/// What belongs to Unkey's housekeeping.
const PASSED_OVER: [&str; 15] = [
    "apiId",
    "keyAuthId",
    "workspaceId",
    "prefix",
    "updatedAt",
    "updatedAtM",
    "createdAt",
    "createdAtM",
    "lastUsedAt",
    "lastRefillAt",
    "identityId",
    "forWorkspaceId",
    "migrationId",
    "plaintext",
    "ratelimitAsync",
];

/// Reads the keys.
///
/// # Errors
/// When the input is no JSON of one of these forms.
pub(super) fn read(text: &str) -> Result<Reading, String> {
    let mut reading = Reading::default();
    for (line, item) in items::of(text)? {
        let key = match item {
            Some(item) => key(&item, line, &mut reading),
            None => Err(error("key", "is not a JSON object")),
        };
        reading.add(line, key);
    }
    Ok(reading)
}

fn key(
    item: &Map<String, Value>,
    line: u64,
    reading: &mut Reading,
) -> Result<Key, Vec<FieldError>> {
    let mut key = Key::new();
    let mut metadata = Key::new();
    let mut disabled = false;
    let mut created = None;
    let mut add = |name: &str, value: &Value| drop(key.insert(name.to_owned(), value.clone()));
    for (name, value) in item.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "name" => add("name", value),
            "externalId" => add("owner", value),
            "ownerId" if !item.contains_key("externalId") => add("owner", value),
            "ownerId" => {}
            "identity" if !item.contains_key("externalId") => {
                add("owner", value.get("externalId").unwrap_or(&Value::Null));
            }
            "identity" => {}
            "environment" => match value.as_str() {
                Some(text) if names::is_environment(text) => add("environment", value),
                Some("") => {}
                _ => {
                    return Err(error(
                        "environment",
                        "is none that Keyward can have: 1 to 12 lower-case letters and digits; write such a one into the file",
                    ));
                }
            },
            "meta" => match meta(value) {
                Some(meta) => metadata.extend(meta),
                None => return Err(error("meta", "must be an object")),
            },
            "keyId" | "id" => drop(metadata.insert("unkey_id".to_owned(), value.clone())),
            "enabled" => {
                disabled |=
                    !matches!(value, Value::Bool(true) | Value::Number(_)) || *value == json!(0)
            }
            "expires" => add("expires_at", &json!(time(value, "expires")?)),
            "createdAt" | "createdAtM" => created = Some(time(value, name)?),
            "permissions" => {
                let scopes = permission::scopes(value)?;
                if !scopes.is_empty() {
                    add("scopes", &json!(scopes));
                }
            }
            "roles" if is_empty(value) => {}
            "roles" => reading.remark(
                line,
                "`roles` is not imported: list what they grant as `permissions`",
            ),
            "deletedAt" | "deletedAtM" => return Err(error(name, "the key is deleted at Unkey")),
            "hash" | "plaintext" | "key" | "start" => {}
            "remaining" | "credits" | "refill" | "ratelimit" | "ratelimits" => {}
            _ if PASSED_OVER.contains(&name.as_str()) => {}
            _ => reading.remark(line, format!("`{name}` is not known and not imported")),
        }
    }
    if let Some(limits) = limits::read(item, line, reading) {
        key.insert("limits".to_owned(), limits);
    }
    if disabled {
        key.insert("status".to_owned(), json!("disabled"));
    }
    if !metadata.is_empty() {
        key.insert("metadata".to_owned(), Value::Object(metadata));
    }
    material(item, created)?.write(&mut key);
    Ok(key)
}

/// The hash, or the key itself, which Unkey shows of keys that it may recover.
fn material(
    item: &Map<String, Value>,
    created_at: Option<String>,
) -> Result<Material, Vec<FieldError>> {
    let plaintext = ["plaintext", "key"]
        .iter()
        .find_map(|name| item.get(*name)?.as_str())
        .map(ToOwned::to_owned);
    let hash = match item.get("hash").filter(|hash| !hash.is_null()) {
        None => None,
        Some(Value::Object(hash)) => {
            let variant = hash.get("variant").and_then(Value::as_str);
            if variant.is_some_and(|variant| variant != "sha256_base64") {
                return Err(error(
                    "hash.variant",
                    "only `sha256_base64` can be imported: nothing but the key itself gives another hash",
                ));
            }
            Some(
                hash.get("value")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            )
        }
        Some(hash) => Some(hash.as_str().unwrap_or_default()),
    };
    let bytes = hash
        .map(|hash| {
            digest(hash)
                .ok_or_else(|| error("hash", "is no SHA-256 in base64 or hexadecimal digits"))
        })
        .transpose()?;
    match (&plaintext, bytes) {
        (None, None) => {
            return Err(error(
                "hash",
                "there is neither a hash nor the key itself: a listing of Unkey has the key with `decrypt=true` where it is recoverable; else ask Unkey for an export of the hashes",
            ));
        }
        (Some(plaintext), Some(bytes))
            if digest(&Digest::of(plaintext).to_hex()) != Some(bytes) =>
        {
            return Err(error("hash", "is not the hash of `plaintext`"));
        }
        _ => {}
    }
    let redacted = item
        .get("start")
        .and_then(Value::as_str)
        .filter(|start| !start.is_empty());
    Ok(Material {
        sha256: hash.filter(|_| plaintext.is_none()).map(ToOwned::to_owned),
        // Of a secret that is sent, the gateway makes this itself.
        redacted: redacted
            .filter(|_| plaintext.is_none())
            .map(|start| format!("{start}\u{2026}")),
        secret: plaintext,
        created_at,
    })
}

/// `meta` is text in the database and an object in the API.
fn meta(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(meta) => Some(meta.clone()),
        Value::String(text) if text.is_empty() => Some(Map::new()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// Milliseconds, or the text in which a database shows them.
fn time(value: &Value, field: &str) -> Result<String, Vec<FieldError>> {
    match value {
        Value::Number(number) => number.as_u64().map(|millis| Millis(millis).to_string()),
        Value::String(text) => text.parse::<Millis>().ok().map(|time| time.to_string()),
        _ => None,
    }
    .ok_or_else(|| {
        error(
            field,
            "must be milliseconds since 1970, or an RFC 3339 date and time",
        )
    })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
