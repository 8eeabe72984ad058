//! Asks the registries.

use js_sys::Promise;
use keyward_edge::{bindings, timeout};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::Env;
use worker::web_sys::{RequestInit, Response};

use super::message::{AccountCommand, ProjectCommand, Reply};

#[wasm_bindgen]
extern "C" {
    type Namespace;

    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &Namespace, name: &str) -> Result<Stub, JsValue>;

    type Stub;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

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
pub(crate) async fn account(env: &Env, command: &AccountCommand) -> Result<Reply, Unavailable> {
    ask(env, bindings::ACCOUNT, "account", encode(command)?).await
}

/// Asks the registry of a project; it is unfounded when there is no such project.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn project(
    env: &Env,
    id: &str,
    command: &ProjectCommand,
) -> Result<Reply, Unavailable> {
    let command = encode(command)?;
    match ask(env, bindings::PROJECTS, id, command.clone()).await? {
        Reply::Unfounded => {}
        reply => return Ok(reply),
    }
    // A project is created in two steps, and something may have come between them.
    let show = AccountCommand::Show { id: id.to_owned() };
    match account(env, &show).await? {
        Reply::Item { .. } => {}
        _ => return Ok(Reply::Unfounded),
    }
    found(env, id).await?;
    ask(env, bindings::PROJECTS, id, command).await
}

/// Makes the registry of a project that the account registry has.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn found(env: &Env, id: &str) -> Result<(), Unavailable> {
    let command = ProjectCommand::Found { id: id.to_owned() };
    match ask(env, bindings::PROJECTS, id, encode(&command)?).await? {
        Reply::Done => Ok(()),
        _ => Err(Unavailable),
    }
}

fn encode(command: &impl Serialize) -> Result<String, Unavailable> {
    serde_json::to_string(command).map_err(|_| Unavailable)
}

async fn ask(
    env: &Env,
    namespace: &str,
    object: &str,
    command: String,
) -> Result<Reply, Unavailable> {
    let answer = timeout::within(PATIENCE_MS, exchange(env, namespace, object, &command)).await;
    let text = answer.and_then(Result::ok).ok_or(Unavailable)?;
    serde_json::from_str(&text).map_err(|_| Unavailable)
}

async fn exchange(
    env: &Env,
    namespace: &str,
    object: &str,
    command: &str,
) -> Result<String, JsValue> {
    let namespace = bindings::binding(env, namespace).ok_or(JsValue::NULL)?;
    let stub = namespace.unchecked_ref::<Namespace>().get_by_name(object)?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(command));
    // The host is never looked up: the stub leads to the object.
    let response = JsFuture::from(stub.fetch("https://registry/", &init)?).await?;
    let response: Response = response.dyn_into()?;
    if response.status() != 200 {
        return Err(JsValue::NULL);
    }
    let text = JsFuture::from(response.text()?).await?;
    text.as_string().ok_or(JsValue::NULL)
}
