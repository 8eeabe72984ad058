//! The tables of what somebody is warned of or told.

/// Warnings, leaks, pages that have sent private keys, and webhooks.
pub(super) const LEAKS: &str = "
    -- The end (`expires_at`) that was warned of, or passed over because the key was gone by then.
    ALTER TABLE key ADD COLUMN end_warned INTEGER;
    CREATE INDEX key_ending ON key (expires_at)
        WHERE expires_at IS NOT NULL AND end_warned IS NOT expires_at;

    -- Where a secret was first reported to have leaked.
    ALTER TABLE secret ADD COLUMN leaked_at INTEGER;
    ALTER TABLE secret ADD COLUMN leak_source TEXT;
    ALTER TABLE secret ADD COLUMN leak_url TEXT;
    -- revoke or flag; null: revoke.
    ALTER TABLE project ADD COLUMN on_leak TEXT;

    -- Pages that have sent a private key.
    CREATE TABLE key_page (
        key TEXT NOT NULL,
        origin TEXT NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (key, origin)
    ) STRICT, WITHOUT ROWID;

    -- Endpoints that are told what happens to keys.
    CREATE TABLE webhook (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        url TEXT NOT NULL,
        -- A list of words; an empty one: all.
        events TEXT NOT NULL,
        description TEXT NOT NULL,
        sealed TEXT NOT NULL,
        old_sealed TEXT,
        old_until INTEGER,
        disabled_at INTEGER,
        disabled_why TEXT,
        -- Messages that it never got.
        dropped INTEGER NOT NULL DEFAULT 0,
        delivered_at INTEGER,
        failed_at INTEGER,
        failed_status INTEGER,
        failed_cause TEXT,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE webhook_message (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        webhook TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        started_at INTEGER
    ) STRICT;
    CREATE INDEX webhook_message_webhook ON webhook_message (webhook, position);
    CREATE INDEX webhook_message_due ON webhook_message (due_at) WHERE started_at IS NULL;
    CREATE INDEX webhook_message_started ON webhook_message (started_at)
        WHERE started_at IS NOT NULL;
";

/// What was told about limits and leaks, and the end of a secret that a page has sent.
pub(super) const TOLD: &str = "
    -- Counts the changes of an endpoint.
    ALTER TABLE webhook ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

    -- The messages about limits that were written in the last days, by their ids.
    CREATE TABLE limit_told (
        id TEXT PRIMARY KEY,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- So many seconds after a page has sent a private key's secret that one ends; null: it does not.
    ALTER TABLE project ADD COLUMN browser_end_s INTEGER;
    -- When a secret ends at the latest because a page has sent it.
    ALTER TABLE secret ADD COLUMN browser_end_at INTEGER;
    -- When it was last told that a key which was derived from it has leaked.
    ALTER TABLE secret ADD COLUMN derived_leak_at INTEGER;
";
