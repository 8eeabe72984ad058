//! How the gateway refuses: the reason, and the answer that tells it.

use std::borrow::Cow;
use std::slice;

use super::Gateway;
use super::aim::path_of;
use super::outcome::{Response, Work};
use crate::cors;
use crate::head::Head;
use crate::kind::Kind;
use crate::limits::Rate;
use crate::own::{self, Own};
use crate::problem::Problem;
use crate::rate_limit::{Fields, Item, OWN};
use crate::refusal::Refusal;
use crate::spec::FieldError;
use crate::throttle::Over;
use crate::time::Millis;

/// Why a request is refused, with what its answer says of it.
pub(super) struct No {
    pub(super) refusal: Refusal,
    pub(super) scopes: String,
    /// The limit of the key, or of its owner, that is used up.
    pub(super) limit: Option<String>,
    pub(super) retry_s: Option<u64>,
    /// The limit per client address that is used up, under its name.
    pub(super) over: Option<(String, Over)>,
    /// What is wrong with the body.
    pub(super) error: Option<Box<FieldError>>,
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            scopes: String::new(),
            limit: None,
            retry_s: None,
            over: None,
            error: None,
        }
    }
}

impl From<FieldError> for No {
    fn from(error: FieldError) -> Self {
        Self {
            error: Some(Box::new(error)),
            ..Refusal::BodyInvalid.into()
        }
    }
}

impl From<(Refusal, String)> for No {
    fn from((refusal, scopes): (Refusal, String)) -> Self {
        Self {
            scopes,
            ..refusal.into()
        }
    }
}

/// The limit that holds for every public key.
impl From<Over> for No {
    fn from(over: Over) -> Self {
        Self {
            retry_s: Some(over.wait_s),
            over: Some(("address".to_owned(), over)),
            ..Refusal::RateLimited.into()
        }
    }
}

/// A limit of the key's own.
impl From<(&Rate, Over)> for No {
    fn from((rate, over): (&Rate, Over)) -> Self {
        Self {
            limit: Some(rate.name.clone()),
            retry_s: Some(over.wait_s),
            over: Some((rate.name.clone(), over)),
            ..Refusal::RateLimited.into()
        }
    }
}

/// The limit that a derived key brings along.
pub(super) fn over_own(over: Over) -> No {
    No {
        limit: Some(OWN.to_owned()),
        retry_s: Some(over.wait_s),
        over: Some((OWN.to_owned(), over)),
        ..Refusal::RateLimited.into()
    }
}

impl No {
    /// What a derived key's holder may know of a limit of its parent: that it is used up, and when to
    /// come back.
    pub(super) fn without_figures(self) -> Self {
        Self {
            limit: None,
            over: None,
            ..self
        }
    }

    /// Adds what its answer says of limits to how they stand.
    pub(super) fn describe(&self, fields: &mut Fields) {
        if let Some((name, over)) = &self.over {
            fields.push(&Item {
                prefix: "",
                name,
                limit: over.quantity.calls.get().into(),
                window_s: Some(over.quantity.window_s.into()),
                left: Some(0),
                more_s: Some(over.wait_s),
            });
        }
    }
}

impl Gateway {
    /// The answer that refuses a request. `head` is unknown when it could not be read.
    pub fn refuse(&mut self, head: Option<&Head<'_>>, refusal: Refusal) -> Response {
        self.refuse_with(head, &refusal.into(), Fields::default())
    }

    /// The answer that refuses a request of a key after it was let through: the origin did not
    /// answer. `kind` and `account` are those of [`Fixed`](super::Fixed).
    pub fn refuse_of(
        &mut self,
        head: Option<&Head<'_>>,
        refusal: Refusal,
        kind: Kind,
        account: u64,
        now: Millis,
    ) -> Response {
        let mut work = Work::default();
        if let Some(account) = self.accounts.find(account) {
            account.tally.answer(None, now);
            work.key = [None, account.remind(now)];
        }
        let fields = if kind == Kind::Derived {
            Fields::default()
        } else {
            self.standing(Some(account), now)
        };
        Response {
            work,
            ..self.refuse_with(head, &refusal.into(), fields)
        }
    }

    pub(super) fn refuse_with(
        &mut self,
        head: Option<&Head<'_>>,
        no: &No,
        mut fields: Fields,
    ) -> Response {
        self.requests = self.requests.wrapping_add(1);
        let ray = head.and_then(|head| head.header("cf-ray")).filter(|ray| {
            ray.len() <= 64 && ray.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        let id = ray.map_or_else(
            || Cow::Owned(request_id(self.request_prefix, self.requests)),
            Cow::Borrowed,
        );
        no.describe(&mut fields);
        answer_to(
            head,
            &Problem {
                scopes: &no.scopes,
                limit: no.limit.as_deref(),
                retry_s: no.retry_s,
                errors: no.error.as_deref().map_or(&[], slice::from_ref),
                limits: Some(&fields),
                ..Problem::new(no.refusal, &id)
            },
        )
    }
}

/// What no other request has: `prefix` is the isolate's, `number` counts.
pub(super) fn request_id(prefix: u64, number: u32) -> String {
    format!("{prefix:016x}{number:08x}")
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
    let refused = answer_to(head, &problem);
    match head {
        Some(head) => to_preflight(head, refused),
        None => refused,
    }
}

/// What becomes of a refusal where the request is a preflight: an answer that lets the page come and read
/// it. Never to who asks about another call: to a proxy any success means that its client may pass.
pub(super) fn to_preflight(head: &Head<'_>, refused: Response) -> Response {
    if !cors::is_preflight(head) || matches!(own::answer(head, &path_of(head).0), Own::Asked(_)) {
        return refused;
    }
    Response {
        work: refused.work,
        hold_ms: refused.hold_ms,
        ..Response::empty(cors::preflight_of_a_refusal(head))
    }
}

/// The answer that carries a problem.
fn answer_to(head: Option<&Head<'_>>, problem: &Problem<'_>) -> Response {
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
        work: Work::default(),
        hold_ms: 0,
    }
}
