//! The calls of commands that work on many keys at once.

use serde_json::Value;
use ureq::http::Method;

use super::{Answer, Client, fresh_idempotency_key, with_query};
use crate::failure::Failure;

impl Client {
    /// The deployment's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Sends lines of JSON. Whoever calls names the call, and so can make it again later.
    pub(crate) fn post_lines(
        &self,
        path: &str,
        query: &[(&str, &str)],
        idempotency_key: &str,
        lines: &str,
    ) -> Result<Answer, Failure> {
        let request = self
            .request(Method::POST, &with_query(path, query))
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", idempotency_key);
        self.send(request, lines.to_owned(), true)
    }

    /// Does something to what is still as `etag` says.
    pub(crate) fn post_if(&self, path: &str, etag: &str, body: &Value) -> Result<Answer, Failure> {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .header("if-match", etag)
            .header("idempotency-key", fresh_idempotency_key()?);
        self.send(request, body.to_string(), true)
    }
}
