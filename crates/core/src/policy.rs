//! What a key, its record and a route demand of one request: [`decide()`], with the facts read from
//! the head, and what needs more than facts.

use std::net::IpAddr;

use crate::credential::Credential;
use crate::decide::{self, decide};
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

/// Checks a request against its key, which [`belongs`], and its route. Returns the client's address,
/// if it is known.
///
/// # Errors
/// The first refusal, with the scopes that were required when one is missing.
pub fn check(
    client_ip_header: &str,
    route: &Route,
    record: &Record,
    credential: &Credential<'_>,
    head: &Head<'_>,
    path: &CheckedPath<'_>,
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
        origin,
        referer,
        sec_fetch_site,
        websocket,
        ip: client_ip.and_then(ip::parse_client),
        android_package,
        android_cert,
        ios_bundle,
    };
    decide(record, &route.access, &facts, now)
        .map_err(|refusal| (refusal, join(&route.access.scopes)))?;
    if credential.in_query && record.kind != Kind::Public {
        return Err((Refusal::KindNotAccepted, String::new()));
    }
    for (rule, scopes) in &route.requires {
        if rule.covers(head.method, path) {
            decide::scopes(&record.restrictions, scopes)
                .map_err(|refusal| (refusal, join(scopes)))?;
        }
    }
    Ok(facts.ip)
}

fn join(scopes: &[Scope]) -> String {
    scopes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}
