//! The changes of a project and its keys, each within one transaction.

use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::storage::StorageError;
use serde_json::{Value, json};

use crate::registry::journal::{Context, Subject};
use crate::registry::message::{ProjectCommand, Reply};
use crate::registry::publication::Publisher;
use crate::registry::{audit, credentials, keys, naming, replica, state, webhooks};

/// Makes a change; within its transaction.
pub(super) fn make(
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
