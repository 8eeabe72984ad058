//! The tables of a meter, as the steps that `Storage::migrate` takes: the list only ever grows.

pub(crate) const METER: &[&str] = &["
    -- What there is one of, as JSON under its name.
    CREATE TABLE part (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- An isolate: its leases, null when the meter has forgotten it, and what it was answered.
    -- The id has 64 bits, more than a number of JavaScript.
    CREATE TABLE isolate (
        id TEXT PRIMARY KEY,
        leases TEXT,
        answered TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- Counts of a span (1, 60 or 1440 minutes) from its first minute on. A call is counted in one
    -- row. unsent: the part that the project's meter has not been told of.
    CREATE TABLE usage (
        span INTEGER NOT NULL,
        first INTEGER NOT NULL,
        counts TEXT NOT NULL,
        unsent TEXT,
        PRIMARY KEY (span, first)
    ) STRICT, WITHOUT ROWID;

    -- Of a project's meter: the number of the newest report of each key.
    CREATE TABLE source (
        key TEXT PRIMARY KEY,
        number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
"];
