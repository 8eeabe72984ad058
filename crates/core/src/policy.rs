//! What a key, its record and a route demand of one request: [`decide()`], with the facts read from
//! the head, and what needs more than facts.

use std::net::IpAddr;

use crate::credential::Credential;
use crate::decide::{self, decide, decide_derived};
use crate::derived::Terms;
use crate::head::{Head, HeadFacts};
use crate::kind::Kind;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::request::Facts;
use crate::restrict::{ip, path::CheckedPath, scope::Scope};
use crate::route::Route;
use crate::secret::Shape;
use crate::time::Millis;

/// Whether a record found by a secret's digest is that of a key which holds on this route.
///
/// 1. A secret whose tag verifies (`native`): kind and environment are those that it names.
/// 2. Any other: the route takes imported keys, the record says that it is one, and it is public
///    or private. Another route may have brought the record into memory.
#[must_use]
pub fn belongs(route: &Route, record: &Record, native: bool, key: &str) -> bool {
    if native {
        Shape::parse(key).is_some_and(|shape| record.agrees_with(&shape))
    } else {
        route.imported_keys
            && record.imported
            && matches!(record.kind, Kind::Public | Kind::Private)
    }
}

/// Whether a key that names this environment and is derived from that of a record holds on a route. A
/// parent that was made elsewhere: the route takes imported keys.
#[must_use]
pub fn belongs_derived(route: &Route, record: &Record, environment: &str) -> bool {
    record.kind == Kind::Private
        && record.environment == environment
        && (route.imported_keys || !record.imported)
}

/// Checks a request against its key, which [`belongs`], and its route; `terms` are those of a key
/// that is derived from the record's. `is_exchange`: the key is only exchanged for a session key. Returns
/// the client's address, if it is known.
///
/// # Errors
/// The first refusal, with the scopes that were required when one is missing.
#[expect(
    clippy::too_many_arguments,
    reason = "all that a call is judged by, and nothing to take apart"
)]
pub fn check(
    client_ip_header: &str,
    route: &Route,
    record: &Record,
    terms: Option<&Terms>,
    credential: &Credential<'_>,
    head: &Head<'_>,
    path: &CheckedPath<'_>,
    is_exchange: bool,
    now: Millis,
) -> Result<Option<IpAddr>, (Refusal, String)> {
    let HeadFacts {
        origin,
        referer,
        sec_fetch_site,
        websocket,
        android_package,
        android_cert,
        ios_bundle,
        client_ip,
    } = head.facts(client_ip_header);
    let facts = Facts {
        method: head.method,
        path,
        is_exchange,
        origin,
        referer,
        sec_fetch_site,
        websocket,
        ip: client_ip.and_then(ip::parse_client),
        android_package,
        android_cert,
        ios_bundle,
    };
    let decided = match terms {
        Some(terms) => decide_derived(record, terms, &route.access, &facts, now),
        None => decide(record, &route.access, &facts, now),
    };
    decided.map_err(|refusal| (refusal, join(&route.access.scopes)))?;
    if credential.in_query && record.kind != Kind::Public {
        return Err((Refusal::KindNotAccepted, String::new()));
    }
    let held = terms.map_or(&record.restrictions, |terms| {
        terms.scopes(&record.restrictions)
    });
    for (rule, scopes) in &route.requires {
        if rule.covers(head.method, path) {
            decide::scopes(held, scopes).map_err(|refusal| (refusal, join(scopes)))?;
        }
    }
    Ok(facts.ip)
}

pub(crate) fn join(scopes: &[Scope]) -> String {
    scopes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}
