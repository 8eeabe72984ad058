//! Calls the management API.
//!
//! A POST carries a fresh `Idempotency-Key`, so it is safe to make it again when the connection
//! breaks or the registry does not answer; so are reads. A PATCH and a DELETE are made once: what
//! became of them is for the caller to look up.

mod address;
mod bulk;
mod trouble;

use std::thread;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{HeaderMap, HeaderValue, Method, Request, request::Builder};
use ureq::{Agent, Body};
use zeroize::Zeroizing;

use crate::failure::{Failure, Problem};
use trouble::{Trouble, WAITS};

/// The variable that holds the gateway's address.
pub(crate) const URL: &str = "KEYWARD_URL";
/// The variable that holds the management key.
pub(crate) const KEY: &str = "KEYWARD_KEY";
/// The variable that holds the key which proves who asks about calls.
pub(crate) const VERIFY_KEY: &str = "KEYWARD_VERIFY_KEY";
/// Longer than the registry ever takes, short enough not to look like a hang.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest page is far below it.
const LARGEST_ANSWER: u64 = 16 * 1024 * 1024;

/// A deployment, and the key that manages it.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    /// What proves who calls: a header's name and value.
    proof: (&'static str, HeaderValue),
}

/// An answer.
pub(crate) struct Answer {
    /// As it came, so that `--json` prints that.
    pub(crate) text: String,
    /// The version of what was read or changed, as `If-Match` takes it.
    pub(crate) etag: Option<String>,
    /// Where lines go on after these.
    pub(crate) next_cursor: Option<String>,
}

impl Client {
    /// Takes both from the environment.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        let key = variable(KEY).ok_or_else(|| {
            Failure::Usage(format!("set {KEY} in the environment to a management key"))
        });
        Self::new(&base()?, ("authorization", "Bearer ", &key?), KEY)
    }

    /// The deployment of the environment, called with this secret.
    pub(crate) fn with_secret(secret: &str) -> Result<Self, Failure> {
        Self::new(&base()?, ("authorization", "Bearer ", secret), KEY)
    }

    /// The deployment of the environment, asked about calls.
    pub(crate) fn asking(key: &str) -> Result<Self, Failure> {
        Self::new(&base()?, ("keyward-verify-key", "", key), VERIFY_KEY)
    }

    /// `variable` is where the key came from.
    fn new(
        base: &str,
        (name, scheme, key): (&'static str, &str, &str),
        variable: &str,
    ) -> Result<Self, Failure> {
        let header = Zeroizing::new(format!("{scheme}{key}"));
        let mut value = HeaderValue::try_from(header.as_str()).map_err(|_| {
            Failure::Usage(format!("{variable} holds something that cannot be a key"))
        })?;
        value.set_sensitive(true);
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // A redirect would carry the key to another place.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("keyward-cli/", env!("CARGO_PKG_VERSION")));
        Ok(Self {
            agent: config.build().new_agent(),
            base: base.to_owned(),
            proof: (name, value),
        })
    }

    /// Reads.
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        let request = self.request(Method::GET, &with_query(path, query));
        self.send(request, String::new(), true)
    }

    /// Makes or does something; without a body it sends `{}`.
    pub(crate) fn post(&self, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        self.post_once(path, body, None)
    }

    /// As [`Client::post`], once for each `key`, also if another run repeats it; without one, this
    /// run makes one up.
    pub(crate) fn post_once(
        &self,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer, Failure> {
        let key = key.map_or_else(fresh_idempotency_key, |key| Ok(key.to_owned()))?;
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        let body = body.map_or_else(|| "{}".to_owned(), Value::to_string);
        self.send(request, body, true)
    }

    /// Asks once: the answer may be paid for.
    pub(crate) fn ask(&self, path: &str, question: &Value) -> Result<Answer, Failure> {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json");
        self.send(request, question.to_string(), false)
    }

    /// Changes what is still as `etag` says.
    pub(crate) fn patch(&self, path: &str, etag: &str, body: &Value) -> Result<Answer, Failure> {
        let request = self
            .request(Method::PATCH, path)
            .header("content-type", "application/merge-patch+json")
            .header("if-match", etag);
        self.send(request, body.to_string(), false)
    }

    /// Sets. Doing it twice does no more than once.
    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let request = self
            .request(Method::PUT, path)
            .header("content-type", "application/json");
        self.send(request, body.to_string(), true)
    }

    /// Deletes.
    pub(crate) fn delete(&self, path: &str) -> Result<Answer, Failure> {
        let request = self.request(Method::DELETE, path);
        self.send(request, String::new(), false)
    }

    /// `path` comes from words that cannot hold a slash, a query or a dot segment.
    fn request(&self, method: Method, path: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}/_keyward/v1/{path}", self.base))
            .header(self.proof.0, self.proof.1.clone())
            .header("accept", "application/json, application/x-ndjson")
    }

    fn send(&self, request: Builder, body: String, repeatable: bool) -> Result<Answer, Failure> {
        let request = request
            .body(body)
            .map_err(|error| Failure::Failed(format!("this cannot be asked: {error}")))?;
        let changes = request.method() != Method::GET;
        let mut waits = WAITS.iter().filter(|_| repeatable);
        loop {
            let trouble = match self.once(request.clone()) {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            match waits.next().and_then(|backoff| trouble.wait(*backoff)) {
                Some(wait) => thread::sleep(wait),
                None => return Err(trouble.into_failure(&self.base, changes)),
            }
        }
    }

    fn once(&self, request: Request<String>) -> Result<Answer, Trouble> {
        let mut response = self.agent.run(request).map_err(Trouble::Broken)?;
        let text = read(response.body_mut()).map_err(Trouble::Broken)?;
        let status = response.status();
        let header = |name| text_of(response.headers(), name);
        if status.is_success() {
            return Ok(Answer {
                text,
                etag: header("etag"),
                next_cursor: header("keyward-next-cursor").filter(|cursor| !cursor.is_empty()),
            });
        }
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => {
                let after = header("retry-after").and_then(|seconds| seconds.parse().ok());
                let problem = Problem { text, ..problem };
                Err(Trouble::Refused(
                    Box::new(problem),
                    after.map(Duration::from_secs),
                ))
            }
            Err(_) => Err(Trouble::Foreign(Failure::Failed(format!(
                "{} answered {status}, and not as Keyward does: is {URL} right?",
                self.base
            )))),
        }
    }
}

impl Answer {
    /// The answer's content.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|error| {
            Failure::Failed(format!(
                "the answer is not what the management API says: {error}"
            ))
        })
    }
}

/// A variable of the environment, if it holds something.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn base() -> Result<String, Failure> {
    let text = variable(URL).ok_or_else(|| {
        Failure::Usage(format!(
            "set {URL} in the environment to the gateway, as in https://gateway.example.com"
        ))
    })?;
    address::parse(&text).map_err(|message| Failure::Usage(format!("{URL} {message}")))
}

fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    format!("{path}?{query}")
}

fn fresh_idempotency_key() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::Failed(format!("the system gives no randomness: {error}")))?;
    Ok(Base64UrlUnpadded::encode_string(&bytes))
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn read(body: &mut Body) -> Result<String, ureq::Error> {
    body.with_config().limit(LARGEST_ANSWER).read_to_string()
}
