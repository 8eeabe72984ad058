//! What an origin demands of a request.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::request::Parts;
use keyward_core::signature::ASSERTION;
use url::{Host, Url};

use crate::assertion::Unverified;
use crate::fetch::Source;
use crate::signature::{self, Signed, SignedBy};
use crate::{Caller, Reason};

const LEEWAY: Duration = Duration::from_secs(30);

/// A setting cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Not an origin with https, or http on this machine.
    #[error("the issuer is not the gateway's origin, such as https://gate.example.com")]
    Issuer,
    /// Not an origin.
    #[error("the audience is not this origin, such as https://origin.example.com:8443")]
    Audience,
    /// Not an address with https, or http on this machine.
    #[error("the address of the key set is not one with https")]
    KeySet,
    /// Too short to resist guessing.
    #[error("the shared secret is shorter than 32 bytes")]
    Secret,
}

/// Verifies assertions and signatures of one gateway for one origin. Clones share the key set.
#[derive(Clone)]
pub struct Verifier {
    issuer: String,
    audience: String,
    authority: String,
    leeway: Duration,
    signed_by: Option<SignedBy>,
    source: Source,
}

impl Verifier {
    /// `issuer` is `issuer` of `gateway.toml`; `audience` is scheme, host and port of the route's
    /// `origin`, as the gateway calls it.
    ///
    /// # Errors
    /// When one of them is not such an origin. Keys that are read in the clear could be anybody's.
    pub fn new(issuer: &str, audience: &str) -> Result<Self, SettingError> {
        let issuer = origin(issuer)
            .filter(is_private)
            .ok_or(SettingError::Issuer)?;
        let address = origin(audience).ok_or(SettingError::Audience)?;
        let issuer = issuer.origin().ascii_serialization();
        let audience = address.origin().ascii_serialization();
        let authority = audience.split_once("://").map(|(_, rest)| rest.to_owned());
        Ok(Self {
            source: Source::new(format!("{issuer}/_keyward/jwks.json")),
            authority: authority.ok_or(SettingError::Audience)?,
            issuer,
            audience,
            leeway: LEEWAY,
            signed_by: None,
        })
    }

    /// Reads the key set elsewhere, where the gateway has another address for this origin.
    ///
    /// # Errors
    /// When the address is not one with https, or http on this machine.
    pub fn keys_at(mut self, url: &str) -> Result<Self, SettingError> {
        let url = Url::parse(url).ok().filter(is_private);
        self.source = Source::new(url.ok_or(SettingError::KeySet)?.to_string());
        Ok(self)
    }

    /// How far the clocks of gateway and origin may be apart; 30 s where nothing is said.
    #[must_use]
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Demands the signature of each request too.
    ///
    /// # Errors
    /// When a shared secret is too short.
    pub fn signed_by(mut self, signer: SignedBy) -> Result<Self, SettingError> {
        if !signer.is_usable() {
            return Err(SettingError::Secret);
        }
        self.signed_by = Some(signer);
        Ok(self)
    }

    /// Who makes a request.
    ///
    /// # Errors
    /// The first reason for which it must be refused.
    pub async fn verify(&self, parts: &Parts) -> Result<Caller, Reason> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        self.verify_at(parts, now).await
    }

    async fn verify_at(&self, parts: &Parts, now: u64) -> Result<Caller, Reason> {
        let leeway = self.leeway.as_secs();
        let assertion = Unverified::parse(only(&parts.headers, ASSERTION)?)?;
        let key = self.source.key(&assertion.key_id).await?;
        let caller = assertion.verify(&key, &self.issuer, &self.audience, now, leeway)?;
        if let Some(signer) = &self.signed_by {
            let signed = Signed::parse(parts, &self.authority)?;
            match signer {
                SignedBy::Gateway => {
                    let key = self.source.key(signed.key_id()).await;
                    let key = key.map_err(|reason| match reason {
                        Reason::UnknownKey => Reason::SignatureKey,
                        other => other,
                    })?;
                    signed.verify(&signature::Key::Own(key), now, leeway)?;
                }
                SignedBy::Secret { key_id, secret } => {
                    let key = signature::Key::Shared(key_id, secret);
                    signed.verify(&key, now, leeway)?;
                }
            }
            if !caller.is_named_by(&parts.headers) {
                return Err(Reason::CallerMismatch);
            }
        }
        Ok(caller)
    }
}

/// The one value of a header.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Reason> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(Reason::Missing)?;
    if values.next().is_some() {
        return Err(Reason::Malformed);
    }
    value.to_str().map_err(|_| Reason::Malformed)
}

/// Scheme, host and port, and nothing else.
fn origin(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    (plain && anonymous && matches!(url.scheme(), "https" | "http")).then_some(url)
}

/// Whether nobody on a network can change what is read there.
fn is_private(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_origins_and_keys_are_not_read_in_the_clear() {
        let is = |issuer: &str, audience: &str| Verifier::new(issuer, audience).err();
        assert_eq!(
            is("https://gate.example.com/", "http://10.0.0.7:8080"),
            None
        );
        assert_eq!(is("http://127.0.0.1:8787", "https://o.example"), None);
        for issuer in [
            "",
            "gate.example.com",
            "http://gate.example.com",
            "https://g.example/x",
            "https://u@g.example",
        ] {
            assert_eq!(
                is(issuer, "https://o.example"),
                Some(SettingError::Issuer),
                "{issuer}"
            );
        }
        for audience in [
            "",
            "o.example",
            "ftp://o.example",
            "https://o.example/base",
            "https://o.example?x",
        ] {
            assert_eq!(
                is("https://g.example", audience),
                Some(SettingError::Audience),
                "{audience}"
            );
        }
        let verifier = Verifier::new("https://g.example", "HTTPS://O.Example:443").unwrap();
        assert_eq!(
            (verifier.audience.as_str(), verifier.authority.as_str()),
            ("https://o.example", "o.example")
        );
        assert_eq!(
            verifier.clone().keys_at("http://g.example/keys").err(),
            Some(SettingError::KeySet)
        );
        let short = SignedBy::Secret {
            key_id: "k".to_owned(),
            secret: "x".repeat(31),
        };
        assert_eq!(verifier.signed_by(short).err(), Some(SettingError::Secret));
    }
}
