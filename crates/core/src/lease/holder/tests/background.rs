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
fn what_will_not_be_spent_of_a_lease_before_it_ends_is_asked_for_anew() {
    let mut holder = Holder::new(1);
    holder.ask(0, Millis(0));
    holder.answered(&granted(1, 1_000), 0, Millis(0));
    for tenth in 1..=80 {
        assert_eq!(holder.spend(1, Millis(tenth * 100)), Spent::Done);
    }
    let ask = holder.ask(0, Millis(8_000));
    assert!((60..=85).contains(&ask.want), "{}", ask.want);
}

#[test]
fn a_meter_of_many_isolates_that_has_little_left_is_not_asked_before_a_call_needs_it() {
    for (lease_ms, fetched) in [(LEASE_MS, true), (2 * LEASE_MS, false)] {
        let mut holder = Holder::new(1);
        holder.ask(0, Millis(0));
        let answer = Answer {
            lease_ms,
            ..granted(1, 10)
        };
        holder.answered(&answer, 0, Millis(0));
        for tenth in 1..=9 {
            assert_eq!(holder.spend(1, Millis(tenth * 100)), Spent::Done);
        }
        assert_eq!(holder.due(Millis(900)), fetched, "{lease_ms}");
    }
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

#[test]
fn a_sign_of_life_that_is_refused_is_heard_all_the_same() {
    let mut holder = holding(4, 0);
    assert_eq!(holder.spend(1, Millis(7_000)), Spent::Done);
    assert!(holder.due(Millis(8_000)));
    let ask = holder.ask(0, Millis(8_000));
    let refused = holder.answered(&refused(ask.number, Some(500)), 0, Millis(8_100));
    assert!(matches!(refused, Spent::Exhausted { .. }));
    // It is covered, spends what it holds, and asks no more than before.
    assert!(holder.covered(Millis(17_000)));
    assert!(!holder.due(Millis(8_200)));
    assert_eq!(holder.spend(3, Millis(8_200)), Spent::Done);
    assert!(matches!(
        holder.spend(1, Millis(8_300)),
        Spent::Exhausted { .. }
    ));
    assert_eq!(holder.spend(1, Millis(8_600)), Spent::Ask);
}

#[test]
fn no_answer_makes_a_lease_longer_than_leases_are() {
    let mut holder = Holder::new(1);
    holder.ask(1, Millis(0));
    let hold_ms = u64::MAX;
    let mut endless = answer(
        1,
        Outcome::Granted {
            amount: 9,
            hold_ms,
            each: None,
        },
    );
    endless.lease_ms = u64::MAX;
    assert_eq!(holder.answered(&endless, 1, Millis(0)), Spent::Done);
    let end = LONGEST_MS - MARGIN_MS;
    assert!(holder.covered(Millis(end - 1)) && !holder.covered(Millis(end)));
    assert_eq!(holder.spend(1, Millis(end - 1)), Spent::Done);
    assert_eq!(holder.spend(1, Millis(end)), Spent::Ask);
}

#[test]
fn what_was_asked_for_is_not_asked_for_again() {
    let mut holder = holding(1_000, 0);
    for second in 1..=5 {
        holder.spend(100, Millis(second * 1_000));
    }
    let first = holder.ask(1, Millis(5_000)).want;
    assert!(first > 0);
    assert_eq!(holder.ask(1, Millis(5_000)).want, 0);
}

#[test]
fn who_falls_silent_gives_back_what_it_holds() {
    for (spent_at, given_back) in [(3_001, false), (3_000, true)] {
        let mut holder = holding(9, 0);
        holder.spend(1, Millis(spent_at));
        let ask = holder.ask(0, Millis(8_000));
        assert_eq!(ask.leases[0].closed, given_back);
        assert_eq!(holder.standing()[0].free, if given_back { 0 } else { 8 });
        if given_back {
            assert_eq!(ask.want, 0);
            holder.answered(&granted(2, 0), 0, Millis(8_001));
            assert!(!holder.due(Millis(8_002)) && holder.is_idle(Millis(8_002)));
        }
        // A call that waits takes nothing from itself.
        let mut holder = holding(9, 0);
        holder.spend(1, Millis(spent_at));
        assert!(!holder.ask(1, Millis(8_000)).leases[0].closed);
    }
}

#[test]
fn who_is_refused_asks_behind_its_calls_where_very_many_isolates_ask_and_not_elsewhere() {
    for (lease_ms, wanted) in [(LEASE_MS, 0..=0), (40_000, 10..=25)] {
        let mut holder = Holder::new(1);
        holder.ask(1, Millis(0));
        let refused = Answer {
            lease_ms,
            ..refused(1, Some(30_000))
        };
        holder.answered(&refused, 1, Millis(0));
        for second in 1..=9 {
            let spent = holder.spend(2, Millis(second * 1_000));
            assert!(matches!(spent, Spent::Exhausted { .. }), "{spent:?}");
        }
        let mut later = holder.clone();
        let mut last = holder.clone();
        last.forgo();
        assert_eq!(last.report(Millis(9_500)).want, 0);
        let ask = holder.report(Millis(9_500));
        assert!(wanted.contains(&ask.want), "{lease_ms}: {}", ask.want);
        // Nobody has called for some seconds.
        assert_eq!(later.report(Millis(14_000)).want, 0);
    }
}
