//! `Idempotency-Key`: what makes a repetition recognisable, and the secret that its answer shows
//! again. The registry keeps the secret sealed; only here it is opened.

use keyward_core::keyring::Keyring;
use keyward_core::refusal::Refusal;
use keyward_core::secret::Digest;
use keyward_edge::crypto;
use zeroize::Zeroizing;

use super::answer::Refused;
use crate::registry::message::Idempotency;

/// A request that can be told from others, and is recognised when it comes again.
pub(super) struct Repetition {
    caller: String,
    key_hash: String,
    request_hash: String,
}

/// The repetition of a request: of this caller, with this key, and these method, path and query.
pub(super) fn repetition(
    caller: String,
    key: &str,
    [method, path, query]: [&str; 3],
    body: &[u8],
) -> Repetition {
    // What is no UTF-8 is refused, or hurts only itself: bodies that differ there alone may count
    // as one.
    let body = Digest::of(&String::from_utf8_lossy(body)).to_hex();
    // None of the parts can hold a line end.
    let request = format!("{method}\n{path}\n{query}\n{body}");
    Repetition {
        caller,
        key_hash: Digest::of(key).to_hex(),
        request_hash: Digest::of(&request).to_hex(),
    }
}

impl Repetition {
    /// As the registry keeps it.
    pub(super) fn message(&self, sealed: Option<String>) -> Idempotency {
        Idempotency {
            caller: self.caller.clone(),
            key_hash: self.key_hash.clone(),
            request_hash: self.request_hash.clone(),
            sealed,
        }
    }

    /// Seals the secret that the answer shows, bound to caller and request.
    ///
    /// # Errors
    /// [`Refusal::InternalError`].
    pub(super) async fn seal(&self, keyring: &Keyring, secret: &str) -> Result<String, Refused> {
        crypto::seal(keyring.current(), &self.context(), secret.as_bytes())
            .await
            .map_err(|_| Refusal::InternalError.into())
    }

    /// Opens the secret that an earlier answer showed.
    ///
    /// # Errors
    /// [`Refusal::InternalError`], also when the entry that sealed it is not in force any more.
    pub(super) async fn open(
        &self,
        keyring: &Keyring,
        sealed: &str,
    ) -> Result<Zeroizing<String>, Refused> {
        let opened = crypto::open(keyring, &self.context(), sealed)
            .await
            .map_err(|_| Refusal::InternalError)?;
        let secret = std::str::from_utf8(&opened).map_err(|_| Refusal::InternalError)?;
        Ok(Zeroizing::new(secret.to_owned()))
    }

    fn context(&self) -> String {
        format!(
            "keyward/seal/answer/1\n{}\n{}",
            self.caller, self.request_hash
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_its_method_path_query_and_body() {
        let hash = |parts: [&str; 3], body: &[u8]| {
            repetition("key_1".to_owned(), "k", parts, body).request_hash
        };
        let own = hash(["POST", "/a", "b=c"], b"{}");
        assert_eq!(own, hash(["POST", "/a", "b=c"], b"{}"));
        for other in [
            hash(["PUT", "/a", "b=c"], b"{}"),
            hash(["POST", "/a/b", "=c"], b"{}"),
            hash(["POST", "/a", "b=d"], b"{}"),
            hash(["POST", "/a", "b=c"], b"{ }"),
        ] {
            assert_ne!(own, other);
        }
    }
}
