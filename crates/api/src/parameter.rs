//! Query parameters and the values that they may have.

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// The values that it may have.
    pub values: Values,
    /// What it does, in a line.
    pub summary: &'static str,
}

/// The values that a parameter may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// How many items to show: from 1 to `most`.
    Limit {
        /// When it is left out.
        default: u32,
        /// The most that is shown at once.
        most: u32,
    },
    /// Where an earlier page ended.
    Cursor,
    /// Where an earlier page over several projects ended.
    AccountCursor,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A number and a unit: `90d`.
    Duration,
    /// A point in time, RFC 3339.
    Time,
    /// Text without control characters, from 1 to this many characters.
    Text(usize),
}

/// The most items on a page, and how many are shown unless a request says otherwise.
pub const LIMIT: Parameter = Parameter {
    name: "limit",
    values: Values::Limit {
        default: 50,
        most: 100,
    },
    summary: "How many items to show.",
};

/// The most lines of an export at once.
pub const EXPORT_LIMIT: Parameter = Parameter {
    name: "limit",
    values: Values::Limit {
        default: 500,
        most: 1000,
    },
    summary: "How many lines to show.",
};

/// Where a page begins.
pub const CURSOR: Parameter = Parameter {
    name: "cursor",
    values: Values::Cursor,
    summary: "Goes on where an earlier answer ended.",
};

/// Where a page over several projects begins.
pub const ACCOUNT_CURSOR: Parameter = Parameter {
    name: "cursor",
    values: Values::AccountCursor,
    summary: "Goes on where an earlier answer ended.",
};

/// The beginning of a span of time.
pub const SINCE: Parameter = Parameter {
    name: "since",
    values: Values::Time,
    summary: "Only what happened at this time or later.",
};

/// The end of a span of time.
pub const UNTIL: Parameter = Parameter {
    name: "until",
    values: Values::Time,
    summary: "Only what happened before this time.",
};

/// A span of time, and how long the spans are that it is counted in.
pub const USAGE: &[Parameter] = &[
    Parameter {
        name: "since",
        values: Values::Time,
        summary: "Only calls at this time or later; left out: 24 hours before `until`. The span that it lies in is counted as a whole.",
    },
    Parameter {
        name: "until",
        values: Values::Time,
        summary: "Only calls before this time; left out: now. The span that it lies in is counted as a whole.",
    },
    Parameter {
        name: "by",
        values: Values::Word(&["minute", "hour", "day"]),
        summary: "How long each span of counts is; left out: an hour. Minutes are kept for 2 days, hours for 90, days for two years.",
    },
];
