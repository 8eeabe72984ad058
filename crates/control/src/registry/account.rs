//! The account registry: one Durable Object that knows every project, decides about management
//! keys, and holds what is unique across projects.
#![expect(missing_docs, reason = "on the methods that the macro writes")]

mod access;
mod change;
mod create;
mod edit;
mod keys;
mod leak;
mod projects;
mod reservation;
mod rotate;
mod stop;

use keyward_edge::storage::{Storage, StorageError};
use keyward_edge::{clock, log};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use self::stop::Stop;
use super::journal::Context;
use super::message::{AccountCommand, Call, Reply};
use super::{audit, journal, schema, serve};

/// How long after an alarm that failed the next one is set.
const ALARM_AFTER_FAILURE_MS: u64 = 60_000;

/// The source of truth about what there is one of in the account.
#[durable_object(alarm)]
pub struct AccountRegistry {
    storage: Option<Storage>,
}

impl DurableObject for AccountRegistry {
    fn new(state: State, _env: Env) -> Self {
        Self {
            storage: Storage::of(&state),
        }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        serve::answer(request, async |call| self.answer(&call)).await
    }

    async fn alarm(&self) -> worker::Result<Response> {
        let failed = |_| worker::Error::RustError("the registry's alarm failed".to_owned());
        let storage = self.storage().map_err(failed)?;
        storage.alarm_rang();
        if let Err(error) = erase(storage) {
            log::registry("alarm_failed", None, &error.to_string());
            // The runtime rings again a few times after a failure, then never.
            let later = clock::now().plus(ALARM_AFTER_FAILURE_MS);
            storage.wake_at(later).map_err(failed)?;
        }
        Response::empty()
    }
}

impl AccountRegistry {
    fn storage(&self) -> Result<&Storage, StorageError> {
        self.storage.as_ref().ok_or(StorageError::Runtime)
    }

    fn answer(&self, call: &Call<AccountCommand>) -> Result<Reply, StorageError> {
        let storage = self.storage()?;
        storage.migrate(schema::ACCOUNT)?;
        journal::run(
            storage,
            call,
            clock::now(),
            journal::KEPT_MS,
            || arm(storage),
            |context| stop::reply(answer(context, &call.command)),
        )
    }
}

/// What waits for the alarm: answers that are kept for repetition have to go.
fn arm(storage: &Storage) -> Result<(), StorageError> {
    match journal::next_wake(storage)? {
        Some(time) => storage.wake_at(time),
        None => Ok(()),
    }
}

fn erase(storage: &Storage) -> Result<(), StorageError> {
    // The alarm of a database that another version wrote rings here too.
    storage.migrate(schema::ACCOUNT)?;
    journal::erase_old(storage, clock::now())?;
    arm(storage)
}

fn answer(context: &Context<'_>, command: &AccountCommand) -> Result<Reply, Stop> {
    let (storage, now) = (context.storage, context.now);
    match command {
        AccountCommand::Authenticate { digest } => access::authenticate(storage, digest, now),
        AccountCommand::AuthenticateBootstrap { digest } => {
            access::bootstrap(storage, digest, now)?;
            Ok(Reply::Done)
        }
        AccountCommand::Reserve {
            project,
            names,
            dry_run,
        } => reservation::reserve(storage, project, names, *dry_run),
        AccountCommand::AllReserved { project } => reservation::all_reserved(storage, project),
        AccountCommand::Locate { name } => reservation::locate(storage, name),
        AccountCommand::CreateProject { id, name } => projects::create(context, id, name),
        AccountCommand::ShowProject { id } => projects::show(storage, id),
        AccountCommand::ListProjects { page, status, only } => {
            Ok(projects::list(storage, page, *status, only.as_deref())?)
        }
        AccountCommand::NoteProject {
            id,
            name,
            status,
            version,
        } => Ok(projects::note(context, id, name, *status, *version)?),
        AccountCommand::CreateManagementKey(new) => create::create(context, new),
        AccountCommand::ListManagementKeys {
            page,
            status,
            project,
        } => Ok(keys::list(context, page, *status, project.as_deref())?),
        AccountCommand::ManagementKey {
            id,
            caller,
            if_match,
            act,
        } => change::act(context, id, caller, *if_match, act),
        AccountCommand::Leaked {
            leaks,
            report,
            only,
        } => Ok(leak::leaked(context, leaks, *report, only.as_deref())?),
        AccountCommand::SelfRevoke { digest, revocation } => {
            rotate::self_revoke(context, digest, revocation)
        }
        AccountCommand::Audit {
            page,
            filter,
            oldest_first,
        } => Ok(audit::list(storage, page, filter, *oldest_first)?),
    }
}
