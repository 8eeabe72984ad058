//! The management API under `/_keyward/v1/`.
//!
//! The order of a request's way; each step answers with a problem document when it refuses:
//! 1. Same origin: a call from another website is refused before anything else, without CORS.
//! 2. The bootstrap management key, as `Authorization: Bearer`.
//! 3. Endpoint and method.
//! 4. Query parameters and body: what is not known is refused, never ignored.
//! 5. The registry decides, and its answer is shown.

mod access;
mod answer;
mod body;
mod endpoint;
mod host;
mod json;
mod keys;
mod projects;
mod query;
mod reply;

use keyward_core::refusal::Refusal;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, web_sys};

use self::answer::{Answer, Refused};
use self::body::Body;
use self::endpoint::Endpoint;
use self::query::Query;
use crate::registry::message::Change;

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
        let outcome = respond(&request, &body, &env).await;
        body.drain().await;
        let answer = outcome.unwrap_or_else(|refused| refused.into_answer(&request_id));
        answer.into_response(request.method() == "HEAD")
    }
}

async fn respond(request: &web_sys::Request, body: &Body, env: &Env) -> Result<Answer, Refused> {
    let url = request.url();
    access::require_same_origin(request, &url)?;
    access::authenticate(request, env)?;
    let (path, query) = endpoint::path_and_query(&url).ok_or(Refusal::EndpointUnknown)?;
    let endpoint = Endpoint::parse(path)?;
    let method = request.method();
    let method = if method == "HEAD" {
        "GET"
    } else {
        method.as_str()
    };
    if !endpoint.methods().contains(&method) {
        return Err(Refused::method(endpoint.methods()));
    }
    let query = Query::parse(query, endpoint.parameters(method))?;
    match (endpoint, method) {
        (Endpoint::Projects, "POST") => projects::create(env, &body.json(request).await?).await,
        (Endpoint::Projects, _) => projects::list(env, &query).await,
        (Endpoint::Project(project), _) => projects::show(env, project).await,
        (Endpoint::Keys(project), "POST") => {
            keys::create(env, project, body.json(request).await?).await
        }
        (Endpoint::Keys(project), _) => keys::list(env, project, &query).await,
        (Endpoint::Key(project, key), "DELETE") => {
            body.nothing(request).await?;
            keys::delete(env, project, key).await
        }
        (Endpoint::Key(project, key), _) => keys::show(env, project, key).await,
        (Endpoint::Change(project, key, change), _) => {
            body.nothing(request).await?;
            keys::change(env, project, key, change).await
        }
    }
}

impl Change {
    /// The word in the endpoint's path.
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "revoke" => Self::Revoke,
            "disable" => Self::Disable,
            "enable" => Self::Enable,
            _ => return None,
        })
    }
}
