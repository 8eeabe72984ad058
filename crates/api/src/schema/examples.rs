//! Examples of bodies and answers.

use serde_json::{Value, json};

use crate::operation::{Answer, Body};

const KEY: &str = "key_4fJr0WzT8sLq2XvB7nYc";
const SECRET: &str = "sec_9dKx3HbQ1mZt";
const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const AT: &str = "2026-11-21T12:00:00Z";
const BY: &str = "2026-11-21T12:00:07.500Z";

/// An example of a request's body.
#[must_use]
pub fn body(body: Body) -> Option<Value> {
    Some(match body {
        Body::None | Body::Nothing => return None,
        Body::NewProject => json!({"id": "acme", "name": "Acme"}),
        Body::ProjectPatch => json!({"name": "Acme Inc.", "max_age_s": 7_776_000}),
        Body::Note => json!({"note": "unpaid"}),
        Body::NewEnvironment => json!({"id": "staging"}),
        Body::Owner => json!({"owner": "customer-17", "note": "unpaid"}),
        Body::OwnerLimits => json!({
            "owner": "customer-17",
            "limits": {"quota": {"limit": 100_000, "period": "month", "reset_day": 15}},
        }),
        Body::OwnerCredits => json!({"owner": "customer-17", "add": 500}),
        Body::Credits => json!({"add": 500}),
        Body::KeyFields => json!({
            "name": "web shop", "referrers": ["https://shop.example.com"], "owner": "customer-17",
            "limits": {
                "rate": [{"limit": 100, "window_s": 60}, {"limit": 20, "window_s": 60, "per": "ip"}],
                "quota": {"limit": 10_000, "period": "day"},
            },
        }),
        Body::KeyPatch => json!({
            "name": "web shop, Berlin", "expires_at": null,
            "limits": {"quota": null, "credits": {"balance": 500}},
        }),
        Body::Rotation => json!({"overlap": 3600}),
        Body::Revocation => {
            json!({"reason": "keyCompromise", "note": "found in a public repository"})
        }
        Body::ImportLines => json!(
            "{\"name\":\"legacy\",\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}\n"
        ),
        Body::NewManagementKey => {
            json!({"name": "ci", "project": "acme", "scopes": ["keys:read", "keys:write"]})
        }
        Body::ManagementKeyPatch => json!({"ips": ["192.0.2.0/24"]}),
        Body::NewWebhook => {
            json!({"url": "https://ops.example.com/keyward", "events": ["key.leaked", "key.expiring"]})
        }
        Body::WebhookPatch => json!({"events": ["key.leaked", "limit.reached"], "enabled": true}),
        Body::WebhookRotation => json!({"overlap": 3600}),
        Body::CredentialValue => {
            json!({"value": "sk-proj-0123456789", "origin": "https://api.openai.com"})
        }
        Body::LeakedSecrets => json!({"sha256": [DIGEST], "source": "a public log"}),
        Body::GithubReport => json!([{
            "token": "kw_sk_live_1…", "type": "keyward_private_key", "source": "commit",
            "url": "https://github.com/octocat/Hello-World/blob/main/foo/bar.txt",
        }]),
    })
}

/// An example of an answer.
#[must_use]
pub fn answer(answer: Answer) -> Option<Value> {
    let publication = "published";
    Some(match answer {
        Answer::Whoami => json!({
            "type": "management_key", "id": KEY, "name": "ci", "project": "acme", "scopes": ["keys:read"],
        }),
        Answer::Project => project(),
        Answer::Projects => page(json!({
            "id": "acme", "name": "Acme", "status": "active", "created_at": AT,
        })),
        Answer::ProjectChanged => json!({"project": project(), "publication": publication}),
        Answer::PublicationStatus => json!({
            "entries": [
                {"id": "b2", "state": "current", "records": 2, "published": 2, "finished_at": AT},
                {"id": "a1", "state": "in_force", "records": 2, "published": 2, "droppable_at": AT},
            ],
            "outbox": {"pending": 0},
        }),
        Answer::Environment => environment(),
        Answer::Environments => page(environment()),
        Answer::EnvironmentChanged => {
            json!({"environment": environment(), "publication": publication})
        }
        Answer::Owners => page(json!({
            "owner": "customer-17", "suspended_at": AT, "note": "unpaid", "keys": 3,
            "limits": limits(),
        })),
        Answer::OwnerChanged => {
            json!({
                "owner": "customer-17", "keys": 3, "limits": limits(), "publication": publication,
                "in_force_by": BY,
            })
        }
        Answer::Key => key(),
        Answer::Keys => page(key()),
        Answer::KeyChanged => {
            json!({"key": key(), "publication": publication, "in_force_by": BY})
        }
        Answer::KeyCreated => {
            json!({"key": key(), "secret": "kw_pk_live_1…", "publication": publication})
        }
        Answer::Where => json!({
            "id": KEY, "version": 3,
            "replicas": [{"secret": SECRET, "entry": "a1", "version": 3, "state": "current"}],
        }),
        Answer::KeyLimits => json!({
            "key": KEY,
            "limits": [
                {"name": "60s", "type": "rate", "limit": 100, "window_s": 60, "remaining": 88, "resets_at": BY},
                {"name": "credits", "type": "credits", "limit": 500, "remaining": 17},
            ],
            "owner": [
                {"name": "month", "type": "quota", "limit": 100_000, "remaining": 99_400, "resets_at": "2026-12-15T00:00:00Z"},
            ],
        }),
        Answer::Usage => {
            let counts = |calls: u64| {
                json!({
                    "calls": calls, "refused": {"rate_limited": 2}, "answered": {"2xx": calls},
                    "routes": {"models": calls}, "countries": {"DE": calls},
                })
            };
            let mut span = counts(612);
            span["start"] = json!(AT);
            json!({
                "since": "2026-11-20T13:00:00Z", "until": "2026-11-21T13:00:00Z", "by": "hour",
                "total": counts(612), "spans": [span],
            })
        }
        Answer::ImportReport => json!({
            "lines": 2, "created": 1, "existing": 0, "refused": 1, "publication": "pending",
            "keys": [{"line": 1, "id": KEY, "outcome": "created"}],
            "errors": [{"line": 2, "code": "key_spec_invalid", "errors": [{"field": "secret", "detail": "must have 20 to 512 visible ASCII characters"}]}],
        }),
        Answer::SelfRevoked => json!({"id": KEY, "secret": SECRET, "status": "revoked"}),
        Answer::Audit => page(entry()),
        Answer::Webhook => webhook(),
        Answer::Webhooks => page(webhook()),
        Answer::WebhookCreated => json!({"webhook": webhook(), "secret": "whsec_…"}),
        Answer::WebhookTested => json!({
            "message": "msg_5tqk7FJ0pZ2uYw9LrXb3HdNs", "delivered": false,
            "failure": {"at": AT, "status": 500, "cause": "status"},
        }),
        Answer::Credentials => page(credential()),
        Answer::CredentialChanged => {
            json!({"credential": credential(), "publication": publication})
        }
        Answer::LeakedSecrets => json!({"items": [{
            "sha256": DIGEST, "project": "acme", "key": KEY, "name": "web shop", "kind": "private",
            "key_status": "active", "secret": SECRET, "redacted": "kw_sk_live_…wxyz",
            "status": "revoked", "leaked": {"at": AT, "source": "a public log"},
        }]}),
        Answer::GithubLabels => json!([{
            "token_hash": DIGEST, "token_type": "keyward_private_key", "label": "true_positive",
        }]),
        Answer::ManagementKey => management_key(),
        Answer::ManagementKeys => page(management_key()),
        Answer::ManagementKeyChanged => json!({"key": management_key()}),
        Answer::ManagementKeyCreated => {
            json!({"key": management_key(), "secret": "kw_mk_live_1…"})
        }
        Answer::KeyLines => json!(format!(
            "{{\"id\":\"{KEY}\",\"kind\":\"private\",\"secrets\":[{{\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}]}}\n"
        )),
        Answer::AuditLines => json!(format!("{}\n", entry())),
    })
}

fn page(item: Value) -> Value {
    json!({"items": [item], "next_cursor": null})
}

fn project() -> Value {
    json!({
        "id": "acme", "name": "Acme", "status": "active", "version": 1,
        "environments": [environment()], "created_at": AT, "updated_at": AT,
    })
}

fn environment() -> Value {
    json!({"id": "live", "status": "active", "created_at": AT})
}

fn secret() -> Value {
    json!({"id": SECRET, "redacted": "kw_pk_live_…wxyz", "status": "live", "created_at": AT})
}

fn limits() -> Value {
    json!({"quota": [{"name": "month", "limit": 100_000, "period": "month", "reset_day": 15}]})
}

fn key() -> Value {
    json!({
        "id": KEY, "project": "acme", "name": "web shop", "kind": "public", "environment": "live",
        "owner": "customer-17", "status": "active", "version": 3,
        "referrers": ["https://shop.example.com"],
        "limits": {
            "rate": [
                {"name": "60s", "limit": 100, "window_s": 60},
                {"name": "ip-60s", "limit": 20, "window_s": 60, "per": "ip"},
            ],
            "credits": {"balance": 500},
        },
        "secrets": [secret()],
        "created_at": AT, "updated_at": AT,
    })
}

fn webhook() -> Value {
    json!({
        "id": "whk_2mZr8QxT5vKc1JyB", "url": "https://ops.example.com/keyward",
        "events": ["key.leaked", "key.expiring"], "status": "active", "version": 1, "waiting": 0,
        "delivered_at": AT, "created_at": AT, "updated_at": AT,
    })
}

fn credential() -> Value {
    json!({
        "name": "OPENAI", "origin": "https://api.openai.com", "version": 3,
        "created_at": AT, "updated_at": AT,
    })
}

fn management_key() -> Value {
    json!({
        "id": KEY, "name": "ci", "project": "acme", "scopes": ["keys:read"], "status": "active",
        "version": 1, "secrets": [secret()], "created_at": AT, "updated_at": AT,
    })
}

fn entry() -> Value {
    json!({
        "id": "aud_17", "at": AT, "actor": {"type": "management_key", "id": KEY},
        "action": "key.update", "project": "acme", "key": KEY,
        "changes": [{"field": "name", "before": "web", "after": "web shop"}],
        "ip": "192.0.2.7", "request_id": "8f1c",
    })
}

#[cfg(test)]
mod tests {
    use keyward_core::time::Millis;
    use keyward_core::webhook::address::Hosts;
    use keyward_core::{management, patch, spec};
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::{request, view};

    fn is<T: Serialize + DeserializeOwned>(one: Answer) {
        let example = answer(one).unwrap();
        let read: T = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), example, "{one:?}");
    }

    #[test]
    fn answers_are_of_the_types_that_are_shown() {
        is::<view::Caller>(Answer::Whoami);
        is::<view::ProjectChanged>(Answer::ProjectChanged);
        is::<view::Page<view::ProjectSummary>>(Answer::Projects);
        is::<view::PublicationStatus>(Answer::PublicationStatus);
        is::<view::EnvironmentChanged>(Answer::EnvironmentChanged);
        is::<view::Page<view::Owner>>(Answer::Owners);
        is::<view::OwnerChanged>(Answer::OwnerChanged);
        is::<view::Page<view::Key>>(Answer::Keys);
        is::<view::KeyChanged>(Answer::KeyChanged);
        is::<view::KeyCreated>(Answer::KeyCreated);
        is::<view::Where>(Answer::Where);
        is::<view::KeyLimits>(Answer::KeyLimits);
        is::<view::Usage>(Answer::Usage);
        is::<view::ImportReport>(Answer::ImportReport);
        is::<view::SelfRevoked>(Answer::SelfRevoked);
        is::<view::Page<view::AuditEntry>>(Answer::Audit);
        is::<view::Page<view::Webhook>>(Answer::Webhooks);
        is::<view::WebhookCreated>(Answer::WebhookCreated);
        is::<view::WebhookTested>(Answer::WebhookTested);
        is::<view::Page<view::Credential>>(Answer::Credentials);
        is::<view::CredentialChanged>(Answer::CredentialChanged);
        is::<view::LeakedSecrets>(Answer::LeakedSecrets);
        is::<Vec<view::GithubLabel>>(Answer::GithubLabels);
        is::<view::ManagementKeyChanged>(Answer::ManagementKeyChanged);
        is::<view::ManagementKeyCreated>(Answer::ManagementKeyCreated);
    }

    #[test]
    fn bodies_are_accepted() {
        let of = |one| body(one).unwrap();
        assert!(request::NewProject::read(&of(Body::NewProject)).is_ok());
        assert!(request::project_patch(&of(Body::ProjectPatch)).is_ok());
        assert!(request::Note::read(&of(Body::Note)).is_ok());
        assert!(request::NewWebhook::read(&of(Body::NewWebhook), Hosts::Public).is_ok());
        assert!(request::WebhookPatch::read(&of(Body::WebhookPatch), Hosts::Public).is_ok());
        assert!(request::CredentialValue::read(&of(Body::CredentialValue)).is_ok());
        assert!(request::found(&of(Body::LeakedSecrets)).is_ok());
        assert!(request::matches(&of(Body::GithubReport)).is_some());
        assert!(request::WebhookRotation::read(&of(Body::WebhookRotation)).is_ok());
        assert!(request::NewEnvironment::read(&of(Body::NewEnvironment)).is_ok());
        assert!(request::OwnerChange::read(&of(Body::Owner)).is_ok());
        assert!(request::OwnerLimits::read(&of(Body::OwnerLimits)).is_ok());
        assert!(request::OwnerCredits::read(&of(Body::OwnerCredits)).is_ok());
        assert!(request::credits(&of(Body::Credits)).is_ok());
        assert!(spec::validate(&of(Body::KeyFields)).is_ok());
        assert!(patch::apply(serde_json::Map::new(), &of(Body::KeyPatch)).is_ok());
        assert!(request::Rotation::read(&of(Body::Rotation), Millis(0)).is_ok());
        assert!(request::Revocation::read(&of(Body::Revocation)).is_ok());
        assert!(management::validate(&of(Body::NewManagementKey), &[]).is_ok());
        let own = management::validate(&of(Body::NewManagementKey), &[]).unwrap();
        assert!(management::patch(&own, &of(Body::ManagementKeyPatch)).is_ok());
        let lines = of(Body::ImportLines);
        let line = serde_json::from_str(lines.as_str().unwrap()).unwrap();
        assert!(request::ImportLine::read(line, |_| {}).is_ok());
    }
}
