//! What holds whatever happens, in whatever order.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Spend(u64),
    Ask(u64),
    /// Answers one of the asks made so far, also one that was answered before.
    Answer(prop::sample::Index, Option<u64>, u64),
    GiveUp(prop::sample::Index),
    Wait(u64),
    Back(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4u64).prop_map(Step::Spend),
        3 => (0..4u64).prop_map(Step::Ask),
        4 => (any::<prop::sample::Index>(), prop::option::weighted(0.8, 0..6u64), 0..3000u64)
            .prop_map(|(which, amount, hold)| Step::Answer(which, amount, hold)),
        1 => any::<prop::sample::Index>().prop_map(Step::GiveUp),
        3 => (0..1500u64).prop_map(Step::Wait),
        1 => (0..1500u64).prop_map(Step::Back),
    ]
}

/// What a test knows of a lease.
#[derive(Default)]
struct Known {
    asked: u64,
    need: u64,
    /// Amount and `hold_ms`, from the first answer on.
    granted: Option<(u64, u64)>,
    spent: u64,
    closed: bool,
}

impl Known {
    fn ends(&self, margin: u64) -> u64 {
        let hold_ms = self.granted.map_or(0, |(_, hold_ms)| hold_ms);
        self.asked + hold_ms.saturating_sub(margin)
    }
}

/// What the next ask would say of each lease.
fn spent_of_each(holder: &Holder, now: u64) -> HashMap<u64, u64> {
    let reports = holder.clone().ask(0, Millis(now)).leases;
    reports.iter().map(|one| (one.number, one.spent)).collect()
}

/// The leases of which something was spent since.
fn touched(before: &HashMap<u64, u64>, holder: &Holder, now: u64) -> Vec<u64> {
    let mut after = spent_of_each(holder, now);
    after.retain(|number, spent| *spent > before.get(number).copied().unwrap_or(0));
    after.into_keys().collect()
}

proptest! {
    #[test]
    fn nothing_is_spent_but_what_was_granted_and_live(
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut holder = Holder::new(1);
        let mut known: HashMap<u64, Known> = HashMap::new();
        let (mut now, mut asks, mut paid) = (5000u64, 0u64, 0u64);
        for step in steps {
            match step {
                Step::Wait(millis) => now += millis,
                Step::Back(millis) => now = now.saturating_sub(millis),
                Step::GiveUp(which) if asks > 0 => {
                    holder.unanswered(1 + which.index(asks as usize) as u64, Millis(now));
                }
                Step::GiveUp(_) => {}
                Step::Spend(cost) => {
                    let before = spent_of_each(&holder, now);
                    if holder.spend(cost, Millis(now)) == Spent::Done {
                        paid += cost;
                    }
                    for number in touched(&before, &holder, now) {
                        prop_assert!(now < known[&number].ends(MARGIN_MS));
                    }
                }
                Step::Ask(need) => {
                    let ask = holder.ask(need, Millis(now));
                    asks += 1;
                    prop_assert_eq!(ask.number, asks);
                    for report in &ask.leases {
                        let lease = known.get_mut(&report.number).unwrap();
                        prop_assert!(report.spent >= lease.spent);
                        prop_assert!(!lease.closed || (report.closed && report.spent == lease.spent));
                        let amount = lease.granted.map_or(0, |(amount, _)| amount);
                        prop_assert!(report.spent <= amount);
                        (lease.spent, lease.closed) = (report.spent, report.closed);
                    }
                    // By the holder's clock, which reads small steps back as none.
                    let asked = holder.seen.0;
                    known.insert(asks, Known { asked, need, ..Known::default() });
                }
                Step::Answer(which, amount, hold_ms) if asks > 0 => {
                    let number = 1 + which.index(asks as usize) as u64;
                    let lease = known.get_mut(&number).unwrap();
                    // A repetition gets the same answer.
                    let extra = amount.map(|amount| (lease.need + amount, hold_ms));
                    let same = lease.granted.or(extra);
                    let outcome = match same {
                        Some((amount, hold_ms)) => Outcome::Granted { amount, hold_ms, each: None },
                        None => Outcome::Exhausted { limit: 0, retry_ms: Some(hold_ms) },
                    };
                    lease.granted = same;
                    let (need, asked) = (lease.need, lease.asked);
                    let closed = lease.closed;
                    let before = spent_of_each(&holder, now);
                    let spent = holder.answered(&answer(number, outcome), need, Millis(now));
                    for touched in touched(&before, &holder, now) {
                        let margin = if touched == number { 0 } else { MARGIN_MS };
                        prop_assert!(now < known[&touched].ends(margin));
                    }
                    if spent == Spent::Done {
                        prop_assert!(!closed);
                        prop_assert!(now < asked + same.unwrap().1);
                        paid += need;
                    }
                }
                Step::Answer(..) => {}
            }
            let granted: u64 = (known.values())
                .map(|lease| lease.granted.map_or(0, |(amount, _)| amount))
                .sum();
            prop_assert!(paid <= granted);
            prop_assert!(holder.len() <= MOST_LEASES);
        }
        // All that was paid is told in the end, if nothing was dropped for want of room.
        if asks < MOST_LEASES as u64 {
            for report in holder.ask(0, Millis(now)).leases {
                known.get_mut(&report.number).unwrap().spent = report.spent;
            }
            prop_assert_eq!(known.values().map(|lease| lease.spent).sum::<u64>(), paid);
        }
    }
}
