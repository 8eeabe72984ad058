//! What is spent of paced leases, and what their pace does not let through.

use super::*;
use crate::lease::message::Each;

/// An answer with a lease of 100 units, so many of them in each second.
fn paced(number: u64, units: u64, short: Option<usize>) -> Answer {
    let each = Each {
        units,
        window_ms: 1_000,
        short,
    };
    let outcome = Outcome::Granted {
        amount: 100,
        hold_ms: HOLD,
        each: Some(each),
    };
    answer(number, outcome)
}

/// One that was granted such a lease in the first millisecond.
fn keeping(units: u64, short: Option<usize>) -> Holder {
    let mut holder = Holder::new(1);
    holder.ask(0, Millis(0));
    holder.answered(&paced(1, units, short), 0, Millis(0));
    holder
}

/// How many calls of so many, one after another, are paid at a time.
fn paid(holder: &mut Holder, calls: u64, at: u64) -> u64 {
    let mut paid = 0;
    for _ in 0..calls {
        paid += u64::from(holder.spend(1, Millis(at)) == Spent::Done);
    }
    paid
}

#[test]
fn no_second_has_more_than_the_pace_and_the_rest_is_asked_for() {
    let mut holder = keeping(3, None);
    assert_eq!(paid(&mut holder, 2, 400), 2);
    assert_eq!(paid(&mut holder, 5, 900), 1);
    assert_eq!(holder.spend(1, Millis(1_409)), Spent::Ask);
    assert_eq!(paid(&mut holder, 5, 1_410), 2);
    assert_eq!(paid(&mut holder, 5, 1_910), 1);
    assert_eq!(holder.standing()[0].free, 0);
    assert_eq!(paid(&mut holder, 5, 5_000), 3);
}

#[test]
fn where_there_is_no_more_it_is_refused_until_the_pace_allows_it() {
    let mut holder = keeping(3, Some(0));
    assert_eq!(paid(&mut holder, 3, 400), 3);
    assert_eq!(holder.spend(1, Millis(600)), exhausted(Some(810)));
    assert_eq!(holder.spend(0, Millis(600)), exhausted(Some(810)));
    // More than the pace is for the meter to say.
    assert_eq!(holder.spend(4, Millis(600)), Spent::Ask);
    assert_eq!(holder.spend(1, Millis(1_410)), Spent::Done);
    // So is what comes when the lease is over.
    assert_eq!(holder.spend(1, Millis(HOLD)), Spent::Ask);
}

#[test]
fn what_was_short_is_so_no_more_when_the_limits_are_others() {
    let mut holder = keeping(3, Some(0));
    assert_eq!(paid(&mut holder, 3, 400), 3);
    let ask = holder.ask(0, Millis(500));
    let nothing = Outcome::Granted {
        amount: 0,
        hold_ms: 0,
        each: None,
    };
    let mut answer = answer(ask.number, nothing);
    answer.limits[0].sort = Sort::Rate(60);
    holder.answered(&answer, 0, Millis(500));
    assert_eq!(holder.spend(1, Millis(600)), Spent::Ask);
}

#[test]
fn a_new_lease_takes_the_place_of_the_old_with_what_was_spent_of_it() {
    let mut holder = keeping(3, None);
    assert_eq!(paid(&mut holder, 3, 400), 3);
    let ask = holder.ask(1, Millis(500));
    assert_eq!(
        holder.answered(&paced(2, 4, None), 1, Millis(600)),
        Spent::Done
    );
    assert_eq!((ask.number, ask.lasts_ms), (2, LEASE_MS));
    assert_eq!(paid(&mut holder, 5, 700), 0);
    assert_eq!(paid(&mut holder, 5, 1_410), 3);
    let told: Vec<_> = (holder.ask(0, Millis(1_500)).leases.iter())
        .map(|one| (one.number, one.spent, one.closed))
        .collect();
    assert_eq!(told, [(1, 3, true), (2, 4, false)]);
}

#[test]
fn a_lease_that_allows_less_leaves_the_older_one_until_that_ends() {
    let mut holder = keeping(3, None);
    holder.ask(0, Millis(500));
    holder.answered(&paced(2, 1, None), 0, Millis(600));
    assert_eq!(paid(&mut holder, 5, 700), 3);
    assert_eq!(paid(&mut holder, 5, HOLD), 1);
}

#[test]
fn what_is_asked_for_does_not_regard_what_is_left_of_a_paced_lease() {
    let mut holder = keeping(50, None);
    for second in 1..=4 {
        assert_eq!(paid(&mut holder, 10, second * 1_000), 10);
    }
    let want = holder.ask(0, Millis(4_000)).want;
    assert!((60..=100).contains(&want), "{want}");
}

#[test]
fn a_clock_that_moved_back_makes_nothing_that_was_spent_older() {
    let mut holder = keeping(3, None);
    assert_eq!(paid(&mut holder, 3, 5_000), 3);
    assert_eq!(holder.spend(1, Millis(2_000)), Spent::Ask);
    let number = holder.ask(1, Millis(2_000)).number;
    let answered = holder.answered(&paced(number, 3, None), 1, Millis(2_100));
    assert_eq!(answered, Spent::Ask);
    assert_eq!(paid(&mut holder, 5, 3_009), 0);
    assert_eq!(paid(&mut holder, 5, 3_010), 3);
}
