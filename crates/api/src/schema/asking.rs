//! The endpoints that the gateway serves itself, at the edge: they answer who asks about calls, and
//! exchange public keys. They take no management key, and no registry has to do with them.

use keyward_core::refusal::Refusal;
use serde_json::{Map, Value, json};

use super::responses::Responses;

/// How many operations there are.
#[cfg(test)]
pub(super) const OPERATIONS: usize = 3;

/// What either may be refused with before anything is decided.
const REFUSED: &[Refusal] = &[
    Refusal::ConfigInvalid,
    Refusal::HeadTooLarge,
    Refusal::PathAmbiguous,
    Refusal::LoopDetected,
    Refusal::VerifyKeyInvalid,
    Refusal::InternalError,
];
const OF_VERIFY: &[Refusal] = &[
    Refusal::MethodNotAllowed,
    Refusal::MediaTypeUnsupported,
    Refusal::BodyTooLarge,
    Refusal::BodyInvalid,
];

const OF_SESSION: &[Refusal] = &[
    Refusal::ConfigInvalid,
    Refusal::HeadTooLarge,
    Refusal::MethodNotAllowed,
    Refusal::PathAmbiguous,
    Refusal::LoopDetected,
    Refusal::KeyMissing,
    Refusal::KeyAmbiguous,
    Refusal::KeyInvalid,
    Refusal::StoreUnavailable,
    Refusal::KeyRevoked,
    Refusal::KeyExpired,
    Refusal::KeyDisabled,
    Refusal::KeyNotYetValid,
    Refusal::KindNotAccepted,
    Refusal::PrivateKeyInBrowser,
    Refusal::ReferrerDenied,
    Refusal::ChallengeFailed,
    Refusal::IpDenied,
    Refusal::AppDenied,
    Refusal::RateLimited,
    Refusal::QuotaExceeded,
    Refusal::CreditsExhausted,
    Refusal::MeterUnavailable,
    Refusal::CredentialUnavailable,
    Refusal::BodyTooLarge,
    Refusal::BodyInvalid,
    Refusal::InternalError,
];

/// The paths with their operations.
pub(super) fn paths(responses: &mut Responses) -> Map<String, Value> {
    let mut paths = Map::new();
    paths.insert("/verify".to_owned(), json!({"post": verify(responses)}));
    paths.insert("/forward-auth".to_owned(), json!({"get": forward_auth()}));
    paths.insert("/session".to_owned(), json!({"post": session(responses)}));
    paths
}

fn session(responses: &mut Responses) -> Value {
    let mut all = responses.of_refusals(OF_SESSION.iter().copied());
    let answer = json!({
        "type": "object",
        "required": ["session_key", "expires_at", "expires_in"],
        "properties": {
            "session_key": {"type": "string"},
            "expires_at": {"type": "string", "format": "date-time"},
            "expires_in": {"type": "integer", "description": "Seconds."},
        },
    });
    all.insert("200".to_owned(), json!({"description": "A session key.", "content": {"application/json": {"schema": answer}}}));
    json!({
        "operationId": "session",
        "summary": "Exchanges a public key for a session key of the page's website.",
        "description": "The credential is the public key; `Origin` is the page's. Where the gateway demands a challenge, the body is `{\"turnstile\": \"<token>\"}`.",
        "tags": ["Asking"],
        "requestBody": {"required": false, "content": {"application/json": {"schema": {
            "type": "object", "properties": {"turnstile": {"type": "string"}},
        }}}},
        "responses": all,
    })
}

fn verify(responses: &mut Responses) -> Value {
    let mut all = responses.of_refusals([REFUSED, OF_VERIFY].concat());
    let answer = json!({"description": "What was decided.", "content": {"application/json": {"schema": verdict()}}});
    all.insert("200".to_owned(), answer);
    json!({
        "operationId": "verify",
        "summary": "Says whether a call with a key would be let through.",
        "description": "Spends what the call costs; nothing at a `cost` of 0.",
        "tags": ["Asking"],
        "security": [{"verifyKey": []}],
        "requestBody": {"required": true, "content": {"application/json": {"schema": question()}}},
        "responses": all,
    })
}

fn forward_auth() -> Value {
    let refused = json!({
        "description": "The call may not pass: the answer that its client would have been given.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    });
    let all = json!({
        "200": {"description": "The call may pass; `Keyward-*` headers say whose key it carries."},
        "default": refused,
    });
    json!({
        "operationId": "forwardAuth",
        "summary": "Decides about a call that a proxy has received.",
        "description": "Takes every method. The call stands in `X-Forwarded-Method`, `X-Forwarded-Uri`, `X-Forwarded-Host`, `X-Forwarded-Proto`, `X-Forwarded-For` and the client's own headers.",
        "tags": ["Asking"],
        "security": [{"verifyKey": []}],
        "responses": all,
    })
}

fn question() -> Value {
    json!({
        "type": "object",
        "required": ["key"],
        "additionalProperties": false,
        "properties": {
            "key": {"type": "string", "minLength": 1, "description": "The key, as it was sent."},
            "method": {"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", "default": "GET"},
            "url": {"type": "string", "pattern": "^https?://[!-~]*/[!-~]*$", "description": "The whole address that was called."},
            "headers": {"type": "object", "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9a-z-]+$"}, "additionalProperties": {"type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"}},
            "ip": {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}], "description": "The client's address."},
            "scopes": {"type": "array", "maxItems": 64, "items": {"type": "string", "pattern": "^(\\*|[A-Za-z0-9._-]{1,64}):(\\*|[A-Za-z0-9._-]{1,64})$"}},
            "cost": {"type": "integer", "minimum": 0, "maximum": 1000},
        },
    })
}

fn verdict() -> Value {
    json!({
        "type": "object",
        "required": ["valid", "code", "status", "key", "ratelimit"],
        "properties": {
            "valid": {"type": "boolean"},
            "code": {"type": "string", "description": "`ok`, or the code of the refusal."},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "retry_after_s": {"type": "integer"},
            "key": {
                "type": ["object", "null"],
                "properties": {
                    "id": {"type": "string"}, "project": {"type": "string"}, "environment": {"type": "string"},
                    "kind": {"type": "string"}, "owner": {"type": ["string", "null"]},
                    "scopes": {"type": "array", "items": {"type": "string"}},
                },
            },
            "ratelimit": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "limit"],
                    "properties": {
                        "name": {"type": "string"}, "limit": {"type": "integer"}, "window_s": {"type": "integer"},
                        "left": {"type": "integer"}, "more_s": {"type": "integer"},
                    },
                },
            },
        },
    })
}
