//! The registry of one project: its Durable Object is named by the project's id.
#![expect(missing_docs, reason = "on the methods that the macro writes")]

mod make;
mod told;

use std::rc::Rc;

use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::storage::StorageError;
use keyward_edge::{clock, log};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use self::make::make;
use self::told::told;
use super::message::{Call, KeyAct, Metered, ProjectCommand, Reply};
use super::metering;
use super::publication::Publisher;
use super::{
    audit, change, credentials, export, import, keys, list, naming, replica, republication, schema,
    seen, serve, state, tasks, view, webhooks,
};

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
        serve::answer(request, async |call| self.answer(call).await).await
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if let Err(error) = self.publisher().and_then(ring) {
            log::registry("alarm_failed", None, &error.to_string());
            // The runtime rings again a few times after a failure, then never: what is owed must
            // not depend on that.
            let later = clock::now().plus(ALARM_AFTER_FAILURE_MS);
            let set = self
                .publisher()
                .and_then(|publisher| publisher.storage().wake_at(later));
            if set.is_err() {
                let text = "the registry's alarm failed".to_owned();
                return Err(worker::Error::RustError(text));
            }
        }
        Response::empty()
    }
}

/// Does what is due by the clock, then goes on with what KV is owed; neither waits for the other.
fn ring(publisher: &Rc<Publisher>) -> Result<(), StorageError> {
    let storage = publisher.storage();
    storage.alarm_rang();
    storage.migrate(schema::PROJECT)?;
    let now = clock::now();
    republication::notice(publisher, now)?;
    let done = storage.transaction(|| {
        tasks::run(publisher, now)?;
        publisher.arm(now)
    });
    publisher.pump()?;
    done
}

impl ProjectRegistry {
    fn publisher(&self) -> Result<&Rc<Publisher>, StorageError> {
        self.publisher.as_ref().ok_or(StorageError::Runtime)
    }

    async fn answer(&self, call: Call<ProjectCommand>) -> Result<Reply, StorageError> {
        let publisher = self.publisher()?;
        let storage = publisher.storage();
        // Asking about a project that does not exist must not leave a database behind.
        let founds = matches!(call.command, ProjectCommand::Found { .. });
        if !founds && storage.version()? == 0 {
            return Ok(Reply::Unfounded);
        }
        let migrated = storage.migrate(schema::PROJECT)?;
        let now = clock::now();
        if migrated {
            // What a migration leaves to be done is done by the alarm.
            publisher.arm(now)?;
        }
        republication::notice(publisher, now)?;
        if matches!(
            call.command,
            ProjectCommand::Show
                | ProjectCommand::Update { .. }
                | ProjectCommand::ChangeProject { .. }
        ) {
            naming::ask(publisher).await?;
        }
        match &call.command {
            ProjectCommand::Show => state::show(storage),
            ProjectCommand::ListEnvironments => state::environments(storage),
            ProjectCommand::ListOwners(page) => state::owners(storage, page, now),
            ProjectCommand::Publication => replica::publication(publisher, now),
            ProjectCommand::ListKeys { page, filter } => list::list(storage, page, filter, now),
            ProjectCommand::Export(page) => export::export(storage, page, now),
            ProjectCommand::Seen { key, at } => seen::seen(storage, key, (*at).min(now)),
            ProjectCommand::UsedInBrowser { key, pages } => {
                let reply = keys::pages::reported(publisher, key, pages, now)?;
                publisher.arm(now)?;
                publisher.pump()?;
                Ok(reply)
            }
            ProjectCommand::Passed { of, limits } => {
                let reply = webhooks::passed(storage, of, limits, now)?;
                publisher.arm(now)?;
                publisher.pump()?;
                Ok(reply)
            }
            ProjectCommand::Metering { of, known } => {
                metering::asked(publisher, &call.by, of, *known, now)
            }
            ProjectCommand::ListCredentials => credentials::list(storage),
            ProjectCommand::NumberCredential => credentials::number(storage),
            ProjectCommand::ListWebhooks => webhooks::list(storage, now),
            ProjectCommand::ShowWebhook { id } => webhooks::show(storage, id, now),
            ProjectCommand::TestWebhook { id } => webhooks::test(publisher, id, now).await,
            ProjectCommand::Leaked {
                leaks,
                report: false,
            } => keys::leak::find(storage, leaks, now),
            ProjectCommand::Leaked {
                leaks,
                report: true,
            } => {
                let reply = change::run(publisher, &call, now, |context| {
                    keys::leak::report(publisher, context, leaks)
                })?;
                // The change is stored and the alarm set, whether or not it can be published now.
                if let Err(error) = publisher.pump() {
                    log::registry("publication_postponed", None, &error.to_string());
                }
                Ok(reply)
            }
            ProjectCommand::Audit {
                page,
                filter,
                oldest_first,
            } => audit::list(storage, page, filter, *oldest_first),
            ProjectCommand::Key {
                id,
                act: KeyAct::Show,
                ..
            } => shown(publisher, id, now),
            ProjectCommand::Key {
                id,
                act: KeyAct::Metered,
                ..
            } => metered(publisher, id, now),
            ProjectCommand::Key {
                id,
                act: KeyAct::Where,
                ..
            } => replica::locate(publisher, id, now).await,
            ProjectCommand::Import { lines, dry_run } => {
                import::import(publisher, &call, lines, *dry_run, now).await
            }
            _ => {
                let reply = change::run(publisher, &call, now, |context| {
                    make(publisher, context, &call.command)
                })?;
                told(publisher, &call.command, reply, now).await
            }
        }
    }
}

fn shown(publisher: &Publisher, id: &str, now: Millis) -> Result<Reply, StorageError> {
    let storage = publisher.storage();
    let Some(key) = keys::find(storage, id, now)? else {
        return Ok(Reply::refused(Refusal::KeyUnknown));
    };
    let item = keys::show(storage, &keys::Policy::of(storage)?, &key, Vec::new(), now)?;
    let version = Some(key.version);
    Ok(Reply::Item { item, version })
}

/// Which meters count for a key.
fn metered(publisher: &Publisher, id: &str, now: Millis) -> Result<Reply, StorageError> {
    let storage = publisher.storage();
    let Some(key) = keys::find(storage, id, now)? else {
        return Ok(Reply::refused(Refusal::KeyUnknown));
    };
    let owner = match key.owner {
        Some(owner) if state::owner_limits(storage, &owner)?.is_some() => Some(owner),
        _ => None,
    };
    let limited = key.limits.is_metered();
    Ok(Reply::Item {
        item: view::shown(&Metered { limited, owner })?,
        version: None,
    })
}
