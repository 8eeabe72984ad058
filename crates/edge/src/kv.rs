//! The records in KV, the worldwide read replica of the registries.
//!
//! Small bindings of our own: each import is declared with `catch`, because an exception through
//! one without it ends the whole instance of the module. What the runtime says about an error is
//! dropped here, so that it can reach neither a log nor a caller.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use crate::bindings;

#[wasm_bindgen]
extern "C" {
    type Namespace;

    #[wasm_bindgen(method, catch)]
    fn get(this: &Namespace, name: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &Namespace, name: &str, value: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = delete)]
    fn remove(this: &Namespace, name: &str) -> Result<Promise, JsValue>;
}

/// KV failed, or is not bound. A write that ended so may have happened, may not, or may happen
/// later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key store failed")]
pub struct KvError;

/// One write to the name of one record.
pub enum Write {
    /// The record's sealed value.
    Put(String),
    /// The record goes.
    Delete,
}

/// Writes to KV. The write begins before this function returns for the first time, and cannot be
/// called back: dropping the future leaves it under way.
///
/// # Errors
/// [`KvError`]; see there what is known then.
pub async fn write(env: &Env, name: &str, write: &Write) -> Result<(), KvError> {
    let namespace = bindings::binding(env, bindings::KEYS).ok_or(KvError)?;
    let namespace = namespace.unchecked_ref::<Namespace>();
    let begun = match write {
        Write::Put(value) => namespace.put(name, value),
        Write::Delete => namespace.remove(name),
    };
    JsFuture::from(begun.map_err(|_| KvError)?)
        .await
        .map(drop)
        .map_err(|_| KvError)
}

/// Reads from KV, as the place where this runs sees it; None when nothing stands under the name.
///
/// # Errors
/// [`KvError`]: then nothing is known.
pub async fn read(env: &Env, name: &str) -> Result<Option<String>, KvError> {
    let namespace = bindings::binding(env, bindings::KEYS).ok_or(KvError)?;
    let begun = namespace.unchecked_ref::<Namespace>().get(name);
    let value = JsFuture::from(begun.map_err(|_| KvError)?)
        .await
        .map_err(|_| KvError)?;
    if value.is_null() {
        return Ok(None);
    }
    value.as_string().map(Some).ok_or(KvError)
}
