//! Visits every state that the world can come to within its bounds, nearest first.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use crate::promises::{exceeded, leaked};
use crate::sides::{Counts, Spends};
use crate::world::{Action, Scenario, World};

/// What was visited.
#[derive(Debug)]
pub(crate) struct Visited {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    /// The most that was let through in one run.
    pub(crate) most: u64,
}

/// A promise that was broken, and how the world came there.
pub(crate) struct Violation {
    pub(crate) what: String,
    trace: Vec<Action>,
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        self.trace
            .iter()
            .try_for_each(|action| writeln!(f, "  {action:?}"))
    }
}

/// Explores a scenario to its end.
pub(crate) fn explore<M: Counts, H: Spends>(scenario: &Scenario) -> Result<Visited, Violation> {
    let world = World::<M, H>::new(scenario);
    let mut seen = HashSet::from([world.fingerprint()]);
    // From which state, and by what, each state was reached first.
    let mut ways = vec![(0, Action::Start)];
    let mut frontier = VecDeque::from([(0, world)]);
    let (mut steps, mut most) = (0, 0);
    while let Some((origin, world)) = frontier.pop_front() {
        for action in world.actions(scenario) {
            steps += 1;
            let mut next = world.clone();
            next.act(&action, scenario);
            if !seen.insert(next.fingerprint()) {
                continue;
            }
            ways.push((origin, action));
            let state = ways.len() - 1;
            most = most.max(next.spent.iter().map(|(_, units)| units).sum());
            // A leak stays, so it is enough to look for it at the end.
            let ends = scenario.leaks && next.left.asks == 0 && next.left.calls == 0;
            let leak = || ends.then(|| leaked(&next, scenario)).flatten();
            if let Some(what) = exceeded(&next, scenario).or_else(leak) {
                let trace = trace(&ways, state);
                return Err(Violation { what, trace });
            }
            frontier.push_back((state, next));
        }
    }
    let states = seen.len();
    Ok(Visited {
        states,
        steps,
        most,
    })
}

fn trace(ways: &[(usize, Action)], mut state: usize) -> Vec<Action> {
    let mut trace = Vec::new();
    while state != 0 {
        let (origin, action) = &ways[state];
        trace.push(action.clone());
        state = *origin;
    }
    trace.reverse();
    trace
}
