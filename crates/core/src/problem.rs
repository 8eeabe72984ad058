//! Turns a refusal into its answer: the only place that does.
//!
//! The body is a problem document (RFC 9457). `WWW-Authenticate` follows RFC 6750 section 3: no
//! `error` where no key was sent, else `invalid_token`, `invalid_request` for more than one key,
//! `insufficient_scope` with the scopes that the route requires.
//!
//! The limits of a key stand in `RateLimit-Policy` and `RateLimit` ([`crate::rate_limit`]).

use std::fmt::Write as _;

use crate::json::Object;
use crate::rate_limit::Fields;
use crate::refusal::Refusal;
use crate::spec::FieldError;

/// Where the page of a code stands, on the gateway itself.
const PAGES: &str = "/_keyward/errors/";
/// Seconds until a call that the platform failed is worth repeating.
const RETRY_AFTER_S: &str = "5";
/// What most documents fit in, in bytes.
const USUAL_LENGTH: usize = 512;

/// A refusal with what is known of the occurrence.
pub struct Problem<'a> {
    /// Why the request is refused.
    pub refusal: Refusal,
    /// Names this request in answer and log.
    pub request_id: &'a str,
    /// The scopes that the route requires, with blanks between them; for `scope_missing`.
    pub scopes: &'a str,
    /// The fields that are wrong; for requests to the management API.
    pub errors: &'a [FieldError],
    /// Replaces the standing sentence. Holds no secret.
    pub detail: Option<&'a str>,
    /// The name of the limit that is used up; for limits of the key, or of its owner.
    pub limit: Option<&'a str>,
    /// Seconds until it is worth trying again, where that is known of this occurrence.
    pub retry_s: Option<u64>,
    /// How the limits stand.
    pub limits: Option<&'a Fields>,
}

impl<'a> Problem<'a> {
    /// A refusal of which nothing more is known than the request's id.
    #[must_use]
    pub const fn new(refusal: Refusal, request_id: &'a str) -> Self {
        Self {
            refusal,
            request_id,
            scopes: "",
            errors: &[],
            detail: None,
            limit: None,
            retry_s: None,
            limits: None,
        }
    }

    /// The problem document: `type`, `title`, `status`, `code`, `detail`, `request_id`, and where
    /// there is something to say, `fix`, `errors` and `limit`.
    #[must_use]
    pub fn body(&self) -> String {
        let refusal = self.refusal;
        let code = refusal.code();
        let mut body = Object::of(USUAL_LENGTH);
        body.text("type", &[PAGES, code].concat());
        body.text("title", refusal.title());
        body.number("status", refusal.status().into());
        body.text("code", code);
        body.text("detail", self.detail.unwrap_or(refusal.detail()));
        body.text("request_id", self.request_id);
        if !refusal.fix().is_empty() {
            body.text("fix", refusal.fix());
        }
        if !self.errors.is_empty() {
            // Texts under fixed names: there is nothing that could fail.
            let errors = serde_json::to_string(self.errors).unwrap_or_default();
            body.raw("errors", &errors);
        }
        if let Some(limit) = self.limit {
            body.text("limit", limit);
        }
        body.end()
    }

    /// The headers that belong to the document, names in lower case.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", "application/problem+json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ];
        if let Some(challenge) = self.challenge() {
            headers.push(("www-authenticate", challenge));
        }
        if let Some(retry_s) = self.retry_s {
            headers.push(("retry-after", retry_s.to_string()));
        } else if self.refusal.status() == 503 {
            headers.push(("retry-after", RETRY_AFTER_S.to_owned()));
        }
        if let Some(limits) = self.limits {
            headers.extend(limits.headers());
        }
        headers
    }

    fn challenge(&self) -> Option<String> {
        let error = match self.refusal {
            Refusal::KeyMissing => return Some(r#"Bearer realm="keyward""#.to_owned()),
            Refusal::VerifyKeyInvalid => {
                return Some(r#"Keyward-Verify-Key realm="keyward""#.to_owned());
            }
            Refusal::KeyAmbiguous => "invalid_request",
            Refusal::ScopeMissing => "insufficient_scope",
            refusal if refusal.status() == 401 => "invalid_token",
            _ => return None,
        };
        // The standing sentence, never `detail`: it is of the characters that RFC 6750 allows.
        let mut challenge = format!(
            r#"Bearer realm="keyward", error="{error}", error_description="{}""#,
            self.refusal.detail()
        );
        if self.refusal == Refusal::ScopeMissing && is_scope_list(self.scopes) {
            // Writing to a string does not fail.
            let _ = write!(challenge, r#", scope="{}""#, self.scopes);
        }
        Some(challenge)
    }
}

/// The page of an error code, as plain text: what happened, and what to do about it. `None` for
/// a code that does not exist.
#[must_use]
pub fn page(code: &str) -> Option<String> {
    let refusal = Refusal::ALL.iter().find(|refusal| refusal.code() == code)?;
    let mut page = format!(
        "{code}: {} (HTTP {})\n\n{}\n",
        refusal.title(),
        refusal.status(),
        refusal.detail()
    );
    if !refusal.fix().is_empty() {
        page.push('\n');
        page.push_str(refusal.fix());
        page.push('\n');
    }
    Some(page)
}

/// `scope-token *( SP scope-token )` of RFC 6749 section 3.3: nothing that could leave the quotes.
fn is_scope_list(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_json_that_says_what_it_is_given() {
        let texts = [
            "plain",
            "",
            "a \"quote\"\n",
            "back\\slash",
            "\u{7f}\u{0}é\u{1f600}",
        ];
        for refusal in Refusal::ALL {
            for text in texts {
                let problem = Problem {
                    detail: Some(text),
                    limit: Some(text),
                    errors: &[FieldError {
                        field: text.to_owned(),
                        detail: text.to_owned(),
                    }],
                    ..Problem::new(*refusal, text)
                };
                let body: serde_json::Value = serde_json::from_str(&problem.body()).unwrap();
                assert_eq!(body["title"], refusal.title());
                assert_eq!(body["status"], refusal.status());
                assert_eq!(body["code"], refusal.code());
                assert_eq!(body["type"], format!("{PAGES}{}", refusal.code()));
                for field in ["detail", "request_id", "limit"] {
                    assert_eq!(body[field], text);
                }
                assert_eq!(body["errors"][0]["field"], text);
                let fix = body.get("fix").and_then(serde_json::Value::as_str);
                assert_eq!(fix.unwrap_or_default(), refusal.fix());
                let plain: serde_json::Value =
                    serde_json::from_str(&Problem::new(*refusal, "id").body()).unwrap();
                assert_eq!(plain["detail"], refusal.detail());
                assert!(plain.get("errors").is_none() && plain.get("limit").is_none());
            }
        }
    }

    #[test]
    fn standing_sentences_fit_into_a_quoted_header_value() {
        assert!(
            Refusal::ALL
                .iter()
                .all(|refusal| is_scope_list(refusal.detail()))
        );
    }
}
