//! A refusal that is remembered, so that an exhausted key does not ask for every call.

use super::Spent;
use super::bounded;
use super::held::Waiting;
use crate::lease::message::{Answer, Standing};
use crate::time::Millis;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Refused {
    need: u64,
    limit: usize,
    until: Millis,
    retry: Option<Millis>,
    /// There were units: the meter is asked too often.
    shed: bool,
}

impl Refused {
    /// However late a retry makes sense: a change is heard of within the time for which the isolate
    /// was told to go without asking.
    pub(super) fn new(ask: &Waiting, answer: &Answer, limit: usize, retry_ms: Option<u64>) -> Self {
        let lease_ms = bounded(answer.lease_ms);
        let hold_ms = retry_ms.map_or(lease_ms, |retry| retry.min(lease_ms));
        let free = answer.limits.get(limit).map_or(0, |limit| limit.free);
        let shed = free >= ask.need.max(1);
        Self {
            // Who needed nothing was refused because nothing is free, or for calls that cost something.
            need: ask.need.max(u64::from(shed)),
            limit,
            until: ask.asked.plus(hold_ms),
            retry: retry_ms.map(|retry| ask.asked.plus(retry)),
            shed,
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
        limit.is_some_and(|limit| self.shed || limit.free < self.need.max(1))
    }
}
