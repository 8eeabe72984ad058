//! Says something to a Durable Object.
//!
//! Bindings of our own, for the same reasons as those of [`kv`](crate::kv).

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::Env;
use worker::web_sys::{RequestInit, Response};

use crate::bindings;

#[wasm_bindgen]
extern "C" {
    type Namespace;

    #[wasm_bindgen(method, catch, js_name = getByName)]
    fn get_by_name(this: &Namespace, name: &str) -> Result<Stub, JsValue>;

    type Stub;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

/// The object did not answer, or failed: what it was asked to do may or may not have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the object did not answer")]
pub struct ObjectError;

/// Sends a text, such as JSON, to the object of this name in the namespace with this binding, and
/// returns the text that it answers. Takes as long as the object does.
///
/// # Errors
/// [`ObjectError`], also when the namespace is not bound.
pub async fn exchange(
    env: &Env,
    namespace: &str,
    name: &str,
    text: &str,
) -> Result<String, ObjectError> {
    let namespace = bindings::binding(env, namespace).ok_or(ObjectError)?;
    fetched(namespace.unchecked_ref(), name, text)
        .await
        .ok()
        .flatten()
        .ok_or(ObjectError)
}

/// None for an answer that is a failure, or no text.
async fn fetched(namespace: &Namespace, name: &str, text: &str) -> Result<Option<String>, JsValue> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(text));
    // The host is never looked up: the stub leads to the object.
    let begun = namespace
        .get_by_name(name)?
        .fetch("https://object/", &init)?;
    let response: Response = JsFuture::from(begun).await?.dyn_into()?;
    if response.status() != 200 {
        return Ok(None);
    }
    Ok(JsFuture::from(response.text()?).await?.as_string())
}
