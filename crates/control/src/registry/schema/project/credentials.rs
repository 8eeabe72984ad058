//! The tables of the credentials that a project has for origins.

/// Credentials, and their values as KV gets them.
pub(super) const CREDENTIALS: &str = "
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
";

/// The credentials that are gone.
pub(super) const CREDENTIALS_DELETED: &str = "
    -- The credentials that were deleted: what stands of them under an entry that was not in force then is
    -- deleted when that entry comes back.
    CREATE TABLE credential_deleted (
        name TEXT PRIMARY KEY,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";
