//! The tables of the account registry.

use super::JOURNAL;

/// The account registry: every project.
pub(in crate::registry) const ACCOUNT: &[&str] = &[
    "
    CREATE TABLE project (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
",
    JOURNAL,
    "
    -- Name, status and version are copies: a project's own registry tells them.
    ALTER TABLE project ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
    ALTER TABLE project ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

    CREATE TABLE management_key (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        status TEXT NOT NULL,
        name TEXT NOT NULL,
        -- Null: of the account.
        project TEXT,
        scopes TEXT NOT NULL,
        ips TEXT NOT NULL,
        not_before INTEGER,
        expires_at INTEGER,
        revoked_at INTEGER,
        reason TEXT,
        note TEXT,
        last_used_at INTEGER,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX management_key_project ON management_key (project, position);

    CREATE TABLE management_secret (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        key TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE,
        redacted TEXT NOT NULL,
        not_before INTEGER,
        not_after INTEGER,
        revoked_at INTEGER,
        reason TEXT,
        note TEXT,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX management_secret_key ON management_secret (key, position);

    -- Bootstrap secrets that have made their key.
    CREATE TABLE bootstrap (
        digest TEXT PRIMARY KEY,
        key TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- d:<digest of a secret> and k:<key id>.
    CREATE TABLE reservation (
        name TEXT PRIMARY KEY,
        project TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    -- Where a secret was first reported to have leaked.
    ALTER TABLE management_secret ADD COLUMN leaked_at INTEGER;
    ALTER TABLE management_secret ADD COLUMN leak_source TEXT;
    ALTER TABLE management_secret ADD COLUMN leak_url TEXT;
",
    "
    -- Its registry may be one of the first version, and has not said yet that all of its digests are
    -- reserved.
    ALTER TABLE project ADD COLUMN unreserved INTEGER NOT NULL DEFAULT 0;
    -- Also one that has begun: each says itself when all are.
    UPDATE project SET unreserved = 1;
",
];
