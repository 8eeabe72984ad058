//! What must hold in every state of the world.

use keyward_core::lease::LEASE_MS;
use keyward_core::lease::message::{Sort, Standing};
use keyward_core::time::Millis;

use crate::sides::{Counts, Spends};
use crate::world::{Scenario, World};

/// Finds a limit that was exceeded by what was spent last.
pub(crate) fn exceeded<M: Counts, H: Spends>(
    world: &World<M, H>,
    scenario: &Scenario,
) -> Option<String> {
    let limits = &scenario.limits;
    for rate in &limits.rate {
        let spent = spent_since(world, |at| at.plus(rate.window_s * 1_000) > world.now);
        if spent > rate.limit {
            return Some(format!("{spent} of {} in a window", rate.limit));
        }
    }
    for quota in &limits.quota {
        let start = quota.schedule().span(world.now).start;
        let spent = spent_since(world, |at| at >= start);
        if spent > quota.limit {
            return Some(format!("{spent} of {} in a period", quota.limit));
        }
    }
    let credits = limits.credits.as_ref()?;
    let spent = spent_since(world, |_| true);
    (spent > credits.balance).then(|| format!("{spent} of {} credits", credits.balance))
}

/// Lets all leases end and the isolates report, and finds a limit that has lost more than those
/// isolates have wasted that were killed.
pub(crate) fn leaked<M: Counts, H: Spends>(
    world: &World<M, H>,
    scenario: &Scenario,
) -> Option<String> {
    let mut world = world.clone();
    for place in 0..world.seats.len() {
        world.give_up_all(place);
    }
    world.now = world.now.plus(2 * LEASE_MS);
    let windows = scenario
        .limits
        .rate
        .iter()
        .map(|rate| rate.window_s * 1_000);
    let longest = windows.max().unwrap_or(0);
    let mut standings = report(&mut world);
    world.now = world.now.plus(2 * longest);
    if longest > 0 {
        standings = report(&mut world);
    }
    let leak = |standing: &Standing| {
        let (spent, wasted) = match standing.sort {
            Sort::Rate(_) => (0, 0),
            Sort::Credits => (spent_since(&world, |_| true), world.wasted),
            Sort::Quota => {
                let mut quotas = scenario.limits.quota.iter();
                let quota = quotas.find(|quota| quota.name == standing.name)?;
                let start = quota.schedule().span(world.now).start;
                // What was spent shortly before the boundary may have been after it, for all that is
                // known of it.
                let before = spent_since(&world, |at| at < start);
                let spent = spent_since(&world, |at| at >= start);
                (spent, world.wasted + before)
            }
        };
        let (free, limit) = (standing.free, standing.limit);
        let fits = free + spent <= limit && free + spent + wasted >= limit;
        (!fits).then(|| format!("{free} of {limit} free, {spent} spent, {wasted} wasted at most"))
    };
    standings.iter().find_map(leak)
}

/// Every isolate reports, and takes nothing.
fn report<M: Counts, H: Spends>(world: &mut World<M, H>) -> Vec<Standing> {
    let mut standings = Vec::new();
    for place in 0..world.seats.len() {
        let now = world.clock(place);
        let holder = &mut world.seats[place].holder;
        let mut ask = holder.ask(0, now);
        ask.want = 0;
        let answer = world.meter.take(&ask, world.now);
        holder.answered(&answer, 0, now);
        standings = answer.limits;
    }
    standings
}

fn spent_since<M, H>(world: &World<M, H>, counts: impl Fn(Millis) -> bool) -> u64 {
    let spent = world.spent.iter().filter(|(at, _)| counts(*at));
    spent.map(|(_, units)| units).sum()
}
