//! The tables of limits.

/// Limits, and the meters that count for them.
pub(super) const LIMITS: &str = "
    ALTER TABLE key ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';
    -- strict or eventual; null: by the kind of the key.
    ALTER TABLE project ADD COLUMN revocation TEXT;

    -- Owners that are suspended, or whose keys share limits or once did.
    ALTER TABLE owner RENAME TO suspended;
    CREATE TABLE owner (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        owner TEXT NOT NULL UNIQUE,
        suspended_at INTEGER,
        note TEXT,
        limits TEXT NOT NULL DEFAULT '{}',
        -- Counts the changes of the limits.
        limits_version INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    INSERT INTO owner (position, owner, suspended_at, note)
        SELECT rowid, owner, suspended_at, note FROM suspended;
    DROP TABLE suspended;

    -- The subjects whose meters have asked: k/<key> and o/<owner>.
    CREATE TABLE metered (
        subject TEXT PRIMARY KEY,
        -- When every isolate goes by what the meter was told last.
        in_force_by INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE meter_outbox (
        subject TEXT PRIMARY KEY,
        generation INTEGER NOT NULL,
        -- It has changed with those of many other keys.
        swept INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        started_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX meter_outbox_due ON meter_outbox (swept, due_at) WHERE started_at IS NULL;
    CREATE INDEX meter_outbox_started ON meter_outbox (started_at)
        WHERE started_at IS NOT NULL;

    -- Changes of credits that no meter has confirmed yet. act: set or add.
    CREATE TABLE credit_change (
        subject TEXT NOT NULL,
        number INTEGER NOT NULL,
        act TEXT NOT NULL,
        units INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (subject, number)
    ) STRICT, WITHOUT ROWID;
    -- The last number that was given; kept for ever, because the meter remembers what it applied.
    CREATE TABLE credit_number (
        subject TEXT PRIMARY KEY,
        number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// From when on the lease of a meter is demanded.
pub(super) const LEASED: &str = "
    -- From when on every record of the key that may be read anywhere demands a lease of its meter;
    -- null: the newest does not, or it is not known.
    ALTER TABLE key ADD COLUMN leased_from INTEGER;
";
