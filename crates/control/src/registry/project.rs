//! The registry of one project: its Durable Object is named by the project's id.
#![expect(missing_docs, reason = "on the methods that the macro writes")]

use std::rc::Rc;

use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::storage::StorageError;
use keyward_edge::{clock, log};
use serde::Deserialize;
use serde_json::{Value, json};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::journal::{Context, Subject};
use super::message::{
    Call, KeyAct, Metered, NewCredential, ProjectCommand, Publication, Reply, Shown,
};
use super::metering::{self, Whom};
use super::publication::Publisher;
use super::sweep::{self, Scope};
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

/// Makes a change; within its transaction.
fn make(
    publisher: &Publisher,
    context: &Context<'_>,
    command: &ProjectCommand,
) -> Result<Reply, StorageError> {
    let in_force_from = state::in_force_from(context, command)?;
    let reply = match command {
        ProjectCommand::Found {
            id,
            name,
            created_at,
        } => found(context, id, name, *created_at),
        ProjectCommand::Update { patch, if_match } => {
            state::update(publisher, context, patch, *if_match)
        }
        ProjectCommand::ChangeProject { change, note } => {
            state::change(publisher, context, *change, note.as_deref())
        }
        ProjectCommand::CreateEnvironment { id } => state::create_environment(context, id),
        ProjectCommand::ArchiveEnvironment { id, archived } => {
            state::archive_environment(publisher, context, id, *archived)
        }
        ProjectCommand::SuspendOwner { owner, note } => {
            state::suspend_owner(publisher, context, owner, note.as_deref(), true)
        }
        ProjectCommand::ResumeOwner { owner, note } => {
            state::suspend_owner(publisher, context, owner, note.as_deref(), false)
        }
        ProjectCommand::LimitOwner { owner, limits } => {
            state::limit_owner(publisher, context, owner, limits.as_ref())
        }
        ProjectCommand::OwnerCredits { owner, act } => state::owner_credits(context, owner, *act),
        ProjectCommand::Republish => replica::republish(publisher, context),
        ProjectCommand::CreateKey(key) => keys::create(publisher, context, key),
        ProjectCommand::Key { id, if_match, act } => {
            keys::change(publisher, context, id, *if_match, act)
        }
        ProjectCommand::CreateWebhook(new) => webhooks::create(context, new),
        ProjectCommand::UpdateWebhook {
            id,
            if_match,
            patch,
        } => webhooks::update(context, id, *if_match, patch),
        ProjectCommand::Webhook { id, act } => webhooks::change(context, id, act),
        ProjectCommand::SetCredential(new) => credentials::set(publisher, context, new),
        ProjectCommand::DeleteCredential { name } => credentials::delete(publisher, context, name),
        ProjectCommand::SelfRevoke { digest, revocation } => {
            keys::self_revoke(publisher, context, digest, revocation)
        }
        _ => Ok(Reply::refused(Refusal::InternalError)),
    };
    reply.map(|mut reply| {
        if let (Reply::Changed { in_force_by, .. }, Some(from)) = (&mut reply, in_force_from) {
            *in_force_by = Some(from);
        }
        reply
    })
}

/// The project is there from now on. It was made when the account registry was told of it.
fn found(
    context: &Context<'_>,
    id: &str,
    name: &str,
    created_at: Millis,
) -> Result<Reply, StorageError> {
    let new = context.storage.row(
        "INSERT INTO project (id, name, told, created_at, updated_at)
         VALUES (?1, ?2, 1, ?3, ?3) ON CONFLICT (id) DO NOTHING RETURNING id",
        &[id.into(), name.into(), created_at.into()],
    )?;
    if new.is_some() {
        for environment in names::FIRST_ENVIRONMENTS {
            context.storage.run(
                "INSERT OR IGNORE INTO environment (id, created_at) VALUES (?1, ?2)",
                &[(*environment).into(), created_at.into()],
            )?;
        }
        let subject = Subject {
            project: Some(id),
            ..Subject::default()
        };
        let created = audit::diff(&Value::Null, &json!({ "name": name }));
        context.log("project.create", subject, &created)?;
    }
    naming::adopt(context.storage, name, created_at)?;
    Ok(Reply::Done)
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

/// A change has been made, or had been: says how far KV has it, and when what it took away is
/// taken away everywhere.
async fn told(
    publisher: &Rc<Publisher>,
    command: &ProjectCommand,
    mut reply: Reply,
    now: Millis,
) -> Result<Reply, StorageError> {
    let changed = match &mut reply {
        Reply::Replayed { reply, .. } => &mut **reply,
        reply => reply,
    };
    if let Reply::Changed {
        item,
        publication,
        in_force_by,
        ..
    } = changed
    {
        // The change is stored and the alarm set: when the publication cannot start now, it
        // starts then.
        if let Err(error) = publisher.pump() {
            log::registry("publication_postponed", None, &error.to_string());
        }
        // The meters are told meanwhile; what is left of their time is waited for after KV.
        match command {
            ProjectCommand::CreateKey(_)
            | ProjectCommand::Key { .. }
            | ProjectCommand::SelfRevoke { .. } => {
                let id = id(item)?;
                *publication = publisher.publication(&id).await;
                *in_force_by =
                    metering::in_force(publisher, Whom::Key(&id), *in_force_by, now).await;
            }
            ProjectCommand::SetCredential(NewCredential { name, .. })
            | ProjectCommand::DeleteCredential { name } => {
                *publication = publisher.publication(&credentials::id(name)).await;
            }
            ProjectCommand::CreateEnvironment { .. } => *publication = Publication::Published,
            _ => {
                *publication = sweep::publication(publisher, command).await;
                let whom = Whom::Scope(Scope::of(command));
                *in_force_by = metering::in_force(publisher, whom, *in_force_by, now).await;
            }
        }
    }
    Ok(reply)
}

/// The id of the key that an answer shows: of one that is repeated, the key is not in the command.
fn id(item: &Shown) -> Result<String, StorageError> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str(item.get())
        .map(|named: Named| named.id)
        .map_err(|_| StorageError::Row)
}
