//! What goes back: JSON, or a problem document.

use keyward_core::problem::Problem;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde::Serialize;
use worker::web_sys;

use crate::registry::client::Unavailable;

/// An answer of the management API.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    /// JSON that no cache may keep.
    ///
    /// # Errors
    /// [`Refusal::InternalError`] when the value cannot be written as JSON.
    pub(super) fn json(status: u16, value: &impl Serialize) -> Result<Self, Refused> {
        let body = serde_json::to_string(value).map_err(|_| Refusal::InternalError)?;
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ];
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    /// The same with one more header.
    pub(super) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// As the runtime wants it. A HEAD request gets the same headers, and no body.
    pub(super) fn into_response(self, head: bool) -> web_sys::Response {
        let body = (!head).then_some(self.body.as_str());
        let init = web_sys::ResponseInit::new();
        init.set_status(self.status);
        let response = web_sys::Response::new_with_opt_str_and_init(body, &init)
            .unwrap_or_else(|_| web_sys::Response::error());
        for (name, value) in self.headers {
            // Names and values are our own, of visible ASCII.
            let _ = response.headers().set(name, &value);
        }
        response
    }
}

/// A refusal with what is known about it.
#[derive(Debug)]
pub(super) struct Refused {
    refusal: Refusal,
    errors: Vec<FieldError>,
    allow: Option<String>,
}

impl Refused {
    /// A refusal that names the fields that are wrong.
    pub(super) fn fields(refusal: Refusal, errors: Vec<FieldError>) -> Self {
        Self {
            refusal,
            errors,
            allow: None,
        }
    }

    /// A refusal that names one field.
    pub(super) fn field(refusal: Refusal, field: &str, detail: impl Into<String>) -> Self {
        Self::fields(
            refusal,
            vec![FieldError {
                field: field.to_owned(),
                detail: detail.into(),
            }],
        )
    }

    /// The endpoint has only these methods.
    pub(super) fn method(methods: &[&str]) -> Self {
        let mut allow = methods.join(", ");
        if methods.contains(&"GET") {
            allow.push_str(", HEAD");
        }
        Self {
            refusal: Refusal::MethodNotAllowed,
            errors: Vec::new(),
            allow: Some(allow),
        }
    }

    /// The problem document.
    pub(super) fn into_answer(self, request_id: &str) -> Answer {
        let problem = Problem {
            errors: &self.errors,
            ..Problem::new(self.refusal, request_id)
        };
        let mut headers = problem.headers();
        headers.extend(self.allow.map(|allow| ("allow", allow)));
        Answer {
            status: self.refusal.status(),
            headers,
            body: problem.body(),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::fields(refusal, Vec::new())
    }
}

impl From<Unavailable> for Refused {
    fn from(_: Unavailable) -> Self {
        Refusal::RegistryUnavailable.into()
    }
}
