//! The limits of a key, and those that the keys of its owner share: all are looked at, then all are
//! paid. A call that is refused pays nothing.
//!
//! 1. A key with a lease is decided here and now.
//! 2. Without one its meter is asked first, where the key has limits that a meter counts, or where
//!    its revocation is strict. Other keys are let through, and asked about in the background.
//! 3. A meter that does not answer: a key whose limits allow it, or an owner's, is let through
//!    unpaid. Every other one is refused, for it may have been revoked or have nothing left.
//! 4. A call that has waited for as long as it may, of a meter that answers: it is refused. Who calls
//!    often enough at once must not be let past the limits of a key that allows it.

use super::refused::No;
use crate::account::Account;
use crate::lease::holder::Spent;
use crate::lease::message::Sort;
use crate::limits::OnMeterError;
use crate::record::{Record, RevocationMode};
use crate::refusal::Refusal;
use crate::time::Millis;

/// Seconds until a call that a meter did not answer is worth repeating.
const METER_RETRY_S: u64 = 1;

/// What one meter has to say of a call.
pub(super) enum Verdict {
    /// It is paid from a lease.
    Pays,
    /// It is let through, and there is nothing to pay.
    Free,
    /// The meter is to be asked for so many units.
    Ask(u64),
    /// Nothing is known, and nothing is allowed.
    Unknown,
    /// A limit is used up.
    Over(No),
}

/// Whether the meter of a key has anything to do with it. A record of a version that had no meters
/// has no mode.
pub(super) fn has_meter(record: &Record) -> bool {
    record.revocation.is_some() || record.limits.is_metered() || record.owner_limits.is_some()
}

/// What the key's own meter says. `patient`: whether the call may wait for an answer.
pub(super) fn of_key(
    account: &mut Account,
    record: &Record,
    units: u64,
    patient: bool,
    now: Millis,
) -> Verdict {
    let metered = record.limits.is_metered();
    let strict = record.revocation == Some(RevocationMode::Strict);
    if !metered && !strict {
        return Verdict::Free;
    }
    if account.covers(record.version, metered, now) {
        if !metered {
            return Verdict::Free;
        }
        match account.check(units, now) {
            Spent::Done => return Verdict::Pays,
            Spent::Exhausted { limit, retry_ms } => {
                return Verdict::Over(over(account, "", limit, retry_ms));
            }
            Spent::Ask => {}
        }
    }
    let failing = account.is_failing(now);
    if patient && !failing {
        return Verdict::Ask(if metered { units } else { 0 });
    }
    // A record that is known to be outdated may lack what the newer one demands.
    let known = !strict || !account.outdates(record.version);
    let allowed = failing && record.limits.on_meter_error == OnMeterError::Allow;
    if metered && known && allowed {
        Verdict::Free
    } else {
        Verdict::Unknown
    }
}

/// What the meter of the owner's limits says.
pub(super) fn of_owner(
    account: &mut Account,
    on_meter_error: OnMeterError,
    units: u64,
    patient: bool,
    now: Millis,
) -> Verdict {
    match account.check(units, now) {
        Spent::Done => Verdict::Pays,
        Spent::Exhausted { limit, retry_ms } => {
            Verdict::Over(over(account, OWNER, limit, retry_ms))
        }
        Spent::Ask => match (account.is_failing(now), on_meter_error) {
            (false, _) if patient => Verdict::Ask(units),
            (true, OnMeterError::Allow) => Verdict::Free,
            _ => Verdict::Unknown,
        },
    }
}

/// What comes before the names of limits that an owner's keys share.
pub(super) const OWNER: &str = "owner:";

/// The refusal of a call that has to wait for a meter, and may not.
pub(super) fn unknown() -> No {
    No {
        retry_s: Some(METER_RETRY_S),
        ..Refusal::MeterUnavailable.into()
    }
}

fn over(account: &Account, prefix: &str, limit: usize, retry_ms: Option<u64>) -> No {
    let standing = account.standing().get(limit);
    let refusal = match standing.map(|standing| standing.sort) {
        Some(Sort::Quota) => Refusal::QuotaExceeded,
        Some(Sort::Credits) => Refusal::CreditsExhausted,
        Some(Sort::Rate(_)) | None => Refusal::RateLimited,
    };
    No {
        limit: standing.map(|standing| format!("{prefix}{}", standing.name)),
        retry_s: retry_ms.map(|retry| retry.div_ceil(1000).max(1)),
        ..refusal.into()
    }
}
