//! Whether GitHub has signed a report.
//!
//! 1. The key that the report names is one that GitHub has published. What an isolate has fetched
//!    counts for a day; a name that is not among it fetches them anew, at most once a minute.
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
    /// When they were last asked for, and whether an answer has come.
    asked: Option<(Millis, bool)>,
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
    let (known, may_ask, answered) = KNOWN.with_borrow(|own| {
        let fresh = own.fetched.is_some_and(|at| now.since(at) < FRESH_MS);
        let known = own.find(id).filter(|_| fresh);
        let (asked, answered) = own.asked.unzip();
        let may_ask = asked.is_none_or(|at| now.since(at) >= PAUSE_MS);
        (known, may_ask, answered == Some(true))
    });
    if let Some(key) = known {
        return Ok(key);
    }
    if !may_ask {
        return Err(if answered {
            Refusal::SignatureInvalid
        } else {
            Refusal::SigningKeysUnavailable
        });
    }
    KNOWN.with_borrow_mut(|own| own.asked = Some((now, false)));
    let address = bindings::text(env, bindings::GITHUB_KEYS);
    let address = address.as_deref().unwrap_or(PUBLISHED);
    let fetched = timeout::within(CAP_MS, published(address)).await;
    let keys = fetched
        .and_then(Result::ok)
        .flatten()
        .ok_or(Refusal::SigningKeysUnavailable)?;
    KNOWN.with_borrow_mut(|own| {
        own.keys = keys;
        own.fetched = Some(now);
        own.asked = Some((now, true));
        own.find(id).ok_or(Refusal::SignatureInvalid)
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
