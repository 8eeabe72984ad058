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
//! is an older one taken; and the same one again only then, where there was none after it. A place that fails,
//! or has an older one, is not asked again for [`MARK_MS`].
//!
//! Bounded: of each credential the values of at most [`MOST`] projects are kept; the one that was used
//! longest ago goes.

use std::fmt::Write as _;

use crate::keyring::Keyring;
use crate::names;
use crate::refusal::Refusal;
use crate::route::{Route, Routes, Source};
use crate::time::Millis;

/// How long a value is used without a look at its place.
pub const FRESH_MS: u64 = 30_000;
/// How long a value is used while it is read again.
pub const HARD_MS: u64 = 60_000;
/// How old a value may be that is used while its place fails.
pub const STALE_MS: u64 = 300_000;
/// How long it is remembered that there is none.
pub const ABSENT_MS: u64 = 10_000;
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

/// A credential that one route names, or several in the same words.
struct Place {
    source: Source,
    /// Empty, or the only origin that may receive it.
    origin: String,
    /// The field that the log names.
    field: String,
    known: Known,
}

enum Known {
    /// A Worker secret that is a text; none when it is not set or cannot be sent.
    Fixed(Option<Value>),
    /// By project, in their order; of a Secrets Store one without a name.
    Read(Vec<Held>),
}

struct Held {
    project: String,
    value: Option<Value>,
    /// When the answer that holds came.
    read: Millis,
    /// When it had been asked for.
    asked: Millis,
    marked: Option<Millis>,
    /// When a read last brought nothing that says what holds.
    failed: Option<Millis>,
    floor: Floor,
    used: Millis,
}

/// The newest version that was seen of a value. It outlives the value: what cannot be opened or is not
/// there for a moment makes nothing older acceptable.
struct Floor {
    /// 0 where values have none.
    version: u64,
    /// There was none after it.
    gone: bool,
    /// When it was last seen, or first was gone.
    since: Millis,
}

impl Floor {
    fn refuses(&self, version: u64, now: Millis) -> bool {
        let older = version < self.version || (self.gone && version == self.version);
        older && self.version > 0 && self.since <= now && now.since(self.since) <= STALE_MS
    }
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

    /// Takes in what came of a read. Returns what the log is to say: a field, and what is wrong with it.
    pub fn take(
        &mut self,
        read: &str,
        answer: Answer<'_>,
        now: Millis,
    ) -> Option<(&str, &'static str)> {
        let mut parts = read.split(' ');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (number, asked) = (number()?, Millis(number()?));
        let what = parts.next()?;
        let place = self.places.get_mut(usize::try_from(number).ok()?)?;
        let Known::Read(all) = &mut place.known else {
            return None;
        };
        let owner = match &place.source {
            Source::Secret(_) => "",
            Source::Project(_) => what.split('/').next().unwrap_or_default(),
        };
        let trouble = |detail| Some((place.field.as_str(), detail));
        let at = all.binary_search_by(|held| held.project.as_str().cmp(owner));
        let (value, detail) = match answer {
            Answer::Value(version, text) if usable(text) => (Some((version, text)), None),
            Answer::Value(..) => (None, Some("the value cannot stand in a header")),
            Answer::Missing => (None, Some("there is no value")),
            Answer::Unreadable => (
                None,
                Some("the value cannot be opened for this project, name and origin"),
            ),
            Answer::Failed => {
                let at = match at {
                    Ok(at) => Some(at),
                    // A failure displaces no value.
                    Err(_) => (all.len() < MOST).then(|| room_for(all, owner, now)),
                };
                if let Some(held) = at.and_then(|at| all.get_mut(at)) {
                    held.failed = Some(now);
                }
                return trouble("the value could not be read");
            }
        };
        let at = at.unwrap_or_else(|_| room_for(all, owner, now));
        let held = all.get_mut(at)?;
        // What was asked for earlier may come later.
        if held.read <= now && asked < held.asked {
            return None;
        }
        match answer {
            Answer::Value(version, _) if held.floor.refuses(version, now) => {
                held.failed = Some(now);
                return None;
            }
            Answer::Value(version, _) => {
                held.floor = Floor {
                    version,
                    gone: false,
                    since: now,
                };
            }
            Answer::Missing if !held.floor.gone => {
                (held.floor.gone, held.floor.since) = (true, now);
            }
            _ => {}
        }
        (held.read, held.asked) = (now, asked);
        (held.marked, held.failed) = (None, None);
        let unchanged = |old: &Value| {
            value.is_some_and(|(version, text)| old.version == version && old.text == text)
        };
        if !held.value.as_ref().is_some_and(unchanged) {
            self.last = self.last.wrapping_add(1).max(1);
            let revision = self.last;
            held.value = value.map(|(version, text)| Value {
                text: text.to_owned(),
                revision,
                version,
            });
        }
        detail.and_then(trouble)
    }
}

impl Source {
    /// Whose value it is: a project's, or nobody's.
    fn owner<'a>(&self, project: &'a str) -> &'a str {
        match self {
            Self::Secret(_) => "",
            Self::Project(_) => project,
        }
    }
}

impl Place {
    fn new(
        source: &Source,
        route: &Route,
        lookup: &dyn Fn(&str) -> Option<String>,
        stored: &dyn Fn(&str) -> bool,
    ) -> Self {
        let (origin, field, known) = match source {
            Source::Secret(name) if stored(name) => ("", "secret", Known::Read(Vec::new())),
            Source::Secret(name) => {
                let text = lookup(name).filter(|text| usable(text));
                let value = text.map(|text| Value {
                    text,
                    revision: 0,
                    version: 0,
                });
                ("", "secret", Known::Fixed(value))
            }
            Source::Project(_) => {
                let origin = route.origin.as_str();
                (origin, "project_secret", Known::Read(Vec::new()))
            }
        };
        Self {
            source: source.clone(),
            origin: origin.to_owned(),
            field: format!("route[{}].credential.{field}", route.index),
            known,
        }
    }
}

/// What a call reads that has nothing to use; one that has read already is refused.
fn ask<'v>(answered: bool, read: impl Fn() -> Read) -> Result<Option<Found<'v>>, Refusal> {
    if answered {
        return Err(Refusal::CredentialUnavailable);
    }
    Ok(Some(Found::Read(read())))
}

fn described(
    number: usize,
    source: &Source,
    origin: &str,
    project: &str,
    keyring: &Keyring,
    now: Millis,
) -> String {
    let mut text = format!("{number} {} ", now.0);
    match source {
        Source::Secret(name) => text.push_str(name),
        Source::Project(name) => {
            let _ = write!(text, "{project}/{name}/{origin}");
            for entry in keyring.in_force() {
                text.push(' ');
                text.push_str(&names::credential_name(entry, project, name));
            }
        }
    }
    text
}

/// A place for what is known of a project, in their order.
fn room_for(all: &mut Vec<Held>, project: &str, now: Millis) -> usize {
    if all.len() >= MOST {
        let oldest = all.iter().enumerate().min_by_key(|(_, held)| held.used);
        if let Some((at, _)) = oldest {
            all.remove(at);
        }
    }
    let at = all.partition_point(|held| held.project.as_str() < project);
    let held = Held {
        project: project.to_owned(),
        value: None,
        read: Millis(0),
        asked: Millis(0),
        marked: None,
        failed: None,
        floor: Floor {
            version: 0,
            gone: false,
            since: Millis(0),
        },
        used: now,
    };
    all.insert(at, held);
    at
}

/// Whether a secret can stand in a header as it is: a line break from a careless paste would end
/// it early, and blanks around it are trimmed by the runtime, so that it would no longer be
/// recognised in an answer.
pub(crate) fn usable(secret: &str) -> bool {
    !secret.is_empty()
        && secret.trim() == secret
        && secret.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}
