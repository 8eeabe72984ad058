//! The management API under `/_keyward/v1/`.
//!
//! The order of a request's way; each step answers with a problem document when it refuses:
//! 1. Same origin: a call from another website is refused before anything else, without CORS.
//! 2. Who calls ([`caller`]): the holder of a management key or of the bootstrap secret. Only a
//!    secret that its holder revokes ([`self_revoke`]), and GitHub's signature ([`leaks`]), are
//!    looked at later.
//! 3. Endpoint and method, by the table of operations.
//! 4. Level, scope, project: what the caller may ask for.
//! 5. Query, headers, body ([`asked`]): what is not known is refused, never ignored.
//! 6. The registries decide ([`dispatch`]), and their reply is shown ([`reply`]).

mod access;
mod account_keys;
mod answer;
mod asked;
mod body;
mod caller;
mod credentials;
mod dispatch;
mod headers;
mod host;
mod idempotency;
mod import;
mod keys;
mod leaks;
mod management_keys;
mod meters;
mod mint;
mod projects;
mod reply;
mod self_revoke;
mod webhooks;

use keyward_api::operation::{Op, Operation};
use keyward_api::route::Place;
use keyward_core::keyring::Keyring;
use keyward_core::refusal::Refusal;
use keyward_core::restrict::ip::parse_client;
use keyward_edge::bindings;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, web_sys};

use self::answer::{Answer, Refused};
use self::asked::Asked;
use self::body::Body;
use self::caller::Caller;

/// The management API's way in from JavaScript.
#[wasm_bindgen]
pub struct Management;

#[wasm_bindgen]
impl Management {
    /// Answers a request whose path is under `/_keyward/v1`. Every outcome is an answer.
    pub async fn handle(
        request: web_sys::Request,
        env: Env,
        request_id: String,
    ) -> web_sys::Response {
        let body = Body::of(&request);
        let outcome = respond(&request, &body, &env, &request_id).await;
        body.drain().await;
        let answer = outcome.unwrap_or_else(|refused| refused.into_answer(&request_id));
        answer.into_response(request.method() == "HEAD")
    }
}

async fn respond(
    request: &web_sys::Request,
    body: &Body,
    env: &Env,
    request_id: &str,
) -> Result<Answer, Refused> {
    let url = request.url();
    access::require_same_origin(request, &url)?;
    let (path, query) = access::path_and_query(&url).unwrap_or_default();
    let method = request.method();
    let place = Place::find(path);
    let operation = place.as_ref().and_then(|place| place.operation(&method));
    let op = operation.map(|operation| operation.op);
    // What is signed carries no secret.
    let secret = match op {
        Some(Op::GithubLeaks) => None,
        _ => Some(access::secret(request)?),
    };
    let keyring = bindings::keyring(env).ok_or(Refusal::ConfigInvalid)?;
    let ip = access::header(request, "cf-connecting-ip").and_then(|text| parse_client(&text));
    let caller = match (op, secret) {
        (_, None) => Caller::GitHub,
        (Some(Op::SelfRevoke), Some(secret)) => Caller::Holder { secret },
        (op, Some(secret)) => {
            Caller::authenticate(env, &keyring, &secret, ip, op, request_id).await?
        }
    };
    let place = place.ok_or(Refusal::EndpointUnknown)?;
    let operation = operation.ok_or_else(|| Refused::method(place.allow()))?;
    let segments = place.segments(operation);
    caller.require(operation, segments.named("project"))?;
    let known = Known {
        env,
        keyring: &keyring,
        operation,
        request_id,
        url: &url,
    };
    let asked = Asked::read(known, request, body, (path, query), segments, caller, ip).await?;
    dispatch::answer(&asked).await
}

/// What is known of a request before it is read.
#[derive(Clone, Copy)]
struct Known<'a> {
    env: &'a Env,
    keyring: &'a Keyring,
    operation: &'static Operation,
    request_id: &'a str,
    url: &'a str,
}
