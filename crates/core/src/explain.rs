//! What would the gateway say? One JSON line in, one JSON line out: the key's fields, a request,
//! and optionally a time, judged by the same [`decide`] as traffic. The credential is taken as
//! valid, and a route is assumed that accepts every kind of key. With `derived`, the fields of a derived
//! key, that key is asked about, and `key` is its parent.
//!
//! The first row that applies answers:
//!
//! 1. the line is no question: `deny`, 400 `body_invalid`;
//! 2. no such key could be created: `deny`, 422 `key_spec_invalid`, with all `errors`;
//! 3. the path is ambiguous: `deny`, 400 `path_ambiguous`;
//! 4. the request is a preflight: `allow`, 204 `preflight`, because it carries no key;
//! 5. the method is never proxied (`TRACE`, `CONNECT`): `deny`, 405 `method_not_allowed`;
//! 6. `decide` refuses: `deny`, with its status and code;
//! 7. else `allow`, 200 `ok`.

mod derived;
mod question;

use serde::Serialize;

use self::question::{Question, Request};
use crate::decide::{Access, decide, decide_derived};
use crate::refusal::Refusal;
use crate::request::{Facts, is_never_proxied};
use crate::restrict::ip::parse_client;
use crate::restrict::path::CheckedPath;
use crate::spec::{self, FieldError};
use crate::time::Millis;

#[derive(Serialize)]
struct Answer {
    decision: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// Answers one question (DESIGN section 9), `{"key":{…},"derived":{…},"request":{"method","path","headers":{…},
/// "ip"},"now":"RFC 3339"}`, with `{"decision","status","code","detail"}`. `derived` may be
/// left out. `now` counts where the question has none. Whatever the line holds, the answer is one line of JSON.
#[must_use]
pub fn explain(line: &str, now: Millis) -> String {
    let answer = Question::parse(line).map_or_else(
        |detail| Answer::deny(Refusal::BodyInvalid, detail),
        |question| judge(question, now).unwrap_or_else(|answer| answer),
    );
    // Strings and numbers under fixed names: there is nothing that could fail.
    serde_json::to_string(&answer).unwrap_or_default()
}

impl Answer {
    fn allow(status: u16, code: &'static str, detail: &str) -> Self {
        Self {
            decision: "allow",
            status,
            code,
            detail: detail.to_owned(),
            errors: Vec::new(),
        }
    }

    fn deny(refusal: Refusal, detail: impl Into<String>) -> Self {
        Self {
            decision: "deny",
            status: refusal.status(),
            code: refusal.code(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    fn no_such_key(errors: Vec<FieldError>) -> Self {
        let first = errors
            .first()
            .map(|error| format!("{}: {}", error.field, error.detail));
        let detail = first.unwrap_or_else(|| Refusal::KeySpecInvalid.detail().to_owned());
        Self {
            errors,
            ..Self::deny(Refusal::KeySpecInvalid, detail)
        }
    }
}

/// Goes down the rows of the module; `Err` leaves early, with an answer of either kind.
fn judge(question: Question, now: Millis) -> Result<Answer, Answer> {
    let key = spec::validate(&question.key).map_err(Answer::no_such_key)?;
    let request = &question.request;
    let path = CheckedPath::parse(&request.path)
        .map_err(|error| Answer::deny(Refusal::PathAmbiguous, error.to_string()))?;
    if is_preflight(request) {
        return Ok(Answer::allow(
            204,
            "preflight",
            "A preflight carries no key and is answered before any is asked for.",
        ));
    }
    if is_never_proxied(&request.method) {
        return Err(Answer::deny(
            Refusal::MethodNotAllowed,
            Refusal::MethodNotAllowed.detail(),
        ));
    }
    let record = key.record("explain", "key_explain", "sec_explain", 1);
    let facts = facts(request, &path);
    let (access, now) = (Access::everything(), question.now.unwrap_or(now));
    let decided = match question.derived {
        None => decide(&record, &access, &facts, now),
        Some(asked) => {
            let terms = asked.terms(now).map_err(Answer::no_such_key)?;
            decide_derived(&record, &terms, &access, &facts, now)
        }
    };
    decided.map_err(|refusal| Answer::deny(refusal, refusal.detail()))?;
    Ok(Answer::allow(200, "ok", "The key may make this request."))
}

/// The Fetch standard's CORS-preflight request.
fn is_preflight(request: &Request) -> bool {
    let sent = |name| request.header(name).is_some();
    request.method == "OPTIONS" && sent("origin") && sent("access-control-request-method")
}

fn facts<'a>(request: &'a Request, path: &'a CheckedPath<'a>) -> Facts<'a> {
    let upgrade = request.header("upgrade").unwrap_or_default();
    Facts {
        method: &request.method,
        path,
        is_exchange: false,
        origin: request.header("origin"),
        referer: request.header("referer"),
        sec_fetch_site: request.header("sec-fetch-site"),
        websocket: upgrade.eq_ignore_ascii_case("websocket"),
        ip: request.ip.as_deref().and_then(parse_client),
        android_package: request.header("x-android-package"),
        android_cert: request.header("x-android-cert"),
        ios_bundle: request.header("x-ios-bundle-identifier"),
    }
}
