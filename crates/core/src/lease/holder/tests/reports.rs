//! What the meter is told, how often, and what is dropped.

use super::*;
use crate::lease::message::Report;

fn told(holder: &mut Holder, now: u64) -> Vec<(u64, u64, bool)> {
    let told = |one: &Report| (one.number, one.spent, one.closed);
    holder.ask(0, Millis(now)).leases.iter().map(told).collect()
}

#[test]
fn a_report_is_repeated_until_an_ask_that_carried_it_is_answered() {
    let mut holder = holding(5, 0);
    assert_eq!(told(&mut holder, 1), []);
    holder.spend(2, Millis(2));
    // The answer to ask 2, from before the spending, confirms nothing.
    holder.answered(&granted(2, 0), 0, Millis(3));
    assert_eq!(told(&mut holder, 4), [(1, 2, false)]);
    assert_eq!(told(&mut holder, 5), [(1, 2, false)]);
    holder.answered(&granted(3, 0), 0, Millis(6));
    assert_eq!(told(&mut holder, 7), []);
    holder.spend(3, Millis(8));
    assert_eq!(told(&mut holder, 9), [(1, 5, true)]);
    assert_eq!(told(&mut holder, 10), [(1, 5, true)]);
    // A later one confirms it as well.
    holder.answered(&granted(7, 0), 0, Millis(11));
    assert_eq!(told(&mut holder, 12), []);
}

#[test]
fn a_lease_that_ended_is_reported_closed_and_forgotten() {
    let mut holder = holding(5, 0);
    holder.spend(1, Millis(5));
    assert_eq!(told(&mut holder, HOLD), [(1, 1, true)]);
    assert!(!holder.is_idle(Millis(HOLD)));
    holder.answered(&granted(2, 0), 0, Millis(HOLD));
    assert!(holder.is_idle(Millis(HOLD)));
}

#[test]
fn an_ask_without_an_answer_is_reported_as_closed_unspent() {
    let mut holder = Holder::new(1);
    holder.ask(1, Millis(0));
    assert_eq!(told(&mut holder, ASK_MARK_MS - 1), []);
    assert_eq!(told(&mut holder, ASK_MARK_MS), [(1, 0, true)]);
    holder.unanswered(2, Millis(ASK_MARK_MS));
    assert_eq!(
        told(&mut holder, ASK_MARK_MS + 1),
        [(2, 0, true), (1, 0, true)]
    );
    // Its late answer neither grants anything nor unsays it.
    let late = holder.answered(&granted(1, 5), 1, Millis(ASK_MARK_MS + 1));
    assert_eq!(late, Spent::Ask);
    assert_eq!(
        told(&mut holder, ASK_MARK_MS + 2),
        [(2, 0, true), (1, 0, true)]
    );
}

#[test]
fn an_answer_too_late_for_its_call_is_reported_as_closed_unspent() {
    let mut holder = Holder::new(1);
    holder.ask(1, Millis(0));
    holder.answered(&granted(1, 5), 1, Millis(HOLD));
    assert_eq!(told(&mut holder, HOLD), [(1, 0, true)]);
}

#[test]
fn what_is_held_and_waited_for_is_bounded() {
    let most = MOST_LEASES as u64;
    // Live leases only: the one that ends first gives way, with what was spent of it.
    let mut holder = Holder::new(1);
    for number in 1..=most {
        holder.ask(0, Millis(number));
        holder.answered(&granted(number, 2), 0, Millis(number));
    }
    assert!(!holder.clone().due(Millis(9_000)));
    holder.spend(1, Millis(most));
    assert_eq!(told(&mut holder, most), [(1, 1, true)]);
    assert_eq!(holder.len(), MOST_LEASES);
    assert_eq!(told(&mut holder, most), [(2, 0, true)]);
    assert_eq!(holder.len(), MOST_LEASES);

    // Asks only: the oldest gives way, and its answer is dropped.
    let mut holder = Holder::new(1);
    for _ in 0..most {
        assert_eq!(told(&mut holder, 0), []);
    }
    assert_eq!(told(&mut holder, 0), [(1, 0, true)]);
    assert_eq!(holder.len(), MOST_LEASES);
    assert_eq!(holder.answered(&granted(1, 5), 1, Millis(0)), Spent::Ask);
    assert_eq!(holder.answered(&granted(2, 5), 1, Millis(0)), Spent::Done);
}
