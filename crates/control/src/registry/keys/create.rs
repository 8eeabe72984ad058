//! New keys: minted here or brought from elsewhere.

use keyward_core::limits::Limits;
use keyward_core::metering::Of;
use keyward_core::record::Status;
use keyward_core::refusal::Refusal;
use keyward_core::spec::{self, FieldError, ValidKey};
use keyward_core::time::Millis;
use keyward_edge::storage::{Storage, StorageError};

use super::edit;
use super::leased;
use super::policy::Policy;
use super::record::owe;
use super::row::{self, Key, Revoked};
use super::secrets::{self, Added};
use super::view;
use super::write;
use crate::registry::journal::Context;
use crate::registry::message::{NewKey, Publication, Reply};
use crate::registry::metering::credits;
use crate::registry::outbox::Event;
use crate::registry::publication::Publisher;
use crate::registry::reseal;
use crate::registry::state;

/// A key to be added. Its fields are valid, its environment exists, and its id and secrets are
/// free.
pub(in crate::registry) struct Addition<'a> {
    pub(in crate::registry) id: &'a str,
    pub(in crate::registry) fields: &'a ValidKey,
    pub(in crate::registry) created_at: Millis,
    /// When and why it was revoked, when its status says so.
    pub(in crate::registry) revoked: Option<Revoked>,
    /// One or two.
    pub(in crate::registry) secrets: Vec<Added<'a>>,
    /// `key.create` or `key.import`.
    pub(in crate::registry) action: &'a str,
    /// That it is new, alone or with many others.
    pub(in crate::registry) event: Event,
}

/// Creates a key with the secret that was minted for it.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn create(
    publisher: &Publisher,
    context: &Context<'_>,
    new: &NewKey,
) -> Result<Reply, StorageError> {
    let storage = context.storage;
    let fields = match spec::validate(&new.fields) {
        Ok(fields) => fields,
        Err(errors) => return Ok(refused(errors)),
    };
    if !matches!(fields.status, Status::Active | Status::Disabled) {
        let detail = "a new key is `active` or `disabled`";
        return Ok(refused(vec![error("status", detail)]));
    }
    if let Some(error) = lacks_environment(storage, &fields.environment)? {
        return Ok(refused(vec![error]));
    }
    if row::exists(storage, &new.id)? || secrets::exists(storage, &new.secret)? {
        return Ok(Reply::refused(Refusal::SecretExists));
    }
    let policy = Policy::of(storage)?;
    let key = add(
        publisher,
        context,
        &policy,
        Addition {
            id: &new.id,
            fields: &fields,
            created_at: context.now,
            revoked: None,
            secrets: vec![Added::now(&new.secret, context.now)],
            action: "key.create",
            event: Event::Created,
        },
    )?;
    Ok(Reply::Changed {
        item: view::show(storage, &policy, &key, Vec::new(), context.now)?,
        version: Some(key.version),
        publication: Publication::Pending,
        in_force_by: None,
    })
}

/// Adds a key: its rows, its entry in the audit log, and what KV is owed.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn add(
    publisher: &Publisher,
    context: &Context<'_>,
    policy: &Policy,
    addition: Addition<'_>,
) -> Result<Key, StorageError> {
    let (storage, now) = (context.storage, context.now);
    let fields = addition.fields;
    let suspended_by = state::suspension(storage, &fields.environment, fields.owner.as_deref())?;
    let key = Key {
        // Given by the table.
        position: 0,
        id: addition.id.to_owned(),
        version: write::first_version(storage, addition.id)?,
        own_status: fields.status,
        suspended_by,
        revoked: addition.revoked,
        deleted_at: None,
        name: fields.name.clone(),
        kind: fields.kind,
        environment: fields.environment.clone(),
        owner: fields.owner.clone(),
        restrictions: fields.restrictions.clone(),
        not_before: fields.not_before,
        expires_at: fields.expires_at,
        limits: fields.limits.clone(),
        metadata: fields.metadata.clone(),
        delete_protection: fields.delete_protection,
        last_used_at: None,
        created_at: addition.created_at,
        updated_at: now,
    };
    write::insert(storage, &key)?;
    leased::begin(storage, &key.id)?;
    let of = Of::Key(key.id.clone());
    credits::follow(storage, &of, &Limits::default(), &key.limits, now)?;
    for added in &addition.secrets {
        secrets::insert(storage, &key.id, added)?;
        reseal::given(publisher, &key.id, &added.secret.sealed, now)?;
    }
    let secrets = secrets::of(storage, &key.id)?;
    edit::created(context, policy, &key, &secrets, addition.action)?;
    owe(publisher, &key.id, addition.event, now)?;
    Ok(key)
}

/// What is wrong with a new key's environment, if anything is.
///
/// # Errors
/// Those of the storage.
pub(in crate::registry) fn lacks_environment(
    storage: &Storage,
    environment: &str,
) -> Result<Option<FieldError>, StorageError> {
    let row = storage.row(
        "SELECT archived_at FROM environment WHERE id = ?1",
        &[environment.into()],
    )?;
    let detail = match row.map(|row| row.optional_time(0)).transpose()? {
        Some(None) => return Ok(None),
        Some(Some(_)) => "the environment is archived; restore it, or name another",
        None => "the project has no such environment; create it, or name another",
    };
    Ok(Some(error("environment", detail)))
}

/// A key's fields are not valid.
pub(super) fn refused(errors: Vec<FieldError>) -> Reply {
    Reply::Refused {
        code: Refusal::KeySpecInvalid.code().to_owned(),
        errors,
    }
}

fn error(field: &str, detail: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        detail: detail.to_owned(),
    }
}
