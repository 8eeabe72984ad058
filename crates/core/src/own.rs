//! What the gateway answers for itself under `/_keyward/`; no route can reach there.

use crate::cors;
use crate::gateway::{Response, Work};
use crate::head::Head;
use crate::problem;
use crate::refusal::Refusal;
use crate::restrict::path::CheckedPath;

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

/// A new entry's key stands in the key set for at least eleven minutes before it signs.
fn cached(rest: &str) -> &'static str {
    match rest {
        KEY_SET => "public, max-age=300",
        _ => "no-store",
    }
}

/// The value of `Allow` where a method is refused: what own paths are read with, or what is
/// commonly proxied. Only the origin knows what it serves.
#[must_use]
pub fn allowed(head: Option<&Head<'_>>) -> &'static str {
    if head.is_some_and(|head| is_own(&CheckedPath::unchecked(head.path()))) {
        "GET, HEAD"
    } else {
        "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    }
}
