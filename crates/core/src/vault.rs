//! The origins' own credentials: what this isolate knows of each, and which of them to read.
//!
//! A Worker secret that is a text is there from the start. What a Secrets Store or KV has is read when a
//! call first needs it, and kept: fresh for [`FRESH_MS`]; then it is served while it is read again in
//! the background; after [`HARD_MS`] it is read before it is used. So a value that has changed is not
//! used for longer than that after its place has the new one. When the place fails, a value that is
//! at most [`STALE_MS`] old still serves. That there is none is remembered for [`ABSENT_MS`].
//!
//! A project's value never goes back to an older version: KV's replicas may lag behind what this isolate
//! has seen, and who writes to KV may put an old one back. Only when the newer one is too old for anything
//! is an older one taken; and the same one again, where there was none after it, only [`GONE_MS`] after that was
//! first seen. A place that fails, or has an older one, is not asked again for [`MARK_MS`].
//!
//! Bounded: of each credential the values of at most [`MOST`] projects are kept; the one that was used
//! longest ago goes.

mod held;
mod place;
mod take;

pub(crate) use self::place::usable;
use self::place::{Known, Place, described};
use crate::keyring::Keyring;
use crate::refusal::Refusal;
use crate::route::{Route, Routes};
use crate::time::Millis;

/// How long a value is used without a look at its place.
pub const FRESH_MS: u64 = 30_000;
/// How long a value is used while it is read again.
pub const HARD_MS: u64 = 60_000;
/// How old a value may be that is used while its place fails.
pub const STALE_MS: u64 = 300_000;
/// How long it is remembered that there is none.
pub const ABSENT_MS: u64 = 10_000;
/// How long a version that was there before is not taken again once there is none: twice as long as KV
/// mostly gives out what was deleted. After that it is one that KV had lost and has got again.
pub const GONE_MS: u64 = 120_000;
/// When the mark "it is being read again" expires: its request may have been cancelled.
pub const MARK_MS: u64 = 2_000;
/// Of how many projects the values of one credential are kept.
pub const MOST: usize = 1_000;

/// A read that the entry has to make: one line, which it gives back with the answer.
///
/// Number of the credential, when the read was asked for, and then for a Secrets Store the name of its
/// binding; for a project `<project>/<name>/<origin>` and the names in KV, the most likely first. With
/// blanks between; none of them can hold one, or a comma.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read(pub String);

/// What came of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The value; of a project's one its version, else 0.
    Value(u64, &'a str),
    /// There is none.
    Missing,
    /// There is something that cannot be opened: sealed for another project, name or origin, under a key
    /// that is not in force, or by nobody.
    Unreadable,
    /// Its place did not answer.
    Failed,
}

/// What there is for a call.
pub enum Found<'v> {
    /// The value, and the read that has to be made in the background.
    Ready(&'v Value, Option<Read>),
    /// It is to be read first.
    Read(Read),
}

/// A value that may be used.
#[derive(Debug, PartialEq, Eq)]
pub struct Value {
    /// What stands for `{secret}`.
    pub text: String,
    /// Another one for each value that this isolate has ever had; 0 for one that never changes.
    pub revision: u32,
    version: u64,
}

/// Everything that is known of credentials.
pub struct Vault {
    places: Vec<Place>,
    /// By the index of a route: which of `places`.
    routes: Vec<Option<usize>>,
    last: u32,
}

impl Vault {
    /// What the routes need. `lookup` finds a Worker secret that is a text, `stored` says whether a
    /// name is that of a Secrets Store's binding.
    pub fn new(
        routes: &Routes,
        lookup: &dyn Fn(&str) -> Option<String>,
        stored: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut places: Vec<Place> = Vec::new();
        let mut of_routes = Vec::new();
        for index in 0..routes.len() {
            let route = routes.get(index);
            let credential = route.and_then(|route| Some((route, route.credential.as_ref()?)));
            of_routes.push(credential.map(|(route, credential)| {
                let new = Place::new(&credential.source, route, lookup, stored);
                let same = |one: &Place| one.source == new.source && one.origin == new.origin;
                places.iter().position(same).unwrap_or_else(|| {
                    places.push(new);
                    places.len() - 1
                })
            }));
        }
        Self {
            places,
            routes: of_routes,
            last: 0,
        }
    }

    /// What there is for a call of this project on a route; `None` where the route has no credential.
    /// `answered`: a read was made for this call, and [`Vault::take`] has been told of it.
    ///
    /// # Errors
    /// [`Refusal::CredentialUnavailable`].
    pub fn find(
        &mut self,
        route: &Route,
        project: &str,
        keyring: &Keyring,
        answered: bool,
        now: Millis,
    ) -> Result<Option<Found<'_>>, Refusal> {
        let number = match self.routes.get(route.index) {
            Some(Some(number)) => *number,
            _ if route.credential.is_none() => return Ok(None),
            _ => return Err(Refusal::CredentialUnavailable),
        };
        let place = self.places.get_mut(number);
        let place = place.ok_or(Refusal::CredentialUnavailable)?;
        let all = match &mut place.known {
            Known::Fixed(None) => return Err(Refusal::CredentialUnavailable),
            Known::Fixed(Some(value)) => return Ok(Some(Found::Ready(value, None))),
            Known::Read(all) => all,
        };
        let owner = place.source.owner(project);
        let read = || {
            Read(described(
                number,
                &place.source,
                &place.origin,
                project,
                keyring,
                now,
            ))
        };
        let held = match all.binary_search_by(|held| held.project.as_str().cmp(owner)) {
            Ok(at) => all.get_mut(at),
            Err(_) => None,
        };
        let Some(held) = held.filter(|held| held.read <= now) else {
            return ask(answered, read);
        };
        held.used = now;
        let age = now.since(held.read);
        let recent = |mark: Option<Millis>| {
            mark.is_some_and(|mark| mark <= now && now.since(mark) < MARK_MS)
        };
        // As if it had been read for this call.
        let answered = answered || recent(held.failed);
        match &held.value {
            Some(value) if age < FRESH_MS => Ok(Some(Found::Ready(value, None))),
            Some(value) if age < HARD_MS => {
                if recent(held.marked) || recent(held.failed) {
                    return Ok(Some(Found::Ready(value, None)));
                }
                held.marked = Some(now);
                Ok(Some(Found::Ready(value, Some(read()))))
            }
            Some(value) if answered && age <= STALE_MS => Ok(Some(Found::Ready(value, None))),
            None if age < ABSENT_MS => Err(Refusal::CredentialUnavailable),
            _ => ask(answered, read),
        }
    }

    /// The value that a call of this project on a route was just let through with.
    #[must_use]
    pub fn peek(&self, route: &Route, project: &str) -> Option<&Value> {
        let place = self.place(route)?;
        match &place.known {
            Known::Fixed(value) => value.as_ref(),
            Known::Read(all) => {
                let owner = place.source.owner(project);
                let at = all.binary_search_by(|held| held.project.as_str().cmp(owner));
                all.get(at.ok()?)?.value.as_ref()
            }
        }
    }

    /// The secret of a route that never changes.
    #[must_use]
    pub fn fixed(&self, route: &Route) -> Option<&str> {
        match &self.place(route)?.known {
            Known::Fixed(value) => value.as_ref().map(|value| value.text.as_str()),
            Known::Read(_) => None,
        }
    }

    fn place(&self, route: &Route) -> Option<&Place> {
        let number = self.routes.get(route.index).copied().flatten()?;
        self.places.get(number)
    }
}

/// What a call reads that has nothing to use; one that has read already is refused.
fn ask<'v>(answered: bool, read: impl Fn() -> Read) -> Result<Option<Found<'v>>, Refusal> {
    if answered {
        return Err(Refusal::CredentialUnavailable);
    }
    Ok(Some(Found::Read(read())))
}
