//! The tables of keys, and of what many keys have in common.

/// All that the first version had: keys, their secrets, and what KV has yet to be told.
pub(super) const FIRST: &str = "
    CREATE TABLE project (id TEXT PRIMARY KEY) STRICT;

    CREATE TABLE key (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        status TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        environment TEXT NOT NULL,
        owner TEXT,
        restrictions TEXT NOT NULL,
        not_before INTEGER,
        expires_at INTEGER,
        metadata TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX key_owner ON key (owner, position);

    CREATE TABLE secret (
        id TEXT PRIMARY KEY,
        key TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE,
        sealed TEXT NOT NULL,
        redacted TEXT NOT NULL,
        not_after INTEGER,
        created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX secret_key ON secret (key, created_at);

    CREATE TABLE outbox (
        name TEXT PRIMARY KEY,
        entry TEXT NOT NULL,
        key TEXT NOT NULL,
        secret TEXT NOT NULL,
        generation INTEGER NOT NULL,
        acknowledged INTEGER NOT NULL,
        withdraws INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        started_at INTEGER,
        settle_at INTEGER,
        doubtful INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX outbox_key ON outbox (key);
    CREATE INDEX outbox_due ON outbox (withdraws, due_at) WHERE started_at IS NULL;
    CREATE INDEX outbox_started ON outbox (started_at) WHERE started_at IS NOT NULL;
";

/// The life of keys, environments and owners, and changes of many keys at once.
pub(super) const LIFE: &str = "
    ALTER TABLE project ADD COLUMN name TEXT NOT NULL DEFAULT '';
    ALTER TABLE project ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
    -- The version that the account registry has been told.
    ALTER TABLE project ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE project ADD COLUMN suspended_at INTEGER;
    ALTER TABLE project ADD COLUMN archived_at INTEGER;
    ALTER TABLE project ADD COLUMN note TEXT;
    ALTER TABLE project ADD COLUMN max_age_s INTEGER;
    ALTER TABLE project ADD COLUMN warn_s INTEGER;
    ALTER TABLE project ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE project ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
    UPDATE project SET name = id WHERE name = '';

    -- project, environment or owner: the widest that applies.
    ALTER TABLE key ADD COLUMN suspended_by TEXT;
    ALTER TABLE key ADD COLUMN revoked_at INTEGER;
    ALTER TABLE key ADD COLUMN reason TEXT;
    ALTER TABLE key ADD COLUMN note TEXT;
    ALTER TABLE key ADD COLUMN deleted_at INTEGER;
    ALTER TABLE key ADD COLUMN delete_protection INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE key ADD COLUMN last_used_at INTEGER;
    -- Whether it has neither referrers nor apps, ips or paths.
    ALTER TABLE key ADD COLUMN unrestricted INTEGER NOT NULL DEFAULT 0;
    -- Whether it has the scope *:*.
    ALTER TABLE key ADD COLUMN full_access INTEGER NOT NULL DEFAULT 0;
    UPDATE key SET full_access = instr(restrictions, '\"*:*\"') > 0,
        unrestricted = instr(restrictions, '\"referrers\":') = 0
            AND instr(restrictions, '\"apps\":') = 0
            AND instr(restrictions, '\"ips\":') = 0
            AND instr(restrictions, '\"paths\":') = 0;
    UPDATE key SET revoked_at = updated_at, reason = 'unspecified' WHERE status = 'revoked';
    CREATE INDEX key_environment ON key (environment, position);
    CREATE INDEX key_status ON key (status, position);
    CREATE INDEX key_deleted ON key (deleted_at) WHERE deleted_at IS NOT NULL;
    CREATE INDEX key_expires ON key (expires_at) WHERE expires_at IS NOT NULL;

    ALTER TABLE secret ADD COLUMN not_before INTEGER;
    ALTER TABLE secret ADD COLUMN revoked_at INTEGER;
    ALTER TABLE secret ADD COLUMN reason TEXT;
    ALTER TABLE secret ADD COLUMN note TEXT;
    ALTER TABLE secret ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
    -- 1: key.rotation_due has been written; 2: the key was gone or revoked when it was due.
    ALTER TABLE secret ADD COLUMN warned INTEGER NOT NULL DEFAULT 0;
    -- It has ended long ago, and KV has no record of it any more, or is owed that.
    ALTER TABLE secret ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX secret_warning ON secret (max(created_at, coalesce(not_before, 0)))
        WHERE warned = 0 AND not_after IS NULL AND revoked_at IS NULL;
    CREATE INDEX secret_over ON secret (coalesce(revoked_at, not_after))
        WHERE withdrawn = 0 AND coalesce(revoked_at, not_after) IS NOT NULL;

    CREATE TABLE environment (
        id TEXT PRIMARY KEY,
        created_at INTEGER NOT NULL,
        archived_at INTEGER
    ) STRICT;
    INSERT OR IGNORE INTO environment (id, created_at) SELECT DISTINCT environment, 0 FROM key;
    INSERT OR IGNORE INTO environment (id, created_at) SELECT 'live', 0 FROM project;
    INSERT OR IGNORE INTO environment (id, created_at) SELECT 'test', 0 FROM project;

    CREATE TABLE owner (
        owner TEXT PRIMARY KEY,
        suspended_at INTEGER NOT NULL,
        note TEXT
    ) STRICT;

    -- KV has acknowledged a record of this secret under this entry.
    CREATE TABLE replica (
        secret TEXT NOT NULL,
        entry TEXT NOT NULL,
        PRIMARY KEY (secret, entry)
    ) STRICT, WITHOUT ROWID;

    -- Changes of many keys of which not every key has its outbox rows yet. scope: project,
    -- environment, owner or entry; next: the position of the key to go on after.
    CREATE TABLE sweep (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        scope TEXT NOT NULL,
        name TEXT NOT NULL,
        withdraws INTEGER NOT NULL,
        next INTEGER NOT NULL DEFAULT 0,
        started_at INTEGER NOT NULL,
        UNIQUE (scope, name)
    ) STRICT;

    -- Its rowid is the key's position.
    CREATE VIRTUAL TABLE key_text USING fts5(name, owner, id, tokenize = 'trigram');
    INSERT INTO key_text (rowid, name, owner, id)
        SELECT position, name, coalesce(owner, ''), id FROM key;
";

/// What is reserved in the account, and the keys that are gone for good.
pub(super) const RESERVED: &str = "
    -- Secrets and ids of keys up to this position are reserved in the account; null: all are, as
    -- they are wherever the first version of this database wrote none.
    ALTER TABLE project ADD COLUMN reserved_to INTEGER;
    UPDATE project SET reserved_to = 0 WHERE told = 0 AND created_at = 0;

    -- The last version of keys that are gone for good: whoever brings one back goes on above it.
    CREATE TABLE purged (
        id TEXT PRIMARY KEY,
        version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// The account knows of each registry whether all is reserved.
pub(super) const ALL_RESERVED: &str = "
    -- After the last position: the account is told that all are reserved.
    UPDATE project SET reserved_to = 9007199254740991 WHERE reserved_to IS NULL;
";

/// What KV is owed goes ahead of what it is only written once more.
pub(super) const OWED: &str = "
    -- What KV does not have yet, apart from what is only written once more.
    CREATE INDEX outbox_owed ON outbox (withdraws, due_at, name)
        WHERE started_at IS NULL AND (acknowledged < generation OR doubtful = 1);
    CREATE INDEX outbox_failing ON outbox (withdraws) WHERE started_at IS NULL AND attempts > 0;
";

/// What is only written once more has an index of its own too.
pub(super) const REPEATED: &str = "
    CREATE INDEX outbox_repeated ON outbox (withdraws, due_at, name)
        WHERE started_at IS NULL AND acknowledged >= generation AND doubtful = 0;
";
