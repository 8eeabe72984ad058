//! What the gateway answers for itself under `/_keyward/`; no route can reach there.

use crate::cors;
use crate::gateway::{Response, Work};
use crate::head::Head;
use crate::problem;
use crate::refusal::Refusal;
use crate::restrict::path::CheckedPath;
use crate::verify::Form;

/// The public keys of assertions and signatures.
const KEY_SET: &str = "jwks.json";

/// How an own path is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// By this answer.
    Response(Response),
    /// By this answer, with the OpenAPI document as its body; none for HEAD.
    Document(Response),
    /// By this answer, with the key set as its body; none for HEAD.
    KeySet(Response),
    /// By the management API.
    Management,
    /// By a session key for a public one.
    Session,
    /// By a decision about another call.
    Asked(Form),
    /// Not at all.
    Refused(Refusal),
}

/// Whether a path is the gateway's own.
#[must_use]
pub fn is_own(path: &CheckedPath<'_>) -> bool {
    path.as_str()
        .strip_prefix("/_keyward")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Serves an own path: `healthz`, the page of an error code, the key set, the management API or its
/// description.
#[must_use]
pub fn answer(head: &Head<'_>, path: &CheckedPath<'_>) -> Own {
    let rest = path.as_str().strip_prefix("/_keyward/").unwrap_or_default();
    match rest.strip_prefix("v1/") {
        Some("session") => return Own::Session,
        Some("verify") => return Own::Asked(Form::Verify),
        Some(rest) if rest == "forward-auth" || rest.starts_with("forward-auth/") => {
            return Own::Asked(Form::ForwardAuth);
        }
        _ => {}
    }
    if rest.starts_with("v1/") {
        return Own::Management;
    }
    let (content_type, body) = match (rest, rest.strip_prefix("errors/")) {
        ("openapi.json", _) => ("application/json", String::new()),
        (KEY_SET, _) => ("application/jwk-set+json", String::new()),
        ("healthz", _) => ("application/json", "{\"status\":\"ok\"}\n".to_owned()),
        (_, Some(code)) => match problem::page(code) {
            Some(page) => ("text/plain; charset=utf-8", page),
            None => return Own::Refused(Refusal::EndpointUnknown),
        },
        _ => return Own::Refused(Refusal::EndpointUnknown),
    };
    if !matches!(head.method, "GET" | "HEAD") {
        return Own::Refused(Refusal::MethodNotAllowed);
    }
    let mut headers = vec![
        ("content-type", content_type.to_owned()),
        ("cache-control", cached(rest).to_owned()),
    ];
    headers.extend(cors::refused(None));
    let response = Response {
        status: 200,
        headers,
        body: if head.method == "HEAD" {
            String::new()
        } else {
            body
        },
        work: Work::default(),
        hold_ms: 0,
    };
    match rest {
        "openapi.json" => Own::Document(response),
        KEY_SET => Own::KeySet(response),
        _ => Own::Response(response),
    }
}

/// A new entry's key stands in the key set for at least eleven minutes before it signs, and for as
/// long as what it signed last may be believed after that.
fn cached(rest: &str) -> &'static str {
    match rest {
        KEY_SET => "public, max-age=300",
        _ => "no-store",
    }
}

/// What is commonly proxied.
const PROXIED: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The value of `Allow` where a method is refused: what own paths are read with, or what is
/// commonly proxied. Only the origin knows what it serves.
#[must_use]
pub fn allowed(head: Option<&Head<'_>>) -> &'static str {
    let Some(path) = head.map(|head| CheckedPath::unchecked(head.path())) else {
        return PROXIED;
    };
    match path.as_str() {
        "/_keyward/v1/verify" | "/_keyward/v1/session" => "POST",
        _ if is_own(&path) => "GET, HEAD",
        _ => PROXIED,
    }
}
