//! Where a request is to go, as far as its head alone can tell: steps 1 to 3.

use super::outcome::{Outcome, Response};
use super::refused::No;
use crate::cors;
use crate::head::Head;
use crate::own;
use crate::refusal::Refusal;
use crate::request::is_never_proxied;
use crate::restrict::path::CheckedPath;
use crate::route::{Route, Routes};
use crate::verify::Form;

/// What becomes of a request.
pub(super) enum Aim<'g, 'a> {
    /// No key has anything to do with it.
    Done(Box<Outcome<'a>>),
    /// It exchanges a public key.
    Session,
    /// It asks about another call.
    Asked(Form),
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
    let (path, ambiguous) = path_of(head);
    if own::is_own(&path) {
        return own(head, &path, ambiguous);
    }
    if is_never_proxied(head.method) {
        return Err(Refusal::MethodNotAllowed.into());
    }
    let route = route_of(routes, head, &path, ambiguous)?;
    if cors::is_preflight(head) {
        let granted = cors::preflight(&route.cors, head);
        return Ok(done(Outcome::Respond(Response::empty(granted))));
    }
    Ok(Aim::Route(route, path))
}

fn done<'g, 'a>(outcome: Outcome<'a>) -> Aim<'g, 'a> {
    Aim::Done(Box::new(outcome))
}

fn own<'g, 'a>(
    head: &Head<'_>,
    path: &CheckedPath<'_>,
    ambiguous: bool,
) -> Result<Aim<'g, 'a>, No> {
    match own::answer(head, path) {
        own::Own::Asked(form) => Ok(Aim::Asked(form)),
        _ if ambiguous => Err(Refusal::PathAmbiguous.into()),
        own::Own::Session => Ok(Aim::Session),
        own::Own::Response(response) => Ok(done(Outcome::Respond(response))),
        own::Own::Document(response) => Ok(done(Outcome::Document(response))),
        own::Own::KeySet(response) => Ok(done(Outcome::KeySet(response))),
        own::Own::Management => Ok(done(Outcome::Management)),
        own::Own::Refused(refusal) => Err(refusal.into()),
    }
}

/// Looks where a call is to go that is asked about. No preflight is answered for another: it carries no
/// key, and whoever asks would let it pass.
pub(super) fn aim_of_asked<'g, 'a>(
    routes: &'g Routes,
    token: &str,
    head: &Head<'a>,
) -> Result<(&'g Route, CheckedPath<'a>), No> {
    if has_looped(head, token) {
        return Err(Refusal::LoopDetected.into());
    }
    if !head.is_addressed_plainly() {
        return Err(Refusal::PathAmbiguous.into());
    }
    if is_never_proxied(head.method) {
        return Err(Refusal::MethodNotAllowed.into());
    }
    let (path, ambiguous) = path_of(head);
    if own::is_own(&path) {
        return Err(Refusal::RouteUnknown.into());
    }
    let route = route_of(routes, head, &path, ambiguous)?;
    Ok((route, path))
}

/// The path of a request, and whether it is ambiguous.
pub(super) fn path_of<'a>(head: &Head<'a>) -> (CheckedPath<'a>, bool) {
    match CheckedPath::parse(head.target) {
        Ok(path) => (path, false),
        Err(_) => (CheckedPath::unchecked(head.path()), true),
    }
}

fn route_of<'g>(
    routes: &'g Routes,
    head: &Head<'_>,
    path: &CheckedPath<'_>,
    ambiguous: bool,
) -> Result<&'g Route, Refusal> {
    match routes.find(&head.host(), path) {
        Some(route) if !ambiguous || route.allow_ambiguous_paths => Ok(route),
        _ if ambiguous => Err(Refusal::PathAmbiguous),
        _ => Err(Refusal::RouteUnknown),
    }
}

fn has_looped(head: &Head<'_>, token: &str) -> bool {
    head.headers().any(|(name, value)| {
        matches!(name, "cdn-loop" | "via")
            && value
                .split([',', ';', ' '])
                .any(|word| word.trim() == token)
    })
}
