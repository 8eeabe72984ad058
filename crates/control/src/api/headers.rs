//! The headers of a request that say what a change is meant for, and that it is the same again.
//!
//! Whoever sends one of them empty means to be protected by it, and is not: that is refused. (The
//! runtime drops an empty `If-Match` before it can be seen here.)

use keyward_api::condition::{Match, is_idempotency_key};
use keyward_api::operation::{Method, Operation, Precondition};
use keyward_core::refusal::Refusal;
use worker::web_sys;

use super::access::header_or_empty;
use super::answer::Refused;
use crate::registry::message::IfMatch;

/// The version that a change is meant for.
///
/// # Errors
/// [`Refusal::PreconditionRequired`], [`Refusal::HeaderInvalid`].
pub(super) fn if_match(
    request: &web_sys::Request,
    operation: &Operation,
) -> Result<IfMatch, Refused> {
    let needed = operation.precondition;
    if needed == Precondition::None {
        return Ok(None);
    }
    match header_or_empty(request, "if-match") {
        None if needed == Precondition::Required => Err(Refusal::PreconditionRequired.into()),
        None => Ok(None),
        Some(value) => Match::parse(&value).map(Match::version).ok_or_else(|| {
            let detail =
                "write the `ETag` of an earlier answer, such as \"3\" with its quotes, or *";
            Refused::field(Refusal::HeaderInvalid, "if-match", detail)
        }),
    }
}

/// The `Idempotency-Key`, which every POST may carry.
///
/// # Errors
/// [`Refusal::HeaderInvalid`].
pub(super) fn idempotency_key(
    request: &web_sys::Request,
    operation: &Operation,
) -> Result<Option<String>, Refused> {
    if operation.method != Method::Post {
        return Ok(None);
    }
    match header_or_empty(request, "idempotency-key") {
        Some(key) if !is_idempotency_key(&key) => {
            let detail = "write 1 to 255 visible ASCII characters";
            Err(Refused::field(
                Refusal::HeaderInvalid,
                "idempotency-key",
                detail,
            ))
        }
        key => Ok(key),
    }
}
