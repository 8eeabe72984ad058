//! How the gateway refuses: the reason, and the answer that tells it.

use super::Response;
use crate::cors;
use crate::head::Head;
use crate::own;
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::throttle::Over;

/// Why a request is refused, with what its answer says of it.
pub(super) struct No {
    pub(super) refusal: Refusal,
    pub(super) scopes: String,
    pub(super) over: Option<Over>,
}

impl From<(Refusal, String)> for No {
    fn from((refusal, scopes): (Refusal, String)) -> Self {
        Self {
            refusal,
            scopes,
            over: None,
        }
    }
}

impl From<Over> for No {
    fn from(over: Over) -> Self {
        Self {
            refusal: Refusal::RateLimited,
            scopes: String::new(),
            over: Some(over),
        }
    }
}

/// The problem document of a refusal, with the headers that let a page read it.
#[must_use]
pub fn refusal_response(
    head: Option<&Head<'_>>,
    refusal: Refusal,
    scopes: &str,
    request_id: &str,
) -> Response {
    let problem = Problem {
        scopes,
        ..Problem::new(refusal, request_id)
    };
    answer_to(head, &problem)
}

/// The answer that carries a problem.
pub(super) fn answer_to(head: Option<&Head<'_>>, problem: &Problem<'_>) -> Response {
    let refusal = problem.refusal;
    let mut headers = problem.headers();
    headers.extend(cors::refused(head.and_then(Head::page_origin)));
    if refusal == Refusal::MethodNotAllowed {
        headers.push(("allow", own::allowed(head).to_owned()));
    }
    let body = if head.is_some_and(|head| head.method == "HEAD") {
        String::new()
    } else {
        problem.body()
    };
    Response {
        status: refusal.status(),
        headers,
        body,
        refresh: None,
        hold_ms: 0,
    }
}
