//! Verifies the signature of a request (RFC 9421), in exactly the form that the gateway writes.
//!
//! The signature must cover the method, the target, every identity header that the request has, and
//! `Content-Digest` where it has one: a header that is not covered could be anybody's. Whether the body
//! is the one of the digest is for the origin to check once it has read it.

use std::collections::HashSet;

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signature, VerifyingKey};
use http::HeaderMap;
use http::request::Parts;
use keyward_core::signature::{
    ASSERTION, Algorithm, DIGEST, IDENTITY, LABEL, LIFE_S, SHORTEST_SECRET, TAG, TARGET, base,
    shared_key,
};
use subtle::ConstantTimeEq as _;

use crate::Reason;

/// Who signs the requests: `signature` of the route.
#[derive(Clone)]
pub enum SignedBy {
    /// The gateway's own key, of its key set: `ed25519`.
    Gateway,
    /// Whoever has the secret: `hmac-sha256`.
    Secret {
        /// `key_id` of the route's `signature`.
        key_id: String,
        /// The secret, of at least 32 bytes.
        secret: String,
    },
}

impl SignedBy {
    pub(crate) fn is_usable(&self) -> bool {
        match self {
            Self::Gateway => true,
            Self::Secret { secret, .. } => secret.len() >= SHORTEST_SECRET,
        }
    }
}

/// What a signature is verified with.
pub(crate) enum Key<'k> {
    Own(VerifyingKey),
    /// The name of a secret, and the secret.
    Shared(&'k str, &'k str),
}

/// A request's signature, still to be verified.
pub(crate) struct Signed<'r> {
    parameters: Parameters<'r>,
    /// What was signed.
    base: String,
    signature: Vec<u8>,
}

#[derive(Default)]
struct Parameters<'r> {
    created: u64,
    expires: u64,
    key_id: &'r str,
    algorithm: &'r str,
}

impl<'r> Signed<'r> {
    pub(crate) fn parse(parts: &'r Parts, authority: &str) -> Result<Self, Reason> {
        let input = member(&parts.headers, "signature-input")?;
        let value = member(&parts.headers, "signature")?;
        let bytes = value.strip_prefix(':').and_then(|v| v.strip_suffix(':'));
        let signature = bytes.and_then(|text| Base64::decode_vec(text).ok());
        let list = input
            .strip_prefix('(')
            .and_then(|list| list.split_once(')'));
        let (names, parameters) = list.ok_or(Reason::SignatureMalformed)?;
        let names = components(names)?;
        let parameters = Parameters::parse(parameters)?;
        covers(&names, &parts.headers)?;
        let values = names
            .iter()
            .map(|name| value_of(name, parts, authority))
            .collect::<Result<Vec<_>, _>>()?;
        let pairs = names.iter().copied().zip(values.iter().map(String::as_str));
        Ok(Self {
            parameters,
            base: base(pairs, input),
            signature: signature.ok_or(Reason::SignatureMalformed)?,
        })
    }

    /// Which key it names.
    pub(crate) const fn key_id(&self) -> &'r str {
        self.parameters.key_id
    }

    /// Whether it is the signature of the request under the key. `now` and `leeway` in seconds.
    pub(crate) fn verify(&self, key: &Key<'_>, now: u64, leeway: u64) -> Result<(), Reason> {
        let Parameters {
            created,
            expires,
            key_id,
            algorithm,
        } = self.parameters;
        let (wanted, right) = match key {
            Key::Own(key) => {
                let signature = Signature::from_slice(&self.signature);
                let verified =
                    signature.and_then(|own| key.verify_strict(self.base.as_bytes(), &own));
                (Algorithm::Ed25519, verified.is_ok())
            }
            Key::Shared(name, secret) => {
                if *name != key_id {
                    return Err(Reason::SignatureKey);
                }
                let key = shared_key(secret).ok_or(Reason::SignatureKey)?;
                let right = key.sign(&self.base).ct_eq(&self.signature);
                (Algorithm::HmacSha256, right.into())
            }
        };
        if algorithm != wanted.as_str() {
            return Err(Reason::SignatureKey);
        }
        if !right {
            return Err(Reason::SignatureWrong);
        }
        let end = expires.min(created.saturating_add(LIFE_S));
        if created > now.saturating_add(leeway) || now >= end.saturating_add(leeway) {
            return Err(Reason::SignatureExpired);
        }
        Ok(())
    }
}

impl<'r> Parameters<'r> {
    /// `;name=value`, each of the gateway's once.
    fn parse(text: &'r str) -> Result<Self, Reason> {
        let mut parameters = Self::default();
        let mut seen = HashSet::new();
        for part in text.strip_prefix(';').unwrap_or_default().split(';') {
            let (name, value) = part.split_once('=').ok_or(Reason::SignatureMalformed)?;
            if !seen.insert(name) {
                return Err(Reason::SignatureMalformed);
            }
            match name {
                "created" => parameters.created = number(value)?,
                "expires" => parameters.expires = number(value)?,
                "keyid" => parameters.key_id = text_of(value)?,
                "alg" => parameters.algorithm = text_of(value)?,
                "nonce" => _ = text_of(value)?,
                "tag" if text_of(value)? == TAG => {}
                _ => return Err(Reason::SignatureMalformed),
            }
        }
        if seen.len() == PARAMETERS {
            Ok(parameters)
        } else {
            Err(Reason::SignatureMalformed)
        }
    }
}

/// How many there are.
const PARAMETERS: usize = 6;

/// The gateway's member of a dictionary of one member (RFC 8941 section 3.2).
fn member<'r>(headers: &'r HeaderMap, name: &str) -> Result<&'r str, Reason> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(Reason::SignatureMissing)?;
    let value = value.to_str().map_err(|_| Reason::SignatureMalformed)?;
    let member = value
        .strip_prefix(LABEL)
        .and_then(|rest| rest.strip_prefix('='));
    if values.next().is_some() {
        return Err(Reason::SignatureMalformed);
    }
    member.ok_or(Reason::SignatureMissing)
}

/// The covered components: names in quotes, with a blank between. None stands twice.
fn components(list: &str) -> Result<Vec<&str>, Reason> {
    let names = list
        .split(' ')
        .map(text_of)
        .collect::<Result<Vec<_>, _>>()?;
    let unique: HashSet<_> = names.iter().collect();
    if unique.len() == names.len() {
        Ok(names)
    } else {
        Err(Reason::SignatureMalformed)
    }
}

fn covers(names: &[&str], headers: &HeaderMap) -> Result<(), Reason> {
    let demanded = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| *name == DIGEST || (name.starts_with(IDENTITY) && *name != ASSERTION));
    if TARGET
        .into_iter()
        .chain(demanded)
        .all(|name| names.contains(&name))
    {
        Ok(())
    } else {
        Err(Reason::SignatureCoverage)
    }
}

fn value_of(name: &str, parts: &Parts, authority: &str) -> Result<String, Reason> {
    let value = match name {
        "@method" => parts.method.as_str().to_owned(),
        "@authority" => authority.to_owned(),
        "@path" => parts.uri.path().to_owned(),
        "@query" => format!("?{}", parts.uri.query().unwrap_or_default()),
        _ if name.starts_with('@') => return Err(Reason::SignatureMalformed),
        _ => {
            let values = parts
                .headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str());
            let values = values.collect::<Result<Vec<_>, _>>();
            let values = values.map_err(|_| Reason::SignatureMalformed)?;
            if values.is_empty() {
                return Err(Reason::SignatureCoverage);
            }
            values.join(", ")
        }
    };
    Ok(value)
}

fn number(text: &str) -> Result<u64, Reason> {
    text.parse().map_err(|_| Reason::SignatureMalformed)
}

/// A string without escapes: the gateway writes none.
fn text_of(value: &str) -> Result<&str, Reason> {
    let text = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    text.filter(|text| !text.contains(['"', '\\']))
        .ok_or(Reason::SignatureMalformed)
}

#[cfg(test)]
mod tests;
