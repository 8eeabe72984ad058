//! What isolates and meters say to each other.

use serde::{Deserialize, Serialize};

/// An isolate asks a meter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ask {
    /// The isolate: random, and never used again after a restart.
    pub isolate: u64,
    /// Counts this isolate's asks of this meter, from 1.
    pub number: u64,
    /// What the waiting call spends; 0 when none waits, or it costs nothing.
    pub need: u64,
    /// Units beyond that, for calls to come.
    pub want: u64,
    /// For how many milliseconds they are to do; 0 from an isolate that knows no paced leases.
    #[serde(default)]
    pub lasts_ms: u64,
    /// What is known of the isolate's leases; those that are closed until an answer has come.
    pub leases: Vec<Report>,
}

/// How a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// The number of the ask that it was granted to.
    pub number: u64,
    /// Units spent so far.
    pub spent: u64,
    /// Milliseconds between the last spending and this message.
    pub age_ms: u64,
    /// Milliseconds between the ask and this message. More than the meter has seen pass means that
    /// the isolate's clock was set forward, and `age_ms` may be too much by as much.
    pub held_ms: u64,
    /// Nothing more will be spent.
    pub closed: bool,
}

/// A meter answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answer {
    /// The ask's.
    pub number: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// How long, from when it was asked, the isolate may go without asking, in milliseconds.
    pub lease_ms: u64,
    /// Every limit of the meter, as it stands after this.
    pub limits: Vec<Standing>,
}

/// What came of an ask.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// The meter has no limits: calls are not counted against any.
    Unlimited,
    /// A lease of so many units; what was needed is among them. 0 where nothing was needed.
    Granted {
        /// Units.
        amount: u64,
        /// Milliseconds, from when it was asked, in which they may be spent.
        hold_ms: u64,
        /// Of a paced lease: how many of them in each window.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        each: Option<Each>,
    },
    /// There is not as much as is needed; nothing was granted.
    Exhausted {
        /// Which of [`Answer::limits`] it is.
        limit: usize,
        /// Milliseconds after which it is worth asking again; none when only a change helps.
        retry_ms: Option<u64>,
    },
}

/// What a paced lease lets its isolate spend in any span of so long, however much there is of it in
/// all. What it spends of all its paced leases is one sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// Units.
    pub units: u64,
    /// The span, in milliseconds.
    pub window_ms: u64,
    /// Which of [`Answer::limits`] has nothing beyond that while the lease lasts: it is not worth
    /// asking for more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<usize>,
}

impl Each {
    /// The most units that are spent in any span of so long.
    #[must_use]
    pub fn most(&self, span_ms: u64) -> u64 {
        let windows = span_ms.div_ceil(self.window_ms.max(1));
        self.units.saturating_mul(windows)
    }
}

/// How a limit stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// The limit's name.
    pub name: String,
    /// What it is.
    pub sort: Sort,
    /// Units in a window or period; of credits, the balance that there was at first, or after the
    /// last change or refill.
    pub limit: u64,
    /// Units that nobody holds or has spent.
    pub free: u64,
    /// Milliseconds until more are free, or it starts anew; none when it never does.
    pub reset_ms: Option<u64>,
}

/// The sort of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// A rate limit, with its window in seconds.
    Rate(u64),
    /// A quota.
    Quota,
    /// Credits.
    Credits,
}
