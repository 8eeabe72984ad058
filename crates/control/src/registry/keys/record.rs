//! What the edge is told about a key: a record for each of its secrets.

use keyward_core::kind::Kind;
use keyward_core::metering::Of;
use keyward_core::names;
use keyward_core::record::{OwnerLimits, Record, SCHEMA, Status};
use keyward_core::rotation::Life;
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_edge::storage::{Row, Storage, StorageError};

use super::policy::{Policy, revocation};
use super::row::{COLUMNS, Key};
use crate::registry::metering;
use crate::registry::outbox::{self, Event, Target};
use crate::registry::publication::Publisher;
use crate::registry::{republication, state};

/// What the edge is to know of a key under the name of this secret: its newest state. None when
/// the key is gone, or the secret has ended long ago: then its record has to go too.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn record(
    storage: &Storage,
    secret: &str,
) -> Result<Option<Record>, StorageError> {
    let row = storage.row(
        "SELECT key, created_at, not_before, not_after, revoked_at, imported, sealed FROM secret
         WHERE id = ?1 AND withdrawn = 0",
        &[secret.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let sealed = row.optional_text(6)?.unwrap_or_default();
    let life = Life {
        created_at: row.time(1)?,
        not_before: row.optional_time(2)?,
        not_after: row.optional_time(3)?,
        revoked_at: row.optional_time(4)?,
    };
    // Also of a key that cannot come back any more: until it is purged, its record says that it
    // is deleted.
    let key = storage.row(
        &format!("SELECT {COLUMNS} FROM key WHERE id = ?1"),
        &[(&row.text(0)?).into()],
    )?;
    let key = Key::read(&key.ok_or(StorageError::Row)?)?;
    let policy = Policy::of(storage)?;
    let status = match key.status() {
        Status::Deleted => Status::Deleted,
        _ if life.revoked_at.is_some() => Status::Revoked,
        status => status,
    };
    // Of what holds no longer, a change of the project's policy makes no new version: so the policy
    // is left out of it, or one version would have two contents. So are the limits of its owner.
    let over = matches!(status, Status::Revoked | Status::Deleted);
    let max_age = policy.max_age.filter(|_| !over);
    let owner_limits = match &key.owner {
        Some(owner) if !over => state::owner_limits(storage, owner)?,
        _ => None,
    };
    let setting = policy.revocation.filter(|_| !over);
    Ok(Some(Record {
        schema: SCHEMA,
        project: policy.project,
        environment: key.environment,
        key_id: key.id,
        secret_id: secret.to_owned(),
        kind: key.kind,
        version: key.version,
        status,
        owner: key.owner,
        not_before: key.not_before.max(life.not_before),
        expires_at: key.expires_at,
        not_after: life.ends_at(max_age),
        imported: row.number(5)? != 0,
        restrictions: key.restrictions,
        limits: key.limits,
        owner_limits: owner_limits.map(|(version, limits)| OwnerLimits {
            version,
            on_meter_error: limits.on_meter_error,
        }),
        revocation: Some(revocation(setting, key.kind)),
        // Also of a revoked key: who holds a key that is derived from it is told that.
        derivation: (key.kind == Kind::Private && status != Status::Deleted)
            .then_some(sealed)
            .filter(|sealed| sealed.starts_with("2.")),
    }))
}

/// The records of all secrets of a key that have one, the newest first.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn records(
    storage: &Storage,
    key: &str,
) -> Result<Vec<Record>, StorageError> {
    let rows = storage.rows(
        "SELECT id FROM secret WHERE key = ?1 AND withdrawn = 0
         ORDER BY created_at DESC, rowid DESC",
        &[key.into()],
    )?;
    let secrets = rows.iter().map(|row| record(storage, &row.text(0)?));
    secrets.filter_map(Result::transpose).collect()
}

/// The outbox rows of a change of this key: every secret that has a record, under every entry
/// that records are read by, so that the change also reaches records from before a rotation of
/// the deployment's secret; and what the key's meter is owed. Belongs into the transaction of the change.
///
/// # Errors
/// Those of the storage, and [`StorageError::Runtime`] without a valid keyring: without names
/// nothing could be published, so nothing may be changed either.
pub(in crate::registry) fn owe(
    publisher: &Publisher,
    key: &str,
    event: Event,
    now: Millis,
) -> Result<(), StorageError> {
    owe_each(publisher, key, |_| event, now)
}

/// As [`owe`], where not the same has happened to every secret.
///
/// # Errors
/// As [`owe`].
pub(super) fn owe_each(
    publisher: &Publisher,
    key: &str,
    event: impl Fn(&str) -> Event,
    now: Millis,
) -> Result<(), StorageError> {
    let rows = publisher.storage().rows(
        "SELECT id, digest, key FROM secret WHERE key = ?1 AND withdrawn = 0",
        &[key.into()],
    )?;
    rows.iter()
        .try_for_each(|row| owe_row(publisher, row, &event, now))?;
    metering::owe(publisher.storage(), &Of::Key(key.to_owned()), now)
}

/// The outbox rows of a change of one secret.
///
/// # Errors
/// As [`owe`].
pub(in crate::registry) fn owe_secret(
    publisher: &Publisher,
    secret: &str,
    event: Event,
    now: Millis,
) -> Result<(), StorageError> {
    let rows = publisher.storage().rows(
        "SELECT id, digest, key FROM secret WHERE id = ?1 AND withdrawn = 0",
        &[secret.into()],
    )?;
    for row in rows {
        owe_row(publisher, &row, |_| event, now)?;
        metering::owe(publisher.storage(), &Of::Key(row.text(2)?), now)?;
    }
    Ok(())
}

fn owe_row(
    publisher: &Publisher,
    row: &Row,
    event: impl Fn(&str) -> Event,
    now: Millis,
) -> Result<(), StorageError> {
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    let secret = row.text(0)?;
    let (hex, key) = (row.text(1)?, row.text(2)?);
    let digest = Digest::from_hex(&hex).ok_or(StorageError::Row)?;
    let event = event(&secret);
    for entry in keyring.in_force() {
        let target = Target {
            name: names::record_name(entry, &digest),
            entry: entry.id().to_owned(),
            key: key.clone(),
            secret: secret.clone(),
        };
        outbox::owe(publisher.storage(), &target, event, now)?;
    }
    match event {
        // Nothing stands anywhere yet.
        Event::Created | Event::Imported => Ok(()),
        Event::Granted | Event::Withdrawn => {
            republication::leave(publisher, &key, &secret, &hex, now)
        }
    }
}
