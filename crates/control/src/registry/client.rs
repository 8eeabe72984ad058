//! Asks the registries.

use keyward_api::view::ProjectSummary;
use keyward_edge::{bindings, object, timeout};
use serde::Serialize;
use worker::Env;

use super::message::{AccountCommand, Actor, Call, ProjectCommand, Reply};

/// Longer than any answer takes that waits for KV.
const PATIENCE_MS: u64 = 15_000;

/// The registry did not answer, or failed: a change may or may not have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the registry did not answer")]
pub(crate) struct Unavailable;

/// Asks the account registry.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn account(env: &Env, call: &Call<AccountCommand>) -> Result<Reply, Unavailable> {
    ask(env, bindings::ACCOUNT, "account", &encode(call)?).await
}

/// Asks the registry of a project; it is unfounded when there is no such project.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn project(
    env: &Env,
    id: &str,
    call: &Call<ProjectCommand>,
) -> Result<Reply, Unavailable> {
    // Written once: an import is megabytes.
    let text = encode(call)?;
    match ask(env, bindings::PROJECTS, id, &text).await? {
        Reply::Unfounded => {}
        reply => return Ok(reply),
    }
    // A project is created in two steps, and something may have come between them.
    let Some(known) = known(env, id, &call.request_id).await? else {
        return Ok(Reply::Unfounded);
    };
    found(env, known, &call.request_id).await?;
    ask(env, bindings::PROJECTS, id, &text).await
}

/// Makes the registry of a project that the account registry has.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn found(
    env: &Env,
    known: ProjectSummary,
    request_id: &str,
) -> Result<(), Unavailable> {
    let id = known.id.clone();
    let found = ProjectCommand::Found {
        id: known.id,
        name: known.name,
        created_at: known.created_at.0,
    };
    let call = encode(&own(found, request_id))?;
    match ask(env, bindings::PROJECTS, &id, &call).await? {
        Reply::Done => Ok(()),
        _ => Err(Unavailable),
    }
}

/// What the account registry knows of a project; none when it has no such project.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn known(
    env: &Env,
    id: &str,
    request_id: &str,
) -> Result<Option<ProjectSummary>, Unavailable> {
    let show = AccountCommand::ShowProject { id: id.to_owned() };
    match account(env, &own(show, request_id)).await? {
        Reply::Item { item, .. } => serde_json::from_str(item.get())
            .map(Some)
            .map_err(|_| Unavailable),
        _ => Ok(None),
    }
}

/// What is asked on nobody's behalf.
pub(crate) fn own<C>(command: C, request_id: &str) -> Call<C> {
    Call {
        by: Actor::Keyward,
        ip: None,
        request_id: request_id.to_owned(),
        idempotency: None,
        command,
    }
}

fn encode(call: &impl Serialize) -> Result<String, Unavailable> {
    serde_json::to_string(call).map_err(|_| Unavailable)
}

async fn ask(env: &Env, namespace: &str, name: &str, call: &str) -> Result<Reply, Unavailable> {
    let answer = timeout::within(PATIENCE_MS, object::exchange(env, namespace, name, call)).await;
    let text = answer.and_then(Result::ok).ok_or(Unavailable)?;
    serde_json::from_str(&text).map_err(|_| Unavailable)
}
