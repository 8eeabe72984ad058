//! The tables of the registries, as the steps that `Storage::migrate` takes: each list only ever
//! grows.

/// What both registries have: the audit log, and the answers that may be asked for again.
const JOURNAL: &str = "
    CREATE TABLE audit (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        actor_type TEXT NOT NULL,
        actor TEXT,
        action TEXT NOT NULL,
        project TEXT,
        key TEXT,
        target TEXT,
        changes TEXT NOT NULL,
        ip TEXT,
        request_id TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_key ON audit (key, position);
    CREATE INDEX audit_actor ON audit (actor, position);
    CREATE INDEX audit_action ON audit (action, position);
    CREATE INDEX audit_at ON audit (at, position);
    CREATE TRIGGER audit_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;
    CREATE TRIGGER audit_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'append-only'); END;

    CREATE TABLE idempotency (
        caller TEXT NOT NULL,
        key_hash TEXT NOT NULL,
        request_hash TEXT NOT NULL,
        reply TEXT NOT NULL,
        sealed TEXT,
        at INTEGER NOT NULL,
        PRIMARY KEY (caller, key_hash)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_at ON idempotency (at);
";

/// The account registry: every project.
pub(super) const ACCOUNT: &[&str] = &[
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
];

/// The registry of one project: its keys, their secrets, and what KV has yet to be told.
pub(super) const PROJECT: &[&str] = &[
    "
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
",
    JOURNAL,
    "
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
",
    "
    -- Secrets and ids of keys up to this position are reserved in the account; null: all are, as
    -- they are wherever the first version of this database wrote none.
    ALTER TABLE project ADD COLUMN reserved_to INTEGER;
    UPDATE project SET reserved_to = 0 WHERE told = 0 AND created_at = 0;

    -- The last version of keys that are gone for good: whoever brings one back goes on above it.
    CREATE TABLE purged (
        id TEXT PRIMARY KEY,
        version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
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
",
    "
    -- From when on every record of the key that may be read anywhere demands a lease of its meter;
    -- null: the newest does not, or it is not known.
    ALTER TABLE key ADD COLUMN leased_from INTEGER;
",
    "
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
",
    "
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
",
    "
    -- The last version of a credential that was given out, and what it was at the last deletion.
    ALTER TABLE project ADD COLUMN credential_version INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE project ADD COLUMN credential_floor INTEGER NOT NULL DEFAULT 0;

    -- What the project has for origins.
    CREATE TABLE credential (
        name TEXT PRIMARY KEY,
        origin TEXT NOT NULL,
        version INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- The values, as KV gets them under each entry.
    CREATE TABLE credential_seal (
        name TEXT NOT NULL,
        entry TEXT NOT NULL,
        sealed TEXT NOT NULL,
        PRIMARY KEY (name, entry)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- The credentials that were deleted: what stands of them under an entry that was not in force then is
    -- deleted when that entry comes back.
    CREATE TABLE credential_deleted (
        name TEXT PRIMARY KEY,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
];
