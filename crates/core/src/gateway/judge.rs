//! What the policy says of a call, whichever way its key was sent and whoever asks about it.

use std::net::IpAddr;

use super::call::{Call, SentAs};
use super::derived::Verified;
use crate::decide;
use crate::kind::Kind;
use crate::policy;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::restrict::Restrictions;
use crate::route::Sessions;
use crate::verify::Terms;

/// What the policy says of a call, and the client's address.
pub(super) fn judge(
    call: &Call<'_, '_>,
    record: &Record,
    native: bool,
    derived: Option<&Verified>,
    client_ip_header: &str,
) -> Result<Option<IpAddr>, (Refusal, String)> {
    let Call {
        head,
        path,
        route,
        credential,
        terms,
        sent_as,
        ended,
        now,
        ..
    } = call;
    let of_asked = |terms: &Terms| match &terms.project {
        Some(project) => *project == record.project,
        None => true,
    };
    let exchanged = terms.is_some_and(|terms| terms.is_exchange);
    let belongs = match (sent_as, derived) {
        (SentAs::Session, _) => native && record.kind == Kind::Public,
        (_, Some(derived)) => policy::belongs_derived(route, record, &derived.environment),
        // None that was made elsewhere is exchanged.
        (_, None) => {
            (native || !exchanged) && policy::belongs(route, record, native, &credential.key)
        }
    };
    if !belongs || !terms.is_none_or(of_asked) {
        return Err((Refusal::KeyInvalid, String::new()));
    }
    let address = policy::check(
        client_ip_header,
        route,
        record,
        derived.map(|derived| &derived.terms),
        credential,
        head,
        path,
        exchanged,
        *now,
    )?;
    if let Some(refusal) = *ended {
        return Err((refusal, String::new()));
    }
    if exchanged && record.kind != Kind::Public {
        return Err((Refusal::KindNotAccepted, String::new()));
    }
    let itself = record.kind == Kind::Public && *sent_as == SentAs::Secret;
    if itself && route.sessions == Sessions::Required {
        return Err((Refusal::SessionRequired, String::new()));
    }
    if let Some(terms) = terms {
        let held = derived.map_or(&record.restrictions, |derived| {
            derived.terms.scopes(&record.restrictions)
        });
        asked(terms, held)?;
    }
    Ok(address)
}

/// What is asked beyond what the route demands. A path that is not said is on no list; of a key that is only
/// exchanged none is asked for.
fn asked(terms: &Terms, held: &Restrictions) -> Result<(), (Refusal, String)> {
    if !terms.is_placed && !terms.is_exchange && !held.paths.is_empty() {
        return Err((Refusal::PathDenied, String::new()));
    }
    decide::scopes(held, &terms.scopes).map_err(|no| (no, policy::join(&terms.scopes)))
}
