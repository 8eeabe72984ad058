//! What goes back: JSON, lines of JSON, or a problem document.

use keyward_core::problem::Problem;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde::Serialize;
use worker::web_sys;

use crate::registry::client::Unavailable;
use crate::registry::message::Shown;

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
        Ok(Self::of(status, "application/json", body))
    }

    /// One JSON document on each line.
    pub(super) fn lines(status: u16, items: &[Shown]) -> Self {
        let mut body = String::with_capacity(items.iter().map(|item| item.get().len() + 1).sum());
        for item in items {
            body.push_str(item.get());
            body.push('\n');
        }
        Self::of(status, "application/x-ndjson", body)
    }

    fn of(status: u16, content_type: &str, body: String) -> Self {
        let headers = vec![
            ("content-type", content_type.to_owned()),
            ("cache-control", "no-store".to_owned()),
        ];
        Self {
            status,
            headers,
            body,
        }
    }

    /// The same with one more header, if there is a value for it.
    pub(super) fn with_header(mut self, name: &'static str, value: Option<String>) -> Self {
        self.headers.extend(value.map(|value| (name, value)));
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
    scope: &'static str,
}

impl Refused {
    /// A refusal that names the fields that are wrong.
    pub(super) fn fields(refusal: Refusal, errors: Vec<FieldError>) -> Self {
        Self {
            refusal,
            errors,
            allow: None,
            scope: "",
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
    pub(super) fn method(allow: String) -> Self {
        Self {
            allow: Some(allow),
            ..Refusal::MethodNotAllowed.into()
        }
    }

    /// The management key lacks this scope.
    pub(super) fn scope(scope: &'static str) -> Self {
        Self {
            scope,
            ..Refusal::ScopeMissing.into()
        }
    }

    /// Whether it is refused for this.
    pub(super) fn is(&self, refusal: Refusal) -> bool {
        self.refusal == refusal
    }

    /// Why.
    #[cfg(test)]
    pub(super) const fn refusal(&self) -> Refusal {
        self.refusal
    }

    /// The problem document.
    pub(super) fn into_answer(self, request_id: &str) -> Answer {
        let problem = Problem {
            errors: &self.errors,
            scopes: self.scope,
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
