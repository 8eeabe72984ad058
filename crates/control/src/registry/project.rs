//! The registry of one project: its Durable Object is named by the project's id.
#![expect(missing_docs, reason = "on the methods that the macro writes")]

use std::rc::Rc;

use keyward_core::names;
use keyward_core::record::Status;
use keyward_core::spec;
use keyward_core::time::Millis;
use keyward_edge::{clock, log};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::message::{Change, NewKey, ProjectCommand, Reply, Shown};
use super::outbox::{self, Event, Target};
use super::publication::Publisher;
use super::storage::{Storage, StorageError};
use super::view::{self, DeletedView};
use super::{keys, schema, serve};

/// How long after an alarm that failed the next one is set.
const ALARM_AFTER_FAILURE_MS: u64 = 60_000;

/// The source of truth about one project's keys.
#[durable_object(alarm)]
pub struct ProjectRegistry {
    publisher: Option<Rc<Publisher>>,
}

impl DurableObject for ProjectRegistry {
    fn new(state: State, env: Env) -> Self {
        Self {
            publisher: Publisher::new(state, env),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        serve::answer(request, async |command| self.answer(command).await).await
    }

    async fn alarm(&self) -> worker::Result<Response> {
        match self.publisher().and_then(|publisher| {
            publisher.storage().alarm_rang();
            publisher.pump()
        }) {
            Ok(()) => Response::empty(),
            Err(error) => {
                log::registry("alarm_failed", None, &error.to_string());
                // The runtime rings again a few times after a failure, then never: what waits in
                // the outbox must not depend on that.
                let later = clock::now().plus(ALARM_AFTER_FAILURE_MS);
                if let Ok(publisher) = self.publisher()
                    && publisher.storage().wake_at(later).is_ok()
                {
                    return Response::empty();
                }
                Err(worker::Error::RustError(
                    "the registry's alarm failed".to_owned(),
                ))
            }
        }
    }
}

impl ProjectRegistry {
    fn publisher(&self) -> Result<&Rc<Publisher>, StorageError> {
        self.publisher.as_ref().ok_or(StorageError::Runtime)
    }

    async fn answer(&self, command: ProjectCommand) -> Result<Reply, StorageError> {
        let publisher = self.publisher()?;
        let storage = publisher.storage();
        let now = clock::now();
        if let ProjectCommand::Found { id } = &command {
            schema::migrate(storage, schema::PROJECT)?;
            storage.run(
                "INSERT OR IGNORE INTO project (id) VALUES (?1)",
                &[id.into()],
            )?;
            return Ok(Reply::Done);
        }
        // Asking about a project that does not exist must not leave a database behind.
        if schema::version(storage)? == 0 {
            return Ok(Reply::Unfounded);
        }
        schema::migrate(storage, schema::PROJECT)?;
        match command {
            ProjectCommand::Found { .. } => Ok(Reply::Done),
            ProjectCommand::Show { id } => shown(storage, &id),
            ProjectCommand::List { page, filter } => {
                let (keys, next) = keys::list(storage, &page, &filter)?;
                let items = keys.iter().map(|key| keys::show(storage, key));
                let items = items.collect::<Result<_, _>>()?;
                Ok(Reply::Items { items, next })
            }
            ProjectCommand::Create(key) => {
                storage.transaction(|| create(publisher, &key, now))?;
                changed(publisher, &key.id).await
            }
            ProjectCommand::Change { id, change: wanted } => {
                match storage.transaction(|| change(publisher, &id, wanted, now))? {
                    Some(refused) => Ok(refused),
                    None => changed(publisher, &id).await,
                }
            }
            ProjectCommand::Delete { id } => {
                if !storage.transaction(|| delete(publisher, &id, now))? {
                    return Ok(Reply::Unknown);
                }
                published(publisher, &id, view::shown(&DeletedView::of(&id))?).await
            }
        }
    }
}

fn shown(storage: &Storage, id: &str) -> Result<Reply, StorageError> {
    let Some(key) = keys::find(storage, id)? else {
        return Ok(Reply::Unknown);
    };
    let item = keys::show(storage, &key)?;
    let version = Some(key.version);
    Ok(Reply::Item { item, version })
}

/// The key as it is now, and whether KV has it.
async fn changed(publisher: &Rc<Publisher>, id: &str) -> Result<Reply, StorageError> {
    let storage = publisher.storage();
    // Read before waiting: the answer is about this change, not about one that comes meanwhile.
    let key = keys::find(storage, id)?.ok_or(StorageError::Row)?;
    published(publisher, id, keys::show(storage, &key)?).await
}

async fn published(
    publisher: &Rc<Publisher>,
    id: &str,
    item: Shown,
) -> Result<Reply, StorageError> {
    start(publisher);
    let publication = publisher.publication(id).await;
    Ok(Reply::Changed { item, publication })
}

/// The change is stored and the alarm set: when the publication cannot start now, it starts then.
fn start(publisher: &Rc<Publisher>) {
    if let Err(error) = publisher.pump() {
        log::registry("publication_postponed", None, &error.to_string());
    }
}

fn create(publisher: &Publisher, key: &NewKey, now: Millis) -> Result<(), StorageError> {
    // Validated by who sent it, with this same function.
    let valid = spec::validate(&key.fields).map_err(|_| StorageError::Row)?;
    keys::insert(publisher.storage(), &key.id, &valid, &key.secret, now)?;
    owe(publisher, &key.id, Event::Created, now)
}

/// Changes the key's state. An answer means that nothing was changed because it cannot be; that
/// it is as wanted already is no such case, and no new version either.
fn change(
    publisher: &Publisher,
    id: &str,
    change: Change,
    now: Millis,
) -> Result<Option<Reply>, StorageError> {
    let storage = publisher.storage();
    let Some(key) = keys::find(storage, id)? else {
        return Ok(Some(Reply::Unknown));
    };
    let status = match change {
        Change::Revoke => Status::Revoked,
        Change::Disable => Status::Disabled,
        Change::Enable => Status::Active,
    };
    if key.status == status {
        return Ok(None);
    }
    if key.status == Status::Revoked {
        return Ok(Some(Reply::Conflict));
    }
    keys::set_status(storage, id, status, now)?;
    let event = if status == Status::Active {
        Event::Granted
    } else {
        Event::Withdrawn
    };
    owe(publisher, id, event, now)?;
    Ok(None)
}

/// Whether there was such a key.
fn delete(publisher: &Publisher, id: &str, now: Millis) -> Result<bool, StorageError> {
    if keys::find(publisher.storage(), id)?.is_none() {
        return Ok(false);
    }
    owe(publisher, id, Event::Withdrawn, now)?;
    keys::delete(publisher.storage(), id)?;
    Ok(true)
}

/// The outbox rows of a change: every secret of the key, under every entry that records are read
/// by, so that a change also reaches records from before a rotation of the deployment's secret.
fn owe(publisher: &Publisher, key: &str, event: Event, now: Millis) -> Result<(), StorageError> {
    let storage = publisher.storage();
    // Without names nothing could be published: then nothing is changed either.
    let keyring = publisher.keyring().ok_or(StorageError::Runtime)?;
    for (secret, digest) in keys::digests(storage, key)? {
        for entry in keyring.in_force() {
            let target = Target {
                name: names::record_name(entry, &digest),
                entry: entry.id().to_owned(),
                key: key.to_owned(),
                secret: secret.clone(),
            };
            outbox::owe(storage, &target, event, now)?;
        }
    }
    publisher.arm(now)
}
