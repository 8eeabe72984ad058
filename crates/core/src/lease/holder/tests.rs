//! What is spent, refused and asked, and what becomes of it when the clock or an answer is off.

mod anything;
mod background;
mod paced;
mod reports;

use super::*;
use crate::lease::LEASE_MS;
use crate::lease::message::Sort;

pub(super) const HOLD: u64 = 10_000;

pub(super) fn answer(number: u64, outcome: Outcome) -> Answer {
    Answer {
        number,
        outcome,
        lease_ms: LEASE_MS,
        limits: vec![Standing {
            name: "short".into(),
            sort: Sort::Rate(10),
            limit: 100,
            free: 0,
            reset_ms: None,
        }],
    }
}

pub(super) fn granted(number: u64, amount: u64) -> Answer {
    let hold_ms = HOLD;
    answer(
        number,
        Outcome::Granted {
            amount,
            hold_ms,
            each: None,
        },
    )
}

pub(super) fn refused(number: u64, retry_ms: Option<u64>) -> Answer {
    answer(number, Outcome::Exhausted { limit: 0, retry_ms })
}

/// One that was granted so many units at a time, none of them spent.
pub(super) fn holding(amount: u64, at: u64) -> Holder {
    let mut holder = Holder::new(1);
    holder.ask(0, Millis(at));
    assert_eq!(
        holder.answered(&granted(1, amount), 0, Millis(at)),
        Spent::Done
    );
    holder
}

fn exhausted(retry_ms: Option<u64>) -> Spent {
    Spent::Exhausted { limit: 0, retry_ms }
}

#[test]
fn a_new_holder_asks() {
    let mut holder = Holder::new(7);
    assert_eq!(holder.spend(1, Millis(0)), Spent::Ask);
    assert_eq!(holder.spend(0, Millis(0)), Spent::Ask);
    let ask = holder.ask(3, Millis(0));
    assert_eq!(
        (ask.isolate, ask.number, ask.need, ask.want),
        (7, 1, 3, FIRST_WANT)
    );
    assert_eq!(ask.leases, []);
    assert_eq!(holder.ask(1, Millis(0)).number, 2);
}

#[test]
fn a_call_is_paid_whole_or_not_at_all() {
    let mut holder = holding(5, 0);
    assert_eq!(holder.spend(6, Millis(1)), Spent::Ask);
    assert_eq!(holder.standing()[0].free, 5);
    assert_eq!(holder.spend(3, Millis(1)), Spent::Done);
    assert_eq!(holder.spend(3, Millis(1)), Spent::Ask);
    assert_eq!(holder.spend(2, Millis(1)), Spent::Done);
    assert_eq!(holder.standing()[0].free, 0);
}

#[test]
fn the_lease_that_ends_first_is_spent_first_and_several_pay_together() {
    let mut holder = holding(5, 1000);
    let first = holder.ask(0, Millis(2000)).number;
    let short = Outcome::Granted {
        amount: 4,
        hold_ms: 2000,
        each: None,
    };
    holder.answered(&answer(first, short), 0, Millis(2000));
    assert_eq!(holder.spend(3, Millis(2001)), Spent::Done);
    assert_eq!(holder.spend(3, Millis(2002)), Spent::Done);
    let spent: Vec<_> = (holder.ask(0, Millis(2003)).leases.iter())
        .map(|report| (report.number, report.spent, report.age_ms, report.closed))
        .collect();
    assert_eq!(spent, [(2, 4, 1, true), (1, 2, 1, false)]);
}

#[test]
fn a_lease_ends_a_margin_before_its_time() {
    for (at, spent) in [
        (HOLD - MARGIN_MS - 1, Spent::Done),
        (HOLD - MARGIN_MS, Spent::Ask),
    ] {
        assert_eq!(holding(1, 50).spend(1, Millis(50 + at)), spent, "{at}");
        assert_eq!(holding(1, 50).spend(0, Millis(50 + at)), spent, "{at}");
    }
}

#[test]
fn the_waiting_call_needs_no_margin() {
    for (at, spent, left) in [
        (HOLD - MARGIN_MS - 1, Spent::Done, Spent::Done),
        (HOLD - MARGIN_MS, Spent::Done, Spent::Ask),
        (HOLD - 1, Spent::Done, Spent::Ask),
        (HOLD, Spent::Ask, Spent::Ask),
    ] {
        let mut holder = Holder::new(1);
        holder.ask(2, Millis(50));
        let now = Millis(50 + at);
        assert_eq!(holder.answered(&granted(1, 3), 2, now), spent, "{at}");
        assert_eq!(holder.spend(1, now), left, "{at}");
    }
}

#[test]
fn the_waiting_call_takes_its_own_units_first() {
    let mut holder = holding(1, 0);
    holder.ask(2, Millis(10));
    assert_eq!(holder.answered(&granted(2, 2), 2, Millis(20)), Spent::Done);
    assert_eq!(holder.standing()[0].free, 1);
    // What its own lacks, others pay.
    holder.ask(2, Millis(30));
    assert_eq!(holder.answered(&granted(3, 1), 2, Millis(40)), Spent::Done);
    assert_eq!(holder.spend(1, Millis(40)), Spent::Ask);
}

#[test]
fn an_answer_that_nobody_waits_for_is_dropped() {
    for number in [0, 1, 3, 9] {
        let mut holder = holding(0, 0);
        holder.ask(1, Millis(0));
        holder.ask(1, Millis(0));
        holder.unanswered(3, Millis(0));
        assert_eq!(
            holder.answered(&granted(number, 5), 1, Millis(1)),
            Spent::Ask
        );
        assert_eq!(holder.spend(1, Millis(1)), Spent::Ask, "{number}");
    }
}

#[test]
fn a_repeated_answer_grants_nothing_more() {
    let mut holder = holding(5, 0);
    assert_eq!(holder.answered(&granted(1, 5), 0, Millis(1)), Spent::Ask);
    assert_eq!(holder.standing()[0].free, 5);
}

#[test]
fn a_refusal_is_remembered_until_a_retry_makes_sense() {
    for (retry_ms, until) in [
        (Some(0), 0),
        (Some(300), 300),
        (Some(60_000), LEASE_MS),
        (None, LEASE_MS),
    ] {
        let mut holder = Holder::new(1);
        holder.ask(2, Millis(100));
        let spent = holder.answered(&refused(1, retry_ms), 2, Millis(100));
        assert_eq!(spent, exhausted(retry_ms));
        assert_eq!(holder.spend(2, Millis(100 + until)), Spent::Ask);
        if until > 0 {
            let mut holder = holder.clone();
            holder.seen = Millis(100);
            let left = retry_ms.map(|retry| retry + 1 - until);
            let now = Millis(100 + until - 1);
            assert_eq!(holder.spend(2, now), exhausted(left));
            // A cheaper call may still have its share.
            assert_eq!(holder.spend(1, now), Spent::Ask);
        }
    }
}

#[test]
fn a_later_grant_ends_a_refusal_and_an_older_one_begins_none() {
    let mut holder = Holder::new(1);
    holder.ask(1, Millis(0));
    holder.ask(1, Millis(0));
    holder.ask(1, Millis(0));
    holder.answered(&refused(2, None), 1, Millis(1));
    assert_eq!(holder.spend(1, Millis(1)), exhausted(None));
    assert_eq!(holder.answered(&granted(3, 1), 1, Millis(1)), Spent::Done);
    assert_eq!(holder.spend(1, Millis(1)), Spent::Ask);
    let late = holder.answered(&refused(1, None), 1, Millis(1));
    assert_eq!(late, exhausted(None));
    assert_eq!(holder.spend(1, Millis(1)), Spent::Ask);
}

#[test]
fn a_background_answer_without_units_leaves_the_refusal() {
    let mut holder = Holder::new(1);
    holder.ask(1, Millis(0));
    holder.answered(&refused(1, None), 1, Millis(0));
    holder.ask(0, Millis(1));
    assert_eq!(holder.answered(&granted(2, 0), 0, Millis(1)), Spent::Done);
    assert_eq!(holder.spend(1, Millis(1)), exhausted(None));
    holder.ask(0, Millis(2));
    let mut freed = granted(3, 0);
    freed.limits[0].free = 1;
    holder.answered(&freed, 0, Millis(2));
    assert_eq!(holder.spend(1, Millis(2)), Spent::Ask);
}

#[test]
fn without_limits_calls_pass_while_covered() {
    let mut holder = Holder::new(1);
    holder.ask(1, Millis(0));
    let unlimited = answer(1, Outcome::Unlimited);
    assert_eq!(holder.answered(&unlimited, 1, Millis(0)), Spent::Done);
    for (at, spent) in [
        (LEASE_MS - MARGIN_MS - 1, Spent::Done),
        (LEASE_MS - MARGIN_MS, Spent::Ask),
    ] {
        for cost in [0, 1, u64::MAX] {
            assert_eq!(holder.spend(cost, Millis(at)), spent, "{at}");
        }
        assert_eq!(holder.covered(Millis(at)), spent == Spent::Done);
    }
}

#[test]
fn a_clock_that_moves_back_ends_all() {
    let mut holder = holding(5, 1000);
    holder.ask(1, Millis(1000));
    // Small steps do not count.
    assert_eq!(holder.spend(1, Millis(1000 - MARGIN_MS)), Spent::Done);
    let back = Millis(1000 - MARGIN_MS - 1);
    assert!(!holder.covered(back));
    assert_eq!(holder.spend(1, back), Spent::Ask);
    assert_eq!(holder.answered(&granted(2, 1), 1, back), Spent::Ask);
    assert_eq!(holder.standing()[0].free, 0);
    let reports = holder.ask(0, back.plus(7)).leases;
    assert!(reports.iter().all(|report| report.closed));
    let mut spent: Vec<_> = (reports.iter().map(|one| (one.number, one.spent))).collect();
    spent.sort_unstable();
    assert_eq!(spent, [(1, 1), (2, 0)]);
    // Later than it was, never earlier.
    assert!(reports.iter().all(|report| report.age_ms <= 7));
}

#[test]
fn a_clock_that_moves_back_forgets_a_refusal() {
    let mut holder = Holder::new(1);
    holder.ask(1, Millis(1000));
    holder.answered(&refused(1, None), 1, Millis(1000));
    assert_eq!(holder.spend(1, Millis(950)), exhausted(None));
    assert_eq!(holder.spend(1, Millis(800)), Spent::Ask);
}
