//! How the gateway refuses: the reason, and the answer that tells it.

use std::borrow::Cow;

use super::Gateway;
use super::outcome::{Response, Work};
use crate::cors;
use crate::head::Head;
use crate::limits::Rate;
use crate::own;
use crate::problem::Problem;
use crate::rate_limit::{Fields, Item};
use crate::refusal::Refusal;
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
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            scopes: String::new(),
            limit: None,
            retry_s: None,
            over: None,
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
    const NAME: &str = "derived";
    No {
        limit: Some(NAME.to_owned()),
        retry_s: Some(over.wait_s),
        over: Some((NAME.to_owned(), over)),
        ..Refusal::RateLimited.into()
    }
}

impl No {
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
    /// answer. `account` is [`Fixed::account`](super::Fixed::account).
    pub fn refuse_of(
        &mut self,
        head: Option<&Head<'_>>,
        refusal: Refusal,
        account: u64,
        now: Millis,
    ) -> Response {
        let mut work = Work::default();
        if let Some(account) = self.accounts.find(account) {
            account.tally.answer(None, now);
            work.key = [None, account.remind(now)];
        }
        let fields = self.standing(Some(account), now);
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
        work: Work::default(),
        hold_ms: 0,
    }
}
