//! Schemas of the bodies of requests.

use keyward_core::leak::{LONGEST_URL, MOST_AT_ONCE};
use keyward_core::management::Scope;
use keyward_core::revocation::{LONGEST_NOTE, Reason};
use keyward_core::rotation::{DEFAULT_OVERLAP_S, LONGEST_OVERLAP_S};
use keyward_core::spec::{LONGEST_NAME, LONGEST_OWNER};
use keyward_core::webhook::Event;
use keyward_core::webhook::address::LONGEST;
use serde_json::{Map, Value, json};

use super::limits::{Written, units, written};
use super::{examples, fields};
use crate::operation::Body;
use crate::request::{
    DEFAULT_WEBHOOK_OVERLAP_S, LONGEST_BROWSER_END_S, LONGEST_LIFE_S, LONGEST_SOURCE,
    LONGEST_VALUE, LONGEST_WARNING_S, SHORTEST_BROWSER_END_S, SHORTEST_LIFE_S,
};

/// The `requestBody` of an operation; none for an operation without one.
pub(super) fn described(body: Body) -> Option<Value> {
    let name = name(body)?;
    let mut content = Map::new();
    for media in body.media().names() {
        let mut described = match body {
            // OpenAPI has no schema of a stream of lines: each line is one.
            Body::ImportLines => {
                json!({"schema": {"type": "string", "description": "One JSON object on each line, at most 1000 lines and 1 MiB.", "x-line-schema": {"$ref": "#/components/schemas/ImportLine"}}})
            }
            _ => json!({"schema": {"$ref": format!("#/components/schemas/{name}")}}),
        };
        if let Some(example) = examples::body(body) {
            described["example"] = example;
        }
        content.insert((*media).to_owned(), described);
    }
    Some(json!({"required": !body.is_optional(), "content": content}))
}

/// The schemas of all bodies, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    ALL.iter()
        .filter_map(|body| Some((name(*body)?, schema(*body))))
        .collect()
}

const ALL: &[Body] = &[
    Body::Nothing,
    Body::NewProject,
    Body::ProjectPatch,
    Body::Note,
    Body::NewEnvironment,
    Body::Owner,
    Body::OwnerLimits,
    Body::OwnerCredits,
    Body::Credits,
    Body::KeyFields,
    Body::KeyPatch,
    Body::Rotation,
    Body::Revocation,
    Body::ImportLines,
    Body::NewManagementKey,
    Body::ManagementKeyPatch,
    Body::NewWebhook,
    Body::WebhookPatch,
    Body::WebhookRotation,
    Body::CredentialValue,
    Body::LeakedSecrets,
    Body::GithubReport,
];

const fn name(body: Body) -> Option<&'static str> {
    Some(match body {
        Body::None => return None,
        Body::Nothing => "Nothing",
        Body::NewProject => "NewProject",
        Body::ProjectPatch => "ProjectPatch",
        Body::Note => "Note",
        Body::NewEnvironment => "NewEnvironment",
        Body::Owner => "OwnerChange",
        Body::OwnerLimits => "OwnerLimits",
        Body::OwnerCredits => "OwnerCredits",
        Body::Credits => "CreditsChange",
        Body::KeyFields => "KeyFields",
        Body::KeyPatch => "KeyPatch",
        Body::Rotation => "Rotation",
        Body::Revocation => "Revocation",
        Body::ImportLines => "ImportLine",
        Body::NewManagementKey => "NewManagementKey",
        Body::ManagementKeyPatch => "ManagementKeyPatch",
        Body::NewWebhook => "NewWebhook",
        Body::WebhookPatch => "WebhookPatch",
        Body::WebhookRotation => "WebhookRotation",
        Body::CredentialValue => "CredentialValue",
        Body::LeakedSecrets => "LeakReport",
        Body::GithubReport => "GithubReport",
    })
}

fn schema(body: Body) -> Value {
    let id = json!({"type": "string", "pattern": fields::PROJECT, "maxLength": 40});
    let environment = json!({"type": "string", "pattern": fields::ENVIRONMENT});
    let name = || ("name", fields::text(LONGEST_NAME));
    let note = || ("note", fields::text(LONGEST_NOTE));
    let within =
        |least: u64, most: u64| json!({"type": "integer", "minimum": least, "maximum": most});
    match body {
        Body::None | Body::Nothing => object(vec![], &[]),
        Body::NewProject => object(vec![("id", id), name()], &["id"]),
        Body::ProjectPatch => {
            let life = fields::or_null(within(SHORTEST_LIFE_S, LONGEST_LIFE_S));
            let warning = fields::or_null(within(0, LONGEST_WARNING_S));
            let revocation = fields::or_null(json!({
                "type": "string", "enum": ["strict", "eventual", null],
                "description": "How soon changes of keys hold; null: `strict` for private keys, `eventual` for public ones.",
            }));
            let on_leak = fields::or_null(json!({
                "type": "string", "enum": ["revoke", "flag", null],
                "description": "What becomes of a private key's secret that has leaked; null: `revoke`.",
            }));
            let mut browser_end =
                fields::or_null(within(SHORTEST_BROWSER_END_S, LONGEST_BROWSER_END_S));
            browser_end["description"] = json!(
                "A private key's secret that a page has sent ends so many seconds later; null: it does not end by that."
            );
            let all = vec![
                name(),
                ("max_age_s", life),
                ("warn_s", warning),
                ("revocation", revocation),
                ("on_leak", on_leak),
                ("browser_end_s", browser_end),
            ];
            object(all, &[])
        }
        Body::Note => object(vec![note()], &[]),
        Body::NewEnvironment => object(vec![("id", environment)], &["id"]),
        Body::Owner => object(
            vec![("owner", fields::text(LONGEST_OWNER)), note()],
            &["owner"],
        ),
        Body::OwnerLimits => {
            let limits = fields::or_null(written(Written::Owner));
            let all = vec![("owner", fields::text(LONGEST_OWNER)), ("limits", limits)];
            object(all, &["owner", "limits"])
        }
        Body::OwnerCredits => {
            let owner = ("owner", fields::text(LONGEST_OWNER));
            let mut schema = object(
                vec![owner, ("set", units(0)), ("add", units(1))],
                &["owner"],
            );
            either(&mut schema, 2);
            schema
        }
        Body::Credits => {
            let mut schema = object(vec![("set", units(0)), ("add", units(1))], &[]);
            either(&mut schema, 1);
            schema
        }
        Body::KeyFields => object(key(environment, &["active", "disabled"]), &[]),
        Body::KeyPatch => {
            let mut all = fields::of_key();
            all.push(("limits", fields::or_null(written(Written::Patch))));
            object(all, &[])
        }
        Body::Rotation => {
            let mut overlap = within(0, LONGEST_OVERLAP_S);
            overlap["default"] = json!(DEFAULT_OVERLAP_S);
            let mut at = fields::time();
            at["description"] =
                json!("In the future, and at most a year ahead; left out: at once.");
            object(vec![("overlap", overlap), ("at", at)], &[])
        }
        Body::Revocation => {
            let words: Vec<_> = Reason::ALL.iter().map(|(word, _)| *word).collect();
            let reason = json!({"type": "string", "enum": words, "default": "unspecified"});
            object(vec![("reason", reason), note()], &[])
        }
        Body::ImportLines => import_line(key(environment, &["active", "disabled", "revoked"])),
        Body::NewManagementKey => {
            let mut all = management_key();
            all.extend([("project", fields::or_null(id)), ("ips", fields::ips())]);
            object(all, &["name"])
        }
        Body::ManagementKeyPatch => {
            let mut all = management_key();
            all.push(("ips", fields::or_null(fields::ips())));
            object(all, &[])
        }
        Body::NewWebhook => object(webhook(), &["url"]),
        Body::WebhookPatch => {
            let mut all = webhook();
            for (name, schema) in &mut all {
                if *name != "url" {
                    *schema = fields::or_null(schema.take());
                }
            }
            all.push(("enabled", json!({"type": "boolean"})));
            object(all, &[])
        }
        Body::CredentialValue => {
            let value = json!({
                "type": "string", "minLength": 1, "maxLength": LONGEST_VALUE, "pattern": "^[!-~]+$",
                "writeOnly": true, "description": "Never shown again.",
            });
            let origin = json!({
                "type": "string", "maxLength": 300,
                "pattern": "^https?://[a-z]([a-z0-9-]{0,20}[a-z0-9])?([.][a-z]{2,10}){1,3}(:[1-9][0-9]{0,3})?$",
                "description": "The only origin that receives it: scheme, host and port, without a path.",
            });
            object(
                vec![("value", value), ("origin", origin)],
                &["value", "origin"],
            )
        }
        Body::LeakedSecrets => {
            let digest = json!({"type": "string", "description": "32 bytes in hexadecimal, base64 or base64url.", "pattern": "^([0-9A-Fa-f]{64}|[0-9A-Za-z+/]{42}[AEIMQUYcgkosw048]=?|[0-9A-Za-z_-]{42}[AEIMQUYcgkosw048]=?)$"});
            let digests =
                json!({"type": "array", "minItems": 1, "maxItems": MOST_AT_ONCE, "items": digest});
            let all = vec![
                ("sha256", digests),
                ("source", fields::text(LONGEST_SOURCE)),
                ("url", fields::text(LONGEST_URL)),
            ];
            object(all, &["sha256"])
        }
        Body::GithubReport => {
            let text = || json!({"type": "string"});
            json!({
                "type": "array", "minItems": 1, "maxItems": MOST_AT_ONCE,
                "items": {
                    "type": "object", "required": ["token", "type"],
                    "properties": {"token": text(), "type": text(), "url": text(), "source": text()},
                },
            })
        }
        Body::WebhookRotation => {
            let mut overlap = within(0, LONGEST_OVERLAP_S);
            overlap["default"] = json!(DEFAULT_WEBHOOK_OVERLAP_S);
            overlap["description"] = json!("For so many seconds the older secret signs too.");
            object(vec![("overlap", overlap)], &[])
        }
    }
}

fn key(environment: Value, statuses: &[&str]) -> Vec<(&'static str, Value)> {
    let mut all = fields::of_key();
    all.extend([
        (
            "kind",
            json!({"type": "string", "enum": ["public", "private"]}),
        ),
        ("environment", environment),
        ("limits", written(Written::Key)),
        ("status", json!({"type": "string", "enum": statuses})),
    ]);
    all
}

fn management_key() -> Vec<(&'static str, Value)> {
    let words: Vec<_> = Scope::ALL.iter().map(|(word, _)| *word).collect();
    let scopes = json!({
        "type": "array", "minItems": 1, "uniqueItems": true,
        "items": {"type": "string", "enum": words},
    });
    vec![
        ("name", fields::text(LONGEST_NAME)),
        ("scopes", scopes),
        ("not_before", fields::or_null(fields::time())),
        ("expires_at", fields::or_null(fields::time())),
    ]
}

fn webhook() -> Vec<(&'static str, Value)> {
    let url = json!({
        "type": "string", "format": "uri", "maxLength": LONGEST,
        "pattern": "^https://[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}(:[1-9][0-9]{0,3})?/",
        "description": "On the public internet and not the gateway itself; redirects are not followed.",
    });
    let words: Vec<_> = Event::ALL.iter().map(|(word, _)| *word).collect();
    let events = json!({
        "type": "array", "minItems": 1, "maxItems": 2 * Event::ALL.len(),
        "items": {"type": "string", "enum": words}, "description": "Left out: all.",
    });
    vec![
        ("url", url),
        ("events", events),
        ("description", fields::text(LONGEST_NAME)),
    ]
}

fn import_line(mut all: Vec<(&'static str, Value)>) -> Value {
    let secret = json!({"type": "string", "pattern": "^[!-~]{20,512}$"});
    let sha256 = json!({"type": "string", "description": "32 bytes in hexadecimal, base64 or base64url.", "pattern": "^([0-9A-Fa-f]{64}|[0-9A-Za-z+/_-]{43}=?)$"});
    let one = object(
        vec![
            ("secret", secret.clone()),
            ("sha256", sha256.clone()),
            ("redacted", fields::text(crate::request::LONGEST_REDACTED)),
            ("not_before", fields::time()),
            ("not_after", fields::time()),
            ("created_at", fields::time()),
        ],
        &[],
    );
    let revoked = object(
        vec![
            ("at", fields::time()),
            ("reason", json!({"type": "string"})),
            ("note", fields::text(LONGEST_NOTE)),
        ],
        &[],
    );
    all.extend([
        ("id", json!({"type": "string", "pattern": fields::KEY})),
        ("secret", secret),
        ("sha256", sha256),
        (
            "secrets",
            json!({"type": "array", "minItems": 1, "maxItems": 2, "items": one}),
        ),
        ("created_at", fields::time()),
        ("revoked", revoked),
        (
            "suspended_by",
            json!({
                "type": "string", "enum": ["project", "environment", "owner"],
                "description": "Of exported keys; it is not looked at.",
            }),
        ),
    ]);
    object(all, &[])
}

/// Of `set` and `add`, one: so many fields there are in all.
fn either(schema: &mut Value, fields: usize) {
    schema["minProperties"] = json!(fields);
    schema["maxProperties"] = json!(fields);
}

fn object(properties: Vec<(&'static str, Value)>, required: &[&str]) -> Value {
    let properties: Map<String, Value> = properties
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    let mut schema = json!({
        "type": "object", "properties": properties, "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

#[cfg(test)]
mod tests {
    use keyward_core::patch::MUTABLE;
    use keyward_core::spec::FIELDS;

    use super::*;

    fn names(body: Body) -> Vec<String> {
        let schema = schema(body);
        schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    }

    #[test]
    fn every_field_of_a_key_is_described() {
        let described = names(Body::KeyFields);
        for field in FIELDS {
            assert!(described.iter().any(|one| one == field), "{field}");
        }
        let mut patchable = MUTABLE.to_vec();
        patchable.sort_unstable();
        let mut described = names(Body::KeyPatch);
        described.sort();
        assert_eq!(described, patchable);
    }
}
