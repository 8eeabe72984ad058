//! What the deployment binds to the worker, by name.

use js_sys::Reflect;
use keyward_core::keyring::Keyring;
use keyward_core::webhook::address::Hosts;
use wasm_bindgen::JsValue;
use worker::Env;

use crate::log;

/// The KV namespace with the records.
pub const KEYS: &str = "KEYS";
/// The namespace of the one account registry.
pub const ACCOUNT: &str = "ACCOUNT";
/// The namespace of the projects' registries.
pub const PROJECTS: &str = "PROJECTS";
/// The meters: an object for each key, owner and project that is counted.
pub const METERS: &str = "METERS";
/// The dataset of Analytics Engine that usage is written to, if one is bound.
pub const USAGE: &str = "USAGE";
/// The Worker secret with the deployment's own secret.
pub const SECRET: &str = "KEYWARD_SECRET";
/// The Worker secret with the keys of those who may ask about calls.
pub const VERIFY_KEY: &str = "KEYWARD_VERIFY_KEY";
/// The Worker secret with the bootstrap management key.
pub const BOOTSTRAP_KEY: &str = "KEYWARD_BOOTSTRAP_KEY";

/// The variable that says which hosts webhooks may be sent to: `public`, or `any` in development.
pub const WEBHOOK_HOSTS: &str = "KEYWARD_WEBHOOK_HOSTS";

/// The variable with the address of GitHub's public keys, if it is not GitHub's own.
pub const GITHUB_KEYS: &str = "KEYWARD_GITHUB_KEYS";

/// Which hosts webhooks may be sent to. What cannot be read counts as what allows least.
pub fn webhook_hosts(env: &Env) -> Hosts {
    match text(env, WEBHOOK_HOSTS).as_deref() {
        None | Some("public") => Hosts::Public,
        Some("any") => Hosts::Any,
        Some(_) => {
            log::config_invalid(WEBHOOK_HOSTS, "is neither `public` nor `any`");
            Hosts::Public
        }
    }
}

/// A variable or secret of the Worker; None when it is not bound, or is no text.
pub fn text(env: &Env, name: &str) -> Option<String> {
    binding(env, name)?.as_string()
}

/// Whether this is what can be asked for a value, as the binding of a Secrets Store can.
pub fn is_store(env: &Env, name: &str) -> bool {
    binding(env, name)
        .filter(JsValue::is_object)
        .and_then(|binding| Reflect::get(&binding, &JsValue::from_str("get")).ok())
        .is_some_and(|get| get.is_function())
}

/// Any binding, as JavaScript has it.
pub fn binding(env: &Env, name: &str) -> Option<JsValue> {
    Reflect::get(env.as_ref(), &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_undefined())
}

/// The deployment's keyring. When it is not valid, the log says why, without the value.
pub fn keyring(env: &Env) -> Option<Keyring> {
    let Some(text) = text(env, SECRET) else {
        log::config_invalid(SECRET, "is not set");
        return None;
    };
    match Keyring::parse(&text) {
        Ok(keyring) => Some(keyring),
        Err(error) => {
            log::config_invalid(SECRET, &error.to_string());
            None
        }
    }
}
