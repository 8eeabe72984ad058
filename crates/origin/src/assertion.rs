//! Reads an assertion: a JWT of exactly the gateway's form.
//!
//! There is one algorithm, and the key comes from the key set alone: nothing in the token chooses how it
//! is verified (RFC 8725 sections 3.1 and 3.5).

use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signature, VerifyingKey};
use keyward_core::assertion::{LIFE_S, TYPE};
use serde::Deserialize;

use crate::{Caller, Reason};

/// The only members that the gateway writes; with any other, such as `crit` or `jwk`, it is not its.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
    #[serde(flatten)]
    caller: Caller,
}

/// An assertion whose signature is still to be verified.
pub(crate) struct Unverified<'a> {
    /// Which key it names.
    pub(crate) key_id: String,
    signed: &'a str,
    payload: &'a str,
    signature: Signature,
}

impl<'a> Unverified<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, Reason> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
        // The algorithm first, whatever else is wrong with a token of another one.
        let loose: serde_json::Value = json(header)?;
        if loose.get("alg").and_then(|alg| alg.as_str()) != Some("EdDSA") {
            return Err(Reason::Algorithm);
        }
        let header: Header = json(header)?;
        debug_assert_eq!(header.alg, "EdDSA");
        if header.typ != TYPE {
            return Err(Reason::Type);
        }
        let signature = Base64UrlUnpadded::decode_vec(signature).map_err(|_| Reason::Malformed)?;
        Ok(Self {
            key_id: header.kid,
            signed,
            payload,
            signature: Signature::from_slice(&signature).map_err(|_| Reason::Malformed)?,
        })
    }

    /// Who is calling. `now` and `leeway` in seconds.
    pub(crate) fn verify(
        &self,
        key: &VerifyingKey,
        issuer: &str,
        audience: &str,
        now: u64,
        leeway: u64,
    ) -> Result<Caller, Reason> {
        key.verify_strict(self.signed.as_bytes(), &self.signature)
            .map_err(|_| Reason::Signature)?;
        let claims: Claims = json(self.payload)?;
        if claims.iss != issuer {
            return Err(Reason::Issuer);
        }
        if claims.aud != audience {
            return Err(Reason::Audience);
        }
        if claims.iat > now.saturating_add(leeway) {
            return Err(Reason::NotYetValid);
        }
        // One that holds for longer than the gateway ever says is none of its.
        let longest = claims.iat.saturating_add(LIFE_S);
        if now >= claims.exp.min(longest).saturating_add(leeway) {
            return Err(Reason::Expired);
        }
        Ok(claims.caller)
    }
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, Reason> {
    let bytes = Base64UrlUnpadded::decode_vec(part).map_err(|_| Reason::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Reason::Malformed)
}

#[cfg(test)]
mod tests;
