//! Where a request is to go, as far as its head alone can tell: steps 1 to 3.

use super::outcome::{Outcome, Response, Work};
use super::refused::No;
use crate::cors;
use crate::head::Head;
use crate::own;
use crate::refusal::Refusal;
use crate::request::is_never_proxied;
use crate::restrict::path::CheckedPath;
use crate::route::{Route, Routes};

/// What becomes of a request.
pub(super) enum Aim<'g, 'a> {
    /// No key has anything to do with it.
    Done(Box<Outcome<'a>>),
    /// It goes by a route.
    Route(&'g Route, CheckedPath<'a>),
}

/// Looks where a request is to go. `token` is what this deployment writes into `Via`.
pub(super) fn aim<'g, 'a>(
    routes: &'g Routes,
    token: &str,
    head: &Head<'a>,
) -> Result<Aim<'g, 'a>, No> {
    if has_looped(head, token) {
        return Err(Refusal::LoopDetected.into());
    }
    if !head.is_addressed_plainly() {
        return Err(Refusal::PathAmbiguous.into());
    }
    let checked = CheckedPath::parse(head.target);
    let ambiguous = checked.is_err();
    let path = checked.unwrap_or_else(|_| CheckedPath::unchecked(head.path()));
    if own::is_own(&path) {
        return own(head, &path, ambiguous).map(done);
    }
    if is_never_proxied(head.method) {
        return Err(Refusal::MethodNotAllowed.into());
    }
    let found = match routes.find(&head.host(), &path) {
        Some(route) if !ambiguous || route.allow_ambiguous_paths => Ok(route),
        _ if ambiguous => Err(Refusal::PathAmbiguous),
        _ => Err(Refusal::RouteUnknown),
    };
    if cors::is_preflight(head) {
        return Ok(done(preflight(head, found.ok())));
    }
    Ok(Aim::Route(found?, path))
}

fn done<'g, 'a>(outcome: Outcome<'a>) -> Aim<'g, 'a> {
    Aim::Done(Box::new(outcome))
}

fn own<'a>(head: &Head<'_>, path: &CheckedPath<'_>, ambiguous: bool) -> Result<Outcome<'a>, No> {
    match own::answer(head, path) {
        _ if ambiguous => Err(Refusal::PathAmbiguous.into()),
        own::Own::Response(response) => Ok(Outcome::Respond(response)),
        own::Own::Document(response) => Ok(Outcome::Document(response)),
        own::Own::KeySet(response) => Ok(Outcome::KeySet(response)),
        own::Own::Management => Ok(Outcome::Management),
        own::Own::Refused(refusal) => Err(refusal.into()),
    }
}

/// `route` is unknown when the request behind it will be refused.
fn preflight<'a>(head: &Head<'_>, route: Option<&Route>) -> Outcome<'a> {
    Outcome::Respond(Response {
        status: 204,
        headers: route.map_or_else(
            || cors::preflight_of_a_refusal(head),
            |route| cors::preflight(&route.cors, head),
        ),
        body: String::new(),
        work: Work::default(),
        hold_ms: 0,
    })
}

fn has_looped(head: &Head<'_>, token: &str) -> bool {
    head.headers().any(|(name, value)| {
        matches!(name, "cdn-loop" | "via")
            && value
                .split([',', ';', ' '])
                .any(|word| word.trim() == token)
    })
}
