//! Asks the registries.

use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;
use worker::{Env, Method, Request, RequestInit};

use super::message::{AccountAnswer, AccountCommand, ProjectAnswer, ProjectCommand};
use crate::{bindings, timeout};

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
pub(crate) async fn account(
    env: &Env,
    command: &AccountCommand,
) -> Result<AccountAnswer, Unavailable> {
    ask(env, bindings::ACCOUNT, "account", command).await
}

/// Asks the registry of a project; None when there is no such project.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn project(
    env: &Env,
    id: &str,
    command: &ProjectCommand,
) -> Result<Option<ProjectAnswer>, Unavailable> {
    match ask(env, bindings::PROJECTS, id, command).await? {
        ProjectAnswer::Unfounded => {}
        answer => return Ok(Some(answer)),
    }
    // A project is created in two steps, and something may have come between them.
    let show = AccountCommand::Show { id: id.to_owned() };
    if !matches!(account(env, &show).await?, AccountAnswer::Project(_)) {
        return Ok(None);
    }
    found(env, id).await?;
    ask(env, bindings::PROJECTS, id, command).await.map(Some)
}

/// Makes the registry of a project that the account registry has.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn found(env: &Env, id: &str) -> Result<(), Unavailable> {
    let command = ProjectCommand::Found { id: id.to_owned() };
    match ask(env, bindings::PROJECTS, id, &command).await? {
        ProjectAnswer::Founded => Ok(()),
        _ => Err(Unavailable),
    }
}

async fn ask<Answer: DeserializeOwned>(
    env: &Env,
    namespace: &str,
    object: &str,
    command: &impl Serialize,
) -> Result<Answer, Unavailable> {
    let command = serde_json::to_string(command).map_err(|_| Unavailable)?;
    let answer = timeout::within(PATIENCE_MS, exchange(env, namespace, object, &command)).await;
    let text = answer.and_then(Result::ok).ok_or(Unavailable)?;
    serde_json::from_str(&text).map_err(|_| Unavailable)
}

async fn exchange(
    env: &Env,
    namespace: &str,
    object: &str,
    command: &str,
) -> worker::Result<String> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_body(Some(JsValue::from_str(command)));
    // The host is never looked up: the stub leads to the object.
    let request = Request::new_with_init("https://registry/", &init)?;
    let stub = env.durable_object(namespace)?.get_by_name(object)?;
    let mut response = stub.fetch_with_request(request).await?;
    if response.status_code() != 200 {
        return Err(worker::Error::RustError("the registry failed".to_owned()));
    }
    response.text().await
}
