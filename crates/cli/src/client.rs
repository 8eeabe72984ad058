//! Calls the management API.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{HeaderValue, Method, Request, StatusCode};
use ureq::{Agent, Body};
use url::{Host, Url};

use crate::failure::{Failure, Problem};

const URL: &str = "KEYWARD_URL";
const KEY: &str = "KEYWARD_KEY";
/// Longer than the registry ever takes, short enough not to look like a hang.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest page of keys is far below it.
const LARGEST_ANSWER: u64 = 16 * 1024 * 1024;

/// A deployment, and the key that manages it.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    authorization: HeaderValue,
}

/// The text of an answer, so that `--json` prints what came.
pub(crate) struct Answer(pub(crate) String);

impl Client {
    /// Takes both from the environment.
    pub(crate) fn from_environment() -> Result<Self, Failure> {
        let base = base(&variable(
            URL,
            "the gateway, as in https://gateway.example.com",
        )?)?;
        let key = variable(KEY, "a management key")?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| Failure::Usage(format!("{KEY} holds something that cannot be a key")))?;
        authorization.set_sensitive(true);
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // A redirect would carry the key to another place.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("keyward-cli/", env!("CARGO_PKG_VERSION")));
        Ok(Self {
            agent: config.build().new_agent(),
            base,
            authorization,
        })
    }

    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        let mut path = path.to_owned();
        if !query.is_empty() {
            path.push('?');
            path.push_str(
                &url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(query)
                    .finish(),
            );
        }
        self.call(Method::GET, &path, None)
    }

    pub(crate) fn post(&self, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        self.call(Method::POST, path, body)
    }

    pub(crate) fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.call(Method::DELETE, path, None)
    }

    /// `path` comes from words that cannot hold a slash, a query or a dot segment.
    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/_keyward/v1/{path}", self.base))
            .header("authorization", self.authorization.clone())
            .header("accept", "application/json");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let unreachable = |error: ureq::Error| {
            Failure::Failed(format!("{} cannot be reached: {error}", self.base))
        };
        let request = |body| {
            request
                .body(body)
                .map_err(|error| unreachable(ureq::Error::Http(error)))
        };
        let response = match body {
            Some(body) => self.agent.run(request(body.to_string())?),
            None => self.agent.run(request(String::new())?),
        };
        let mut response = response.map_err(unreachable)?;
        let text = read(response.body_mut()).map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            Ok(Answer(text))
        } else {
            Err(self.refusal(status, text))
        }
    }

    fn refusal(&self, status: StatusCode, text: String) -> Failure {
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => Failure::Refused(Box::new(Problem { text, ..problem })),
            Err(_) => Failure::Failed(format!(
                "{} answered {status}, and not as Keyward does: is {URL} right?",
                self.base
            )),
        }
    }
}

impl Answer {
    /// The answer's content.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.0).map_err(|error| {
            Failure::Failed(format!(
                "the answer is not what the management API says: {error}"
            ))
        })
    }
}

fn read(body: &mut Body) -> Result<String, ureq::Error> {
    body.with_config().limit(LARGEST_ANSWER).read_to_string()
}

fn variable(name: &str, meaning: &str) -> Result<String, Failure> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value.trim().to_owned()),
        _ => Err(Failure::Usage(format!(
            "set {name} in the environment to {meaning}"
        ))),
    }
}

/// The gateway's address without a slash at its end.
fn base(text: &str) -> Result<String, Failure> {
    let usage = |message: &str| Failure::Usage(format!("{URL} {message}"));
    let url = Url::parse(text)
        .map_err(|_| usage("is not an address, such as https://gateway.example.com"))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(usage(
                "must be https: the management key would cross the network in the clear",
            ));
        }
        _ => return Err(usage("must begin with https://")),
    }
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(usage("is a scheme, a host and a port, and nothing else"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn the_key_never_crosses_a_network_in_the_clear() {
        for (text, expected) in [
            (
                "https://gateway.example.com/",
                Some("https://gateway.example.com"),
            ),
            ("http://127.0.0.1:8787", Some("http://127.0.0.1:8787")),
            ("http://localhost:8787/", Some("http://localhost:8787")),
            ("http://[::1]:8787", Some("http://[::1]:8787")),
            ("http://gateway.example.com", None),
            ("http://127.0.0.1.evil.example", None),
            ("ftp://gateway.example.com", None),
            ("gateway.example.com", None),
            ("https://user:pw@gateway.example.com", None),
            ("https://gateway.example.com/base", None),
            ("https://gateway.example.com/?x", None),
            ("", None),
        ] {
            assert_eq!(base(text).ok().as_deref(), expected, "{text}");
        }
    }
}
