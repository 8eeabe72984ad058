//! Schemas of fields that several requests and answers have, with the bounds of what reads them.

use keyward_core::spec::reader::LONGEST_RULE;
use keyward_core::spec::{LONGEST_NAME, LONGEST_OWNER, MOST_REFERRERS, MOST_RULES};
use schemars::JsonSchema;
use serde_json::{Value, json};

/// Where, from where and for what a key may be used.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Restrictions {
    /// Websites that may use the key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    referrers: Vec<String>,
    /// Any website may.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    any_referrer: bool,
    /// Client addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<String>,
    /// Mobile apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    apps: Option<Apps>,
    /// Methods and paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    paths: Vec<String>,
    /// What the key may do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
}

/// Mobile apps that may use a key.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Apps {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    android: Vec<AndroidApp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ios: Vec<String>,
}

/// An Android app: its package, and the SHA-1 fingerprint of its signing certificate.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct AndroidApp {
    package: String,
    sha1: String,
}

/// A project's id.
pub(super) const PROJECT: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";
/// An environment's id.
pub(super) const ENVIRONMENT: &str = "^[a-z0-9]{1,12}$";
/// A key's id.
pub(super) const KEY: &str = "^key_[0-9A-Za-z]{20}$";
/// A secret's id.
pub(super) const SECRET: &str = "^sec_[0-9A-Za-z]{12}$";
/// A webhook's id.
pub(super) const WEBHOOK: &str = "^whk_[0-9A-Za-z]{16}$";
/// The name of a credential.
pub(super) const CREDENTIAL: &str = "^[A-Z][A-Z0-9_]{0,63}$";
/// No control characters, and no blanks around it.
const TEXT: &str = r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$";
const SCOPE: &str = r"^(\*|[0-9A-Za-z._-]{1,64}):(\*|[0-9A-Za-z._-]{1,64})$";
const SHA1: &str = "^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19})$";

/// Text for people.
pub(super) fn text(longest: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": TEXT})
}

/// A point in time from 1970 on.
pub(super) fn time() -> Value {
    json!({"type": "string", "format": "date-time", "pattern": "^(19[7-9][0-9]|[2-9][0-9]{3})-"})
}

/// The same, or `null` for "none".
pub(super) fn or_null(mut schema: Value) -> Value {
    if let Some(plain) = schema.get("type").cloned() {
        schema["type"] = json!([plain, "null"]);
    }
    schema
}

fn rules(most: usize, rule: Value) -> Value {
    json!({"type": "array", "minItems": 1, "maxItems": most, "items": rule})
}

fn rule(examples: &[&str]) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": LONGEST_RULE, "examples": examples})
}

pub(super) fn ips() -> Value {
    rules(MOST_RULES, rule(&["192.0.2.0/24", "2001:db8::/32"]))
}

/// The fields of a key that both creation and change take, by name; but for limits, of which a
/// change may name a part.
pub(super) fn of_key() -> Vec<(&'static str, Value)> {
    let app = json!({
        "type": "object",
        "properties": {
            "package": {"type": "string", "pattern": r"^[A-Za-z][0-9A-Za-z_]*(\.[A-Za-z][0-9A-Za-z_]*)+$", "maxLength": 255},
            "sha1": {"type": "string", "pattern": SHA1},
        },
        "required": ["package", "sha1"],
        "additionalProperties": false,
    });
    let bundle = json!({"type": "string", "pattern": r"^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$", "maxLength": 255});
    vec![
        ("name", text(LONGEST_NAME)),
        ("owner", or_null(text(LONGEST_OWNER))),
        (
            "scopes",
            rules(MOST_RULES, json!({"type": "string", "pattern": SCOPE})),
        ),
        (
            "referrers",
            rules(
                MOST_REFERRERS,
                rule(&["https://example.com", "*.example.com/app/*"]),
            ),
        ),
        ("any_referrer", json!({"type": "boolean"})),
        ("ips", ips()),
        (
            "apps",
            json!({
                "type": "object",
                "properties": {"android": rules(MOST_RULES, app), "ios": rules(MOST_RULES, bundle)},
                "minProperties": 1,
                "additionalProperties": false,
            }),
        ),
        (
            "paths",
            rules(MOST_RULES, rule(&["GET /v1/models", "* /v1/chat/**"])),
        ),
        ("not_before", or_null(time())),
        ("expires_at", or_null(time())),
        (
            "metadata",
            json!({"type": "object", "description": "At most 4096 bytes of JSON, at most 16 levels deep."}),
        ),
        ("delete_protection", json!({"type": "boolean"})),
    ]
}
