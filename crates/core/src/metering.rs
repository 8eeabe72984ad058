//! What a meter's object is asked and told, and what it answers: JSON, one command in, one reply out.
//!
//! - An **isolate** exchanges: it asks for units, says which record of the key it holds and what it
//!   has counted; it gets a lease, the newer record if there is one, and what was taken in.
//! - The **registry** tells what has changed: the meter is a replica that every isolate which uses
//!   the key asks within seconds, whatever KV does. A meter that knows nothing yet, or has not been
//!   told anything for long, asks the registry by itself.
//! - The **management API** asks how limits stand and how a key was used.
//!
//! An object is named by its subject ([`Subject::object`]), and each command carries it: an object
//! does not learn its own name.

use serde::{Deserialize, Serialize};

use crate::lease::message::{Answer, Ask, Sort, Standing};
use crate::lease::meter::Spent;
use crate::limits::Limits;
use crate::record::Record;
use crate::time::Millis;
use crate::usage::{Counts, Minute, UsageReport};

/// What one meter counts for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The project's id.
    pub project: String,
    /// What of it.
    pub of: Of,
}

impl Subject {
    /// How long its texts are.
    pub(crate) fn len(&self) -> usize {
        let of = match &self.of {
            Of::Key(id) | Of::Owner(id) => id.len(),
            Of::Project => 0,
        };
        self.project.len() + of
    }
}

/// What of a project a meter counts for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// The key with this id: its limits, its records, its usage.
    Key(String),
    /// All keys of this owner together: the limits that they share.
    Owner(String),
    /// All of it: the sum of its keys' usage.
    Project,
}

/// A command to a meter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterCall {
    /// Whose meter it is.
    pub subject: Subject,
    /// What it is to do.
    pub command: MeterCommand,
}

/// What a meter is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeterCommand {
    /// An isolate asks: [`MeterReply::Exchanged`].
    Exchange(Exchange),
    /// The registry tells: [`MeterReply::Told`].
    Tell(Box<Knowledge>),
    /// How do the limits stand: [`MeterReply::Standing`].
    Standing,
    /// How was it used: [`MeterReply::Usage`].
    Usage {
        /// The first moment of interest.
        since: Millis,
        /// The moment after the last of interest.
        until: Millis,
        /// How long a span of counts is.
        by: Span,
    },
    /// A key's meter tells the project's what it has counted: [`MeterReply::Summed`]. Each number
    /// of a key is added once.
    Sum {
        /// The key's id.
        key: String,
        /// What it has counted since its last number.
        report: UsageReport,
    },
}

/// What a meter answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeterReply {
    /// To [`MeterCommand::Exchange`].
    Exchanged(Box<Exchanged>),
    /// To [`MeterCommand::Tell`].
    Told(Told),
    /// To [`MeterCommand::Standing`].
    Standing(Vec<Standing>),
    /// To [`MeterCommand::Usage`]: spans in the order of time, without those that have no counts.
    Usage(Vec<(Millis, Counts)>),
    /// To [`MeterCommand::Sum`].
    Summed {
        /// How long the key's meter is to wait before it tells more, in milliseconds.
        wait_ms: u64,
    },
}

/// An isolate asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// For units, or, without limits, as a sign of life.
    pub ask: Ask,
    /// The record that it holds; none to the meter of an owner.
    pub holds: Option<Holds>,
    /// The newest version of an owner's limits that its records know of: a meter that knows an
    /// older one asks the registry first. 0 to the meter of a key.
    #[serde(default)]
    pub version: u64,
    /// What it has counted and not been confirmed.
    pub usage: Option<UsageReport>,
}

/// A record that an isolate holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holds {
    /// The secret that it is for.
    pub secret_id: String,
    /// Its version.
    pub version: u64,
}

/// An isolate is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchanged {
    /// The lease.
    pub answer: Answer,
    /// What is to be known of the key, where it is not what the isolate holds. None confirms the
    /// record that it holds.
    pub news: Option<News>,
    /// The number of the newest usage report that was taken in.
    pub usage: Option<u64>,
}

/// What an isolate is to know of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum News {
    /// The newest record of the secret that it holds.
    Record(Box<Record>),
    /// The registry knows no such secret.
    Gone,
}

/// What the registry knows of a key, or of an owner's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knowledge {
    /// The key's version, or that of the owner's limits. An older one is passed over.
    pub version: u64,
    /// The limits; none of a key that is gone.
    pub limits: Limits,
    /// The record of each secret that has one; none of a key that is gone, or of an owner.
    pub records: Vec<Record>,
    /// Changes of credits, in the order of their numbers; those that were applied are passed over.
    /// Where there are credits that nothing was told of yet, the first says their balance.
    pub credits: Vec<CreditChange>,
}

/// A change of a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditChange {
    /// Counts the changes of one subject, from 1; what became void in between is left out.
    pub number: u64,
    /// When it was made.
    pub at: Millis,
    /// What is done.
    pub act: CreditAct,
}

/// What is done to a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CreditAct {
    /// It is replaced.
    Set(u64),
    /// This is added to it.
    Add(u64),
}

/// The registry is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The version that the meter knows. A registry that is below it was set back: it has to go
    /// above it, or the meter passes over all that it says.
    pub version: u64,
    /// Milliseconds until every isolate's lease by an older version is over, and every one from
    /// before the newest change of credits; 0 when none is left.
    pub leased_ms: u64,
    /// The number of the newest change of credits that was applied.
    pub credits: u64,
}

/// A threshold of a limit that was passed: the registry is told of each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    /// The limit's name.
    pub name: String,
    /// A quota, or credits.
    pub sort: Sort,
    /// What the limit is.
    pub limit: u64,
    /// What was spent of it then.
    pub spent: u64,
    /// So many hundredths of it were passed.
    pub percent: u64,
    /// When it starts anew.
    pub until: Option<Millis>,
    /// Of credits, the number of their newest change; else 0.
    pub credited: u64,
    /// When it was seen.
    pub at: Millis,
}

/// How long a span of counts is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    /// Kept for two days.
    Minute,
    /// Kept for 90 days.
    Hour,
    /// Kept for two years.
    Day,
}

impl Holds {
    /// What an isolate says of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            secret_id: record.secret_id.clone(),
            version: record.version,
        }
    }
}

impl Passed {
    /// A threshold of this limit was passed. `credited` is the number of the newest change of credits.
    #[must_use]
    pub fn new(limit: &Spent, percent: u64, credited: u64, at: Millis) -> Self {
        Self {
            name: limit.name.clone(),
            sort: limit.sort,
            limit: limit.limit,
            spent: limit.spent,
            percent,
            until: limit.until,
            credited: match limit.sort {
                Sort::Credits => credited,
                Sort::Rate(_) | Sort::Quota => 0,
            },
            at,
        }
    }

    /// Whether it is the same threshold of the same limit in the same period, whenever it was seen.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// What tells it from every other of its meter.
    #[must_use]
    pub fn identity(&self) -> (&str, Sort, u64, u64, Option<Millis>, u64) {
        (
            &self.name,
            self.sort,
            self.limit,
            self.percent,
            self.until,
            self.credited,
        )
    }
}

impl Subject {
    /// The name of its object. Project ids have no `/`, so no two subjects share one.
    #[must_use]
    pub fn object(&self) -> String {
        let project = &self.project;
        match &self.of {
            Of::Key(key) => format!("k/{project}/{key}"),
            Of::Owner(owner) => format!("o/{project}/{owner}"),
            Of::Project => format!("p/{project}"),
        }
    }
}

impl Span {
    /// Its length in minutes.
    #[must_use]
    pub const fn minutes(self) -> u64 {
        match self {
            Self::Minute => 1,
            Self::Hour => 60,
            Self::Day => 1_440,
        }
    }

    /// The first minute of the span that a minute is in.
    #[must_use]
    pub const fn first(self, minute: Minute) -> Minute {
        Minute(minute.0 - minute.0 % self.minutes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_has_an_object_of_its_own() {
        let subject = |of| Subject {
            project: "acme".to_owned(),
            of,
        };
        let names: Vec<_> = [
            Of::Key("a/b".to_owned()),
            Of::Owner("a/b".to_owned()),
            Of::Project,
        ]
        .map(|of| subject(of).object())
        .into();
        assert_eq!(names, ["k/acme/a/b", "o/acme/a/b", "p/acme"]);
    }

    #[test]
    fn a_minute_is_in_one_span_of_each_length() {
        let minute = Minute(2 * 1_440 + 61);
        assert_eq!(Span::Minute.first(minute), minute);
        assert_eq!(Span::Hour.first(minute), Minute(2 * 1_440 + 60));
        assert_eq!(Span::Day.first(minute), Minute(2 * 1_440));
    }
}
