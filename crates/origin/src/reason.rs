//! Why a request is refused, and the answer that says it.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

/// After how many seconds a client should try again while the key set is not known.
const RETRY_S: HeaderValue = HeaderValue::from_static("5");

/// Why a request is refused. Each has a code that does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// There is no assertion.
    #[error("the request carries no Keyward-Assertion")]
    Missing,
    /// There are several, or it is no JWT of the gateway's form.
    #[error("the assertion cannot be read")]
    Malformed,
    /// It is not signed with Ed25519.
    #[error("the assertion names another algorithm than EdDSA")]
    Algorithm,
    /// It is a JWT of another purpose.
    #[error("the token is no assertion")]
    Type,
    /// Its key is not in the gateway's key set.
    #[error("the assertion names a key that the gateway does not have")]
    UnknownKey,
    /// Its signature is not that of its key.
    #[error("the assertion's signature is wrong")]
    Signature,
    /// Another deployment made it.
    #[error("the assertion was made by another issuer")]
    Issuer,
    /// It was made for another origin.
    #[error("the assertion was made for another origin")]
    Audience,
    /// It holds no more.
    #[error("the assertion has expired")]
    Expired,
    /// It was made in the future.
    #[error("the assertion does not hold yet")]
    NotYetValid,
    /// There is no signature of the request by the gateway.
    #[error("the request carries no signature of the gateway")]
    SignatureMissing,
    /// The request's signature cannot be read: a component is named twice, or a parameter is missing.
    #[error("the request's signature cannot be read")]
    SignatureMalformed,
    /// Its parameters name another key or algorithm.
    #[error("the request's signature names another key or algorithm")]
    SignatureKey,
    /// It leaves out what it must cover.
    #[error("the request's signature does not cover all that it must")]
    SignatureCoverage,
    /// It was made too long ago, or in the future.
    #[error("the request's signature does not hold now")]
    SignatureExpired,
    /// It is not one of this request.
    #[error("the request's signature is wrong")]
    SignatureWrong,
    /// Assertion and signature speak of different keys.
    #[error("the assertion and the signed request are of different keys")]
    CallerMismatch,
    /// The key set could not be fetched yet, or not for ten minutes.
    #[error("the gateway's key set is not available")]
    KeysUnavailable,
}

impl Reason {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "assertion_missing",
            Self::Malformed => "assertion_malformed",
            Self::Algorithm => "assertion_algorithm",
            Self::Type => "assertion_type",
            Self::UnknownKey => "assertion_key_unknown",
            Self::Signature => "assertion_signature",
            Self::Issuer => "assertion_issuer",
            Self::Audience => "assertion_audience",
            Self::Expired => "assertion_expired",
            Self::NotYetValid => "assertion_not_yet_valid",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureKey => "signature_key",
            Self::SignatureCoverage => "signature_coverage",
            Self::SignatureExpired => "signature_expired",
            Self::SignatureWrong => "signature_wrong",
            Self::CallerMismatch => "caller_mismatch",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }

    /// The HTTP status: 401, or 503 where nothing is known of the request.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::KeysUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// The answer (RFC 9457). Says nothing of what the request carried.
    pub fn response<B: From<String>>(self) -> Response<B> {
        let body = json!({
            "type": "about:blank",
            "title": self.status().canonical_reason(),
            "status": self.status().as_u16(),
            "code": self.code(),
            "detail": format!("{}.", sentence(&self.to_string())),
        });
        let mut response = Response::new(B::from(body.to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, problem);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Keyward-Assertion");
            headers.insert(WWW_AUTHENTICATE, challenge);
        } else {
            headers.insert(RETRY_AFTER, RETRY_S);
        }
        response
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
