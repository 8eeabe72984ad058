//! Whether GitHub has signed a report.
//!
//! 1. The key that the report names is one that GitHub has published. What an isolate has fetched
//!    counts. It is fetched anew for a name that is not among it, and when it is a day old; at most
//!    once a minute. When that fails, what was fetched before goes on counting: an outage of what
//!    publishes the keys must not keep a leaked secret alive.
//!    Who asks for an unknown name while they are being fetched looks again until they are there:
//!    the platform cancels who waits for another request's promise.
//! 2. The signature over the body as it was sent is that key's: ECDSA, P-256, SHA-256.

use std::cell::RefCell;

use js_sys::Promise;
use keyward_core::leak::signature;
use keyward_core::refusal::Refusal;
use keyward_core::time::Millis;
use keyward_edge::{bindings, clock, crypto, timeout};
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::Env;
use worker::web_sys::{self, AbortSignal, Headers, RequestInit, RequestRedirect, Response};

use super::super::access::header;

const PUBLISHED: &str = "https://api.github.com/meta/public_keys/secret_scanning";
/// For so long what was fetched counts.
const FRESH_MS: u64 = 24 * 3_600_000;
/// So far apart the keys are fetched.
const PAUSE_MS: u64 = 60_000;
const PATIENCE_MS: u32 = 5_000;
const CAP_MS: u64 = 6_000;
/// So often it is looked whether they have come.
const LOOK_MS: u64 = 100;
/// GitHub publishes a handful.
const LARGEST: usize = 64 * 1024;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

/// What GitHub publishes.
#[derive(Deserialize)]
struct Published {
    public_keys: Vec<PublicKey>,
}

#[derive(Clone, Deserialize)]
struct PublicKey {
    key_identifier: String,
    key: String,
}

/// What this isolate knows of them.
#[derive(Default)]
struct Known {
    keys: Vec<PublicKey>,
    fetched: Option<Millis>,
    /// When they were last asked for, and what came of it.
    asked: Option<(Millis, Outcome)>,
}

/// What came of asking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is not known yet; after [`CAP_MS`], nothing will.
    Open,
    Answered,
    Failed,
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// Verifies the signature of a report.
///
/// # Errors
/// [`Refusal::SignatureInvalid`], and [`Refusal::SigningKeysUnavailable`] when it is not known
/// whether it is valid.
pub(in crate::api) async fn verify(
    env: &Env,
    request: &web_sys::Request,
    body: &[u8],
) -> Result<(), Refusal> {
    let id = header(request, "github-public-key-identifier").ok_or(Refusal::SignatureInvalid)?;
    let signature = header(request, "github-public-key-signature")
        .and_then(|text| signature::from_base64_der(&text))
        .ok_or(Refusal::SignatureInvalid)?;
    let key = key(env, &id).await?;
    let key = signature::public_key(&key.key).ok_or(Refusal::SigningKeysUnavailable)?;
    match crypto::verify_p256(&key, &signature, body).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refusal::SignatureInvalid),
        Err(_) => Err(Refusal::SigningKeysUnavailable),
    }
}

/// The published key of this name.
async fn key(env: &Env, id: &str) -> Result<PublicKey, Refusal> {
    let now = clock::now();
    let (known, is_fresh, asked) = KNOWN.with_borrow(|own| {
        let is_fresh = own.fetched.is_some_and(|at| now.since(at) < FRESH_MS);
        (own.find(id), is_fresh, own.asked)
    });
    let may_ask = asked.is_none_or(|(at, _)| now.since(at) >= PAUSE_MS);
    match known {
        Some(key) if is_fresh || !may_ask => Ok(key),
        // Whether it is still published is worth knowing. When that cannot be known, it counts.
        Some(key) => match fetched(env, now).await {
            Ok(()) => KNOWN
                .with_borrow(|own| own.find(id))
                .ok_or(Refusal::SignatureInvalid),
            Err(_) => Ok(key),
        },
        None if may_ask => {
            fetched(env, now).await?;
            KNOWN
                .with_borrow(|own| own.find(id))
                .ok_or(Refusal::SignatureInvalid)
        }
        None => soon_known(id, now).await,
    }
}

/// The key of this name, when whoever fetches them now has them.
async fn soon_known(id: &str, now: Millis) -> Result<PublicKey, Refusal> {
    loop {
        let (known, asked) = KNOWN.with_borrow(|own| (own.find(id), own.asked));
        match (known, asked) {
            (Some(key), _) => return Ok(key),
            (None, Some((_, Outcome::Answered))) => return Err(Refusal::SignatureInvalid),
            (None, Some((at, Outcome::Open))) if clock::now().since(at.max(now)) < CAP_MS => {
                timeout::within(LOOK_MS, std::future::pending::<()>()).await;
            }
            _ => return Err(Refusal::SigningKeysUnavailable),
        }
    }
}

/// Fetches them. What was known stays when that fails.
async fn fetched(env: &Env, now: Millis) -> Result<(), Refusal> {
    KNOWN.with_borrow_mut(|own| own.asked = Some((now, Outcome::Open)));
    let address = bindings::text(env, bindings::GITHUB_KEYS);
    let address = address.as_deref().unwrap_or(PUBLISHED);
    let answer = timeout::within(CAP_MS, published(address)).await;
    let keys = answer.and_then(Result::ok).flatten();
    KNOWN.with_borrow_mut(|own| {
        let Some(keys) = keys else {
            own.asked = Some((now, Outcome::Failed));
            return Err(Refusal::SigningKeysUnavailable);
        };
        own.keys = keys;
        own.fetched = Some(now);
        own.asked = Some((now, Outcome::Answered));
        Ok(())
    })
}

impl Known {
    fn find(&self, id: &str) -> Option<PublicKey> {
        self.keys
            .iter()
            .find(|key| key.key_identifier == id)
            .cloned()
    }
}

async fn published(address: &str) -> Result<Option<Vec<PublicKey>>, JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    headers.set("user-agent", "Keyward")?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE_MS)));
    let response: Response = JsFuture::from(fetch(address, &init)?).await?.dyn_into()?;
    if response.status() != 200 {
        return Ok(None);
    }
    let text = JsFuture::from(response.text()?).await?.as_string();
    let text = text.filter(|text| text.len() <= LARGEST);
    let published = text.and_then(|text| serde_json::from_str::<Published>(&text).ok());
    Ok(published.map(|published| published.public_keys))
}
