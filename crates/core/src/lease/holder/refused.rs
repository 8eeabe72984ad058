//! A refusal that is remembered, so that an exhausted key does not ask for every call.

use super::Spent;
use super::held::Waiting;
use crate::lease::LEASE_MS;
use crate::lease::message::Standing;
use crate::time::Millis;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Refused {
    need: u64,
    limit: usize,
    until: Millis,
    retry: Option<Millis>,
}

impl Refused {
    /// However late a retry makes sense: a change is heard of within [`LEASE_MS`].
    pub(super) fn new(ask: &Waiting, limit: usize, retry_ms: Option<u64>) -> Self {
        let hold_ms = retry_ms.map_or(LEASE_MS, |retry| retry.min(LEASE_MS));
        Self {
            need: ask.need,
            limit,
            until: ask.asked.plus(hold_ms),
            retry: retry_ms.map(|retry| ask.asked.plus(retry)),
        }
    }

    pub(super) fn holds(&self, now: Millis) -> bool {
        now < self.until
    }

    /// What it says of a call; nothing of one that costs less than what was refused.
    pub(super) fn of(&self, cost: u64, now: Millis) -> Option<Spent> {
        (self.holds(now) && cost >= self.need).then(|| Spent::Exhausted {
            limit: self.limit,
            retry_ms: self.retry.map(|retry| retry.since(now)),
        })
    }

    /// Whether limits that were told later leave it as it is.
    pub(super) fn agrees_with(&self, limits: &[Standing]) -> bool {
        let limit = limits.get(self.limit);
        limit.is_some_and(|limit| limit.free < self.need)
    }
}
