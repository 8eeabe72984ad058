//! Visits every state that the world can come to within its bounds, as far as it matters: what
//! isolates are called, and what comes late where nothing depends on it, is left out
//! ([`crate::fingerprint`], [`crate::world`]).
//!
//! It goes as deep as it can first: only the states on the way are kept, and of all others a hash
//! of 64 bits. That two of ten million states share one, so that one is taken for visited, has a
//! chance of one in 300,000.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

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

/// A state on the way to the present one, and what has not been tried in it.
struct Open<M, H> {
    world: World<M, H>,
    by: Action,
    actions: Vec<Action>,
}

/// Explores a scenario to its end.
pub(crate) fn explore<M: Counts, H: Spends>(scenario: &Scenario) -> Result<Visited, Violation> {
    let world = World::<M, H>::new(scenario);
    let mut seen = Fingerprints::default();
    seen.insert(world.fingerprint());
    let mut settled = Fingerprints::default();
    let mut way = vec![Open {
        actions: world.actions(scenario),
        by: Action::Start,
        world,
    }];
    let (mut steps, mut most) = (0, 0);
    while let Some(last) = way.last_mut() {
        let Some(action) = last.actions.pop() else {
            way.pop();
            continue;
        };
        steps += 1;
        let mut next = last.world.clone();
        next.act(&action, scenario);
        if !seen.insert(next.fingerprint()) {
            continue;
        }
        most = most.max(next.spent.iter().map(|(_, units)| units).sum());
        // A leak stays, so it is enough to look for it at the end. It does not depend on what is
        // under way, and many ends differ in nothing else.
        let leak = || {
            let is_new = scenario.leaks && next.is_end() && settled.insert(next.settled());
            is_new.then(|| leaked(&next, scenario)).flatten()
        };
        let broken = exceeded(&next, scenario).or_else(leak);
        way.push(Open {
            actions: next.actions(scenario),
            by: action,
            world: next,
        });
        if let Some(what) = broken {
            let trace = way.into_iter().skip(1).map(|open| open.by).collect();
            return Err(Violation { what, trace });
        }
    }
    let states = seen.len();
    Ok(Visited {
        states,
        steps,
        most,
    })
}

/// Hashes of states: they are hashes already.
type Fingerprints = HashSet<u64, BuildHasherDefault<Same>>;

#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only fingerprints are kept");
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}
