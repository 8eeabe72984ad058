//! What proves a request to the origin: the deployment's own key, and the signature of each request
//! on routes that want one.

use super::Gateway;
use crate::assertion::{self, Unsigned};
use crate::derived::Terms;
use crate::forward::{self, Forward};
use crate::head::Head;
use crate::keyring::{Entry, Keyring};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::route::{Route, Routes, Signature};
use crate::signature::{self, Algorithm, DIGEST, LABEL, Parameters, SharedKey};
use crate::time::Millis;

use base64ct::{Base64, Encoding as _};

/// Who signs the requests of each route.
pub(super) struct Signers {
    /// By the route's place in the file; empty when no route is signed.
    routes: Vec<Option<Signer>>,
}

/// Who signs the requests of a route.
pub(super) enum Signer {
    /// The deployment's own key of this name: the runtime signs.
    Own(String),
    /// A shared secret, by its name. None: the secret is not set, or too short.
    Shared(String, Option<SharedKey>),
}

impl Signers {
    pub(super) fn new(
        routes: &Routes,
        keyring: &Keyring,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let signer = |route: &Route| match route.signature.as_ref()? {
            Signature::Ed25519 => {
                let key_id = assertion::signer(keyring).assertion_key_id();
                Some(Signer::Own(key_id.to_owned()))
            }
            Signature::HmacSha256 { secret, key_id } => {
                let key = lookup(secret).and_then(|secret| signature::shared_key(secret.trim()));
                Some(Signer::Shared(key_id.clone(), key))
            }
        };
        if routes.iter().all(|route| route.signature.is_none()) {
            return Self { routes: Vec::new() };
        }
        let all = (0..routes.len()).map(|index| routes.get(index).and_then(signer));
        Self {
            routes: all.collect(),
        }
    }

    /// Who signs the requests of a route; nobody where it does not ask for it.
    pub(super) fn of(&self, route: &Route) -> Result<Option<&Signer>, Refusal> {
        if route.signature.is_none() {
            return Ok(None);
        }
        match self.routes.get(route.index) {
            Some(Some(Signer::Shared(_, None)) | None) | None => {
                Err(Refusal::CredentialUnavailable)
            }
            Some(Some(signer)) => Ok(Some(signer)),
        }
    }
}

impl Signer {
    /// Adds the signature to what is forwarded. Returns what the runtime has to sign, where it does.
    pub(super) fn sign(
        &self,
        route: &Route,
        (record, terms): (&Record, Option<&Terms>),
        head: &Head<'_>,
        forward: &mut Forward<'_>,
        nonce: &str,
        now: Millis,
    ) -> Option<String> {
        let identity = forward::identity(record, terms);
        let identity = identity
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .filter(|(_, value)| !value.is_empty());
        let digest = head
            .header(DIGEST)
            .filter(|_| {
                !forward.remove.contains(&DIGEST)
                    && !forward::is_removed_by_plan(route, DIGEST, true)
            })
            .map(|value| (DIGEST, value));
        let planned = forward.url.take();
        let url = planned.unwrap_or_else(|| format!("{}{}", route.origin, head.target));
        let url = signature::serialized(url);
        let components: Vec<_> = signature::target(head.method, &url)
            .into_iter()
            .chain(identity)
            .chain(digest)
            .collect();
        let (key_id, algorithm) = match self {
            Self::Own(key_id) => (key_id, Algorithm::Ed25519),
            Self::Shared(key_id, _) => (key_id, Algorithm::HmacSha256),
        };
        let parameters = Parameters {
            created: now,
            nonce,
            key_id,
            algorithm,
        };
        let input = signature::input(components.iter().map(|(name, _)| *name), &parameters);
        let base = signature::base(components, &input);
        forward.url = Some(url);
        forward
            .set
            .push(("signature-input", format!("{LABEL}={input}")));
        match self {
            Self::Shared(_, Some(key)) => {
                let signature = Base64::encode_string(&key.sign(&base));
                let value = format!("{LABEL}=:{signature}:");
                forward.set.push(("signature", value));
                None
            }
            Self::Own(_) | Self::Shared(_, None) => Some(base),
        }
    }
}

impl Gateway {
    /// The Ed25519 keys of the entries in force, in their order, and behind them those of entries that
    /// do not sign any more.
    pub fn own_keys(&self) -> impl Iterator<Item = &Entry> {
        self.records.keyring().signing()
    }

    /// Which of [`Gateway::own_keys`] signs: the place of it.
    #[must_use]
    pub fn signing_key(&self) -> usize {
        let in_force = self.records.keyring().in_force();
        in_force.count().saturating_sub(1)
    }

    /// What is to be signed for the claims of a [`Fixed`](super::Fixed).
    #[must_use]
    pub fn assertion(&self, claims: &str, now: Millis) -> Option<Unsigned> {
        let signer = assertion::signer(self.records.keyring());
        assertion::unsigned(claims, signer.assertion_key_id(), now)
    }

    /// The key set, of the public keys of [`Gateway::own_keys`] in base64url.
    #[must_use]
    pub fn key_set<'a>(&self, public_keys: impl Iterator<Item = &'a str>, now: Millis) -> String {
        assertion::key_set(self.records.keyring(), public_keys, now)
    }
}
