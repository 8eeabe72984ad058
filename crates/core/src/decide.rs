//! The decision: one pure function of a record, what a route requires, and what is known of a
//! request. The worker, `keyward explain` and the tests call this same function.
//!
//! The first row that applies decides:
//!
//! 1. the key is deleted, or belongs to a project that the route does not serve: `key_invalid`, as
//!    if there were no such key;
//! 2. it belongs to another environment: `environment_denied`;
//! 3. it is disabled or suspended: `key_disabled`; revoked: `key_revoked`;
//! 4. it, or this secret of it, has expired: `key_expired`; does not hold yet:
//!    `key_not_yet_valid`. A key holds while `not_before <= now < expires_at`;
//! 5. the route does not accept its kind: `kind_not_accepted`;
//! 6. it is not public and a web page sent it: `private_key_in_browser`;
//! 7. a restriction refuses: `referrer_denied`, `ip_denied`, `app_denied`, `path_denied`. Within
//!    one type one rule suffices; of different types all are required. Path rules are left out when the
//!    key is only exchanged for a session key, which is decided about when it is used;
//! 8. it lacks a scope that the route requires: `scope_missing`. Scopes grant, so a key without
//!    any has none.
//!
//! A **derived key** is judged with its parent's record ([`decide_derived`]): rows 1 to 4 are those of
//! the parent, then those of the derived key itself; then `wider_than_parent`, if it says what its
//! parent has not; row 6 is `referrer_denied`, unless it says which websites may use it, or any: then
//! row 6 is left out; in rows 7 and 8 both have to allow it.
//!
//! What cannot be known refuses: an unknown client address is in no range, and a public key whose
//! record restricts neither websites nor apps is used by nobody.

use crate::derived::Terms;
use crate::kind::Kind;
use crate::record::{Record, Status};
use crate::refusal::Refusal;
use crate::request::Facts;
use crate::restrict::scope::Scope;
use crate::restrict::{Restrictions, referrer};
use crate::time::Millis;

/// What a route requires of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The projects that it serves; `None` for every project.
    pub projects: Option<Vec<String>>,
    /// The environments that it serves; `None` for every environment.
    pub environments: Option<Vec<String>>,
    /// The kinds of keys that it accepts.
    pub accepts: Vec<Kind>,
    /// The scopes that it requires, all of them.
    pub scopes: Vec<Scope>,
}

impl Access {
    /// A route that accepts every key that a route can accept.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            projects: None,
            environments: None,
            accepts: vec![Kind::Public, Kind::Private, Kind::Derived],
            scopes: Vec::new(),
        }
    }
}

/// Decides about a request whose secret is the true one of `record`. Never allocates.
///
/// # Errors
/// The refusal of the first row above that applies.
pub fn decide(
    record: &Record,
    access: &Access,
    facts: &Facts<'_>,
    now: Millis,
) -> Result<(), Refusal> {
    tenancy(record, access)?;
    validity(record, now)?;
    // No record is that of a derived key.
    if record.kind == Kind::Derived || !access.accepts.contains(&record.kind) {
        return Err(Refusal::KindNotAccepted);
    }
    if record.kind != Kind::Public && from_browser(facts) {
        return Err(Refusal::PrivateKeyInBrowser);
    }
    restrictions(&record.restrictions, record.kind, facts)?;
    scopes(&record.restrictions, &access.scopes)
}

/// Decides about a request whose key is one with these terms, derived from that of `record`. Never
/// allocates.
///
/// # Errors
/// The refusal of the first row above that applies.
pub fn decide_derived(
    record: &Record,
    terms: &Terms,
    access: &Access,
    facts: &Facts<'_>,
    now: Millis,
) -> Result<(), Refusal> {
    tenancy(record, access)?;
    validity(record, now)?;
    terms.hold(now)?;
    demand(
        access.accepts.contains(&Kind::Derived),
        Refusal::KindNotAccepted,
    )?;
    let parent = &record.restrictions;
    demand(
        record.kind == Kind::Private && terms.within(parent),
        Refusal::WiderThanParent,
    )?;
    // Its parent would be refused as well, though not for what a page may be told of this key.
    demand(
        terms.is_for_pages() || !from_browser(facts),
        Refusal::ReferrerDenied,
    )?;
    for held in [parent, &terms.restrictions] {
        restrictions(held, Kind::Derived, facts)?;
    }
    scopes(terms.scopes(parent), &access.scopes)
}

/// Whether a key has every scope of `required`: those of a route, or of a path of it.
///
/// # Errors
/// [`Refusal::ScopeMissing`] when it lacks one.
pub fn scopes(held: &Restrictions, required: &[Scope]) -> Result<(), Refusal> {
    let granted = |scope: &Scope| held.scopes.iter().any(|held| held.grants(scope));
    demand(required.iter().all(granted), Refusal::ScopeMissing)
}

fn tenancy(record: &Record, access: &Access) -> Result<(), Refusal> {
    let serves = |served: &Option<Vec<String>>, one: &String| {
        served.as_ref().is_none_or(|served| served.contains(one))
    };
    demand(
        record.status != Status::Deleted && serves(&access.projects, &record.project),
        Refusal::KeyInvalid,
    )?;
    demand(
        serves(&access.environments, &record.environment),
        Refusal::EnvironmentDenied,
    )
}

fn validity(record: &Record, now: Millis) -> Result<(), Refusal> {
    match record.status {
        Status::Active => {}
        Status::Disabled | Status::Suspended => return Err(Refusal::KeyDisabled),
        Status::Revoked => return Err(Refusal::KeyRevoked),
        Status::Deleted => return Err(Refusal::KeyInvalid),
    }
    let ended = |end: Option<Millis>| end.is_some_and(|end| now >= end);
    demand(
        !ended(record.expires_at) && !ended(record.not_after),
        Refusal::KeyExpired,
    )?;
    demand(
        record.not_before.is_none_or(|start| now >= start),
        Refusal::KeyNotYetValid,
    )
}

/// Whether a web page sent the request. A WebSocket handshake's `Origin` proves nothing: clients
/// of every kind send it, and a page cannot attach a header key there. `Sec-Fetch-Mode` never
/// counts: Node's `fetch` sends `cors`.
fn from_browser(facts: &Facts<'_>) -> bool {
    let origin = present(facts.origin).is_some() && !facts.websocket;
    let site = facts.sec_fetch_site.is_some_and(|site| {
        ["same-origin", "same-site", "cross-site"]
            .iter()
            .any(|known| site.eq_ignore_ascii_case(known))
    });
    origin || site
}

fn restrictions(held: &Restrictions, kind: Kind, facts: &Facts<'_>) -> Result<(), Refusal> {
    let Restrictions {
        referrers,
        any_referrer,
        ips,
        apps,
        paths,
        scopes: _,
    } = held;

    let restricts_websites = !referrers.is_empty();
    let unrestricted = !restricts_websites && !any_referrer && apps.is_empty();
    if unrestricted && kind == Kind::Public {
        return Err(Refusal::ReferrerDenied);
    }
    // A record that says both "these" and "any" is not written by the registry: "these" holds.
    if restricts_websites
        && !referrer::check(
            referrers,
            false,
            present(facts.origin),
            present(facts.referer),
        )
    {
        return Err(Refusal::ReferrerDenied);
    }
    let in_range = || {
        facts
            .ip
            .is_some_and(|ip| ips.iter().any(|rule| rule.contains(&ip)))
    };
    demand(ips.is_empty() || in_range(), Refusal::IpDenied)?;
    demand(apps.is_empty() || apps.check(facts), Refusal::AppDenied)?;
    let on_path = || {
        paths
            .iter()
            .any(|rule| rule.matches(facts.method, facts.path))
    };
    demand(
        paths.is_empty() || facts.is_exchange || on_path(),
        Refusal::PathDenied,
    )
}

/// A header that was sent empty counts as absent.
fn present(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

fn demand(met: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if met { Ok(()) } else { Err(otherwise) }
}
