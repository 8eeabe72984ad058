//! The keys of one project and their secrets: the tables `key` and `secret`.

use keyward_core::kind::Kind;
use keyward_core::record::{Record, SCHEMA, Status};
use keyward_core::restrict::Restrictions;
use keyward_core::secret::Digest;
use keyward_core::spec::ValidKey;
use keyward_core::time::Millis;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::message::{KeyFilter, NewSecret, Page, Shown};
use super::storage::{Row, Storage, StorageError};
use super::view::{self, KeyView, SecretView};

const COLUMNS: &str = "id, version, status, name, kind, environment, owner, restrictions, \
                       not_before, expires_at, metadata, created_at, updated_at, position";
const POSITION: u32 = 13;

/// A key as it stands in its row.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) version: u64,
    pub(super) status: Status,
    name: String,
    kind: Kind,
    environment: String,
    owner: Option<String>,
    restrictions: Restrictions,
    not_before: Option<Millis>,
    expires_at: Option<Millis>,
    metadata: Map<String, Value>,
    created_at: Millis,
    updated_at: Millis,
}

/// Writes a new key, in version 1, and its first secret.
pub(super) fn insert(
    storage: &Storage,
    id: &str,
    key: &ValidKey,
    secret: &NewSecret,
    now: Millis,
) -> Result<(), StorageError> {
    storage.run(
        "INSERT INTO key (id, version, status, name, kind, environment, owner, restrictions,
                          not_before, expires_at, metadata, created_at, updated_at)
         VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)",
        &[
            id.into(),
            (&word(&key.status)?).into(),
            (&key.name).into(),
            (&word(&key.kind)?).into(),
            (&key.environment).into(),
            key.owner.as_ref().into(),
            (&json(&key.restrictions)?).into(),
            key.not_before.into(),
            key.expires_at.into(),
            (&json(&key.metadata)?).into(),
            now.into(),
        ],
    )?;
    storage.run(
        "INSERT INTO secret (id, key, digest, sealed, redacted, not_after, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6)",
        &[
            (&secret.id).into(),
            id.into(),
            (&secret.digest).into(),
            (&secret.sealed).into(),
            (&secret.redacted).into(),
            now.into(),
        ],
    )
}

/// One key.
pub(super) fn find(storage: &Storage, id: &str) -> Result<Option<Key>, StorageError> {
    let row = storage.row(
        &format!("SELECT {COLUMNS} FROM key WHERE id = ?1"),
        &[id.into()],
    )?;
    row.as_ref().map(key).transpose()
}

/// The newest keys that the filter lets through, and the position from which to go on, when there
/// are more than the page holds.
pub(super) fn list(
    storage: &Storage,
    page: &Page,
    filter: &KeyFilter,
) -> Result<(Vec<Key>, Option<u64>), StorageError> {
    let status = filter.status.as_ref().map(word).transpose()?;
    let rows = storage.rows(
        &format!(
            "SELECT {COLUMNS} FROM key
             WHERE (?1 IS NULL OR position < ?1)
               AND (?2 IS NULL OR status = ?2)
               AND (?3 IS NULL OR owner = ?3)
               AND (?4 IS NULL OR instr(lower(name), lower(?4)) > 0
                    OR instr(lower(owner), lower(?4)) > 0 OR instr(lower(id), lower(?4)) > 0)
             ORDER BY position DESC LIMIT ?5"
        ),
        &[
            page.before.into(),
            status.as_ref().into(),
            filter.owner.as_ref().into(),
            filter.text.as_ref().into(),
            (u64::from(page.limit) + 1).into(),
        ],
    )?;
    let (shown, next) = page.cut(&rows, POSITION)?;
    let keys = shown.iter().map(key).collect::<Result<_, _>>()?;
    Ok((keys, next))
}

/// The key as it is shown.
pub(super) fn show(storage: &Storage, key: &Key) -> Result<Shown, StorageError> {
    let secrets = storage.rows(
        "SELECT id, redacted, created_at FROM secret WHERE key = ?1 ORDER BY created_at DESC, id",
        &[(&key.id).into()],
    )?;
    let secret = |row: &Row| {
        Ok(SecretView {
            id: row.text(0)?,
            redacted: row.text(1)?,
            created_at: row.time(2)?.to_string(),
        })
    };
    view::shown(&KeyView {
        id: &key.id,
        project: &project(storage)?,
        name: &key.name,
        kind: key.kind,
        environment: &key.environment,
        owner: key.owner.as_deref(),
        status: key.status,
        version: key.version,
        restrictions: &key.restrictions,
        not_before: key.not_before.map(|time| time.to_string()),
        expires_at: key.expires_at.map(|time| time.to_string()),
        metadata: &key.metadata,
        secrets: secrets
            .iter()
            .map(secret)
            .collect::<Result<_, StorageError>>()?,
        created_at: key.created_at.to_string(),
        updated_at: key.updated_at.to_string(),
    })
}

/// Gives the key another status and thereby its next version.
pub(super) fn set_status(
    storage: &Storage,
    id: &str,
    status: Status,
    now: Millis,
) -> Result<(), StorageError> {
    storage.run(
        "UPDATE key SET status = ?2, version = version + 1, updated_at = ?3 WHERE id = ?1",
        &[id.into(), (&word(&status)?).into(), now.into()],
    )
}

/// Forgets the key and its secrets.
pub(super) fn delete(storage: &Storage, id: &str) -> Result<(), StorageError> {
    storage.run("DELETE FROM secret WHERE key = ?1", &[id.into()])?;
    storage.run("DELETE FROM key WHERE id = ?1", &[id.into()])
}

/// The ids and digests of the key's secrets.
pub(super) fn digests(storage: &Storage, key: &str) -> Result<Vec<(String, Digest)>, StorageError> {
    let rows = storage.rows(
        "SELECT id, digest FROM secret WHERE key = ?1",
        &[key.into()],
    )?;
    let digest = |row: &Row| Digest::from_hex(&row.text(1)?).ok_or(StorageError::Row);
    rows.iter()
        .map(|row| Ok((row.text(0)?, digest(row)?)))
        .collect()
}

/// What the edge is to know of the key under the name of this secret: its newest state. None when
/// the secret is gone, so that its record has to go too.
pub(super) fn record(storage: &Storage, secret: &str) -> Result<Option<Record>, StorageError> {
    let row = storage.row(
        "SELECT key, not_after FROM secret WHERE id = ?1",
        &[secret.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let (id, not_after) = (row.text(0)?, row.optional_time(1)?);
    let key = find(storage, &id)?.ok_or(StorageError::Row)?;
    Ok(Some(Record {
        schema: SCHEMA,
        project: project(storage)?,
        environment: key.environment,
        key_id: key.id,
        secret_id: secret.to_owned(),
        kind: key.kind,
        version: key.version,
        status: key.status,
        owner: key.owner,
        not_before: key.not_before,
        expires_at: key.expires_at,
        not_after,
        restrictions: key.restrictions,
    }))
}

/// The project that this registry is the one of.
fn project(storage: &Storage) -> Result<String, StorageError> {
    let row = storage.row("SELECT id FROM project", &[])?;
    row.ok_or(StorageError::Row)?.text(0)
}

fn key(row: &Row) -> Result<Key, StorageError> {
    Ok(Key {
        id: row.text(0)?,
        version: row.number(1)?,
        status: from_word(row.text(2)?)?,
        name: row.text(3)?,
        kind: from_word(row.text(4)?)?,
        environment: row.text(5)?,
        owner: row.optional_text(6)?,
        restrictions: from_json(&row.text(7)?)?,
        not_before: row.optional_time(8)?,
        expires_at: row.optional_time(9)?,
        metadata: from_json(&row.text(10)?)?,
        created_at: row.time(11)?,
        updated_at: row.time(12)?,
    })
}

/// The word that an enumeration has in JSON: the tables use the same.
fn word(value: &impl Serialize) -> Result<String, StorageError> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        _ => Err(StorageError::Row),
    }
}

fn from_word<T: DeserializeOwned>(word: String) -> Result<T, StorageError> {
    serde_json::from_value(Value::String(word)).map_err(|_| StorageError::Row)
}

fn json(value: &impl Serialize) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|_| StorageError::Row)
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|_| StorageError::Row)
}
