//! When the meter is asked without a call that waits, and for how much.

use super::*;

/// One that wanted more, got it, and spends ten units a second.
fn busy(amount: u64) -> Holder {
    let mut holder = Holder::new(1);
    holder.ask(0, Millis(0));
    holder.answered(&granted(1, amount), 0, Millis(0));
    for tenth in 1..=20 {
        assert_eq!(holder.spend(1, Millis(tenth * 100)), Spent::Done);
    }
    holder
}

#[test]
fn one_ask_is_under_way_at_a_time() {
    let mut holder = Holder::new(1);
    assert!(holder.due(Millis(0)));
    assert!(!holder.is_idle(Millis(0)));
    assert!(!holder.due(Millis(ASK_MARK_MS - 1)));
    assert!(holder.due(Millis(ASK_MARK_MS)));
    holder.ask(0, Millis(ASK_MARK_MS));
    holder.unanswered(1, Millis(ASK_MARK_MS));
    assert!(!holder.due(Millis(ASK_MARK_MS)), "not again at once");
}

#[test]
fn coverage_is_renewed_in_its_last_quarter() {
    let mut holder = Holder::new(1);
    holder.ask(0, Millis(0));
    holder.answered(&answer(1, Outcome::Unlimited), 0, Millis(0));
    assert!(!holder.due(Millis(LEASE_MS / 4 * 3 - 1)));
    assert!(holder.due(Millis(LEASE_MS / 4 * 3)));
}

#[test]
fn units_are_fetched_before_they_run_out() {
    let mut holder = busy(30);
    assert_eq!(holder.standing()[0].free, 10);
    assert!(!busy(40).due(Millis(2000)));
    holder.spend(5, Millis(2000));
    assert!(holder.due(Millis(2000)));
    let ask = holder.ask(0, Millis(2000));
    assert!((50..=150).contains(&ask.want), "{}", ask.want);
}

#[test]
fn an_idle_key_fetches_no_units() {
    let mut holder = holding(1, 0);
    assert!(!holder.due(Millis(100)));
}

#[test]
fn nothing_is_fetched_while_a_refusal_is_remembered() {
    let mut holder = busy(21);
    holder.ask(2, Millis(2000));
    holder.answered(&refused(2, None), 2, Millis(2000));
    assert!(!holder.due(Millis(2000)));
}

#[test]
fn where_the_limit_leaves_nothing_to_spare_no_units_are_fetched() {
    let mut holder = Holder::new(1);
    for number in 1..=3 {
        holder.ask(1, Millis(number * 100));
        let spent = holder.answered(&granted(number, 1), 1, Millis(number * 100));
        assert_eq!(spent, Spent::Done);
    }
    assert!(!holder.due(Millis(400)));
    assert_eq!(holder.ask(0, Millis(400)).want, 0);
    assert!(holder.ask(1, Millis(400)).want > 0, "a call that waits may");
}

#[test]
fn what_is_untold_for_long_is_told() {
    let mut holder = holding(50, 0);
    holder.spend(1, Millis(1));
    assert!(!holder.due(Millis(1 + REPORT_MS)));
    assert!(holder.due(Millis(2 + REPORT_MS)));
    holder.ask(0, Millis(2 + REPORT_MS));
    holder.answered(&granted(2, 0), 0, Millis(2 + REPORT_MS));
    assert!(!holder.due(Millis(2 + REPORT_MS)));
}
