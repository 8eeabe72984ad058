//! The tables of the registries, as the steps that `Storage::migrate` takes: each list only ever
//! grows.

mod account;
mod project;

pub(super) use self::account::ACCOUNT;
pub(super) use self::project::PROJECT;

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
