//! Sends messages.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use js_sys::Promise;
use keyward_api::view::FailureCause;
use keyward_core::keyring::Keyring;
use keyward_core::webhook::{PATIENCE_MS, address, signature};
use keyward_edge::storage::StorageError;
use keyward_edge::{bindings, clock, crypto, log, timeout};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};

use super::queue::{self, Due};
use super::row::{self, Endpoint};
use super::seals;
use crate::own;
use crate::registry::invocation::Invocation;
use crate::registry::publication::{Publisher, jitter};

/// Messages in flight at once, each to another endpoint: the platform opens six connections for
/// an object, and KV has its share.
const AT_ONCE: usize = 3;
/// What ends a call that the runtime does not end in time.
const CAP_MS: u64 = PATIENCE_MS + 2_000;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

/// What this instance itself is sending.
#[derive(Default)]
pub(in crate::registry) struct Sender {
    flights: RefCell<BTreeSet<u64>>,
}

/// What became of an attempt.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Delivered,
    Failed {
        status: Option<u16>,
        cause: FailureCause,
    },
}

/// Sends what is due.
///
/// # Errors
/// Those of the storage; then nothing was sent.
pub(in crate::registry) fn go_on(
    publisher: &Rc<Publisher>,
    invocation: &Rc<Invocation>,
) -> Result<(), StorageError> {
    let (storage, now) = (publisher.storage(), clock::now());
    let sender = &publisher.hooks;
    let left = invocation.messages.left(0);
    let free = AT_ONCE
        .saturating_sub(sender.flights.borrow().len())
        .min(left);
    let begun = storage.transaction(|| {
        let is_known = |position| sender.flights.borrow().contains(&position);
        queue::give_up_lost(storage, is_known, now)?;
        let begun = queue::begin(storage, free as u64, now)?;
        if let Some(wake) = queue::next_wake(storage, now)? {
            storage.wake_at(if left <= begun.len() { now } else { wake })?;
        }
        Ok(begun)
    })?;
    for due in begun {
        invocation.messages.take();
        sender.flights.borrow_mut().insert(due.position);
        let (running, invocation) = (Rc::clone(publisher), Rc::clone(invocation));
        publisher.spawn(async move { fly(&running, &invocation, due).await });
    }
    Ok(())
}

async fn fly(publisher: &Rc<Publisher>, invocation: &Rc<Invocation>, due: Due) {
    let storage = publisher.storage();
    let outcome = match row::find(storage, &due.webhook) {
        Ok(Some(endpoint)) => Some(attempt(publisher, &endpoint, &due.id, &due.body).await),
        _ => None,
    };
    publisher.hooks.flights.borrow_mut().remove(&due.position);
    let now = clock::now();
    // What cannot be noted is found as lost, and sent once more.
    let noted = outcome.map_or(Ok(()), |outcome| {
        storage.transaction(|| queue::ended(storage, &due, outcome, now, jitter()))
    });
    if let Err(error) = noted.and_then(|()| go_on(publisher, invocation)) {
        log::registry("webhook_postponed", None, &error.to_string());
    }
}

/// One attempt to deliver a message.
pub(super) async fn attempt(
    publisher: &Publisher,
    endpoint: &Endpoint,
    id: &str,
    body: &str,
) -> Outcome {
    let denied = |cause| Outcome::Failed {
        status: None,
        cause,
    };
    let hosts = bindings::webhook_hosts(publisher.env());
    let url = &endpoint.shown.url;
    if address::check(url, hosts).is_err() || own::is_routed(url) {
        return denied(FailureCause::AddressDenied);
    }
    let began = clock::now();
    let secrets = match publisher.keyring() {
        Some(keyring) => secrets(publisher, keyring, endpoint).await,
        None => Vec::new(),
    };
    if secrets.is_empty() {
        return denied(FailureCause::SecretUnavailable);
    }
    let at_s = began.0 / 1000;
    let signature = signature::header(&secrets, id, at_s, body);
    let at = at_s.to_string();
    let called = call(url, [id, &at, &signature], body);
    match timeout::within(CAP_MS, called).await {
        Some(Ok(status)) if (200..300).contains(&status) => Outcome::Delivered,
        Some(Ok(status)) => Outcome::Failed {
            status: Some(status),
            cause: FailureCause::Status,
        },
        Some(Err(_)) if clock::now().since(began) < PATIENCE_MS => {
            denied(FailureCause::Unreachable)
        }
        _ => denied(FailureCause::Timeout),
    }
}

/// The secrets that sign now, the newest first.
async fn secrets(
    publisher: &Publisher,
    keyring: &Keyring,
    endpoint: &Endpoint,
) -> Vec<zeroize::Zeroizing<Vec<u8>>> {
    let Ok(context) = seals::context(publisher.storage(), &endpoint.shown.id) else {
        return Vec::new();
    };
    let now = clock::now();
    let old = endpoint.old.as_ref().filter(|(_, until)| now < *until);
    let mut secrets = Vec::new();
    for sealed in [Some(&endpoint.sealed), old.map(|(sealed, _)| sealed)]
        .into_iter()
        .flatten()
    {
        secrets.extend(crypto::open(keyring, &context, sealed).await.ok());
    }
    secrets
}

/// Calls the endpoint: the status of its answer. Redirects are answers, and nothing of an answer
/// is read.
async fn call(url: &str, [id, at, signature]: [&str; 3], body: &str) -> Result<u16, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in [
        ("content-type", "application/json"),
        ("user-agent", "Keyward-Webhooks/1"),
        ("webhook-id", id),
        ("webhook-timestamp", at),
        ("webhook-signature", signature),
    ] {
        headers.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&JsValue::from_str(body));
    init.set_redirect(RequestRedirect::Manual);
    let patience = u32::try_from(PATIENCE_MS).unwrap_or(u32::MAX);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(patience)));
    let response: Response = JsFuture::from(fetch(url, &init)?).await?.dyn_into()?;
    if let Some(body) = response.body() {
        // Whether it can still be cancelled changes nothing.
        let _ = JsFuture::from(body.cancel()).await;
    }
    Ok(response.status())
}
