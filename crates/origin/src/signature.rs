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
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};
    use http::Request;
    use keyward_core::signature::{Parameters as Written, input, target};
    use keyward_core::time::Millis;

    use super::*;

    const NOW: u64 = 1_800_000_000;
    const SECRET: &str = "a-secret-that-gateway-and-origin-share-0123";
    const LEEWAY: u64 = 30;

    fn own() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    const IDENTITIES: [(&str, &str); 3] = [
        ("keyward-key-id", "key_1"),
        ("keyward-project", "acme"),
        (
            "content-digest",
            "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
        ),
    ];

    /// A request as the gateway sends it, with these components covered.
    fn signed_over(algorithm: Algorithm, names: &[&str], key_id: &str) -> Parts {
        let method = "POST";
        let line = target(method, "https://o.example/a?b=c");
        let all: Vec<_> = line.into_iter().chain(IDENTITIES).collect();
        let covered: Vec<_> = names
            .iter()
            .map(|name| *all.iter().find(|(own, _)| own == name).unwrap())
            .collect();
        let of = Written {
            created: Millis(NOW * 1000),
            nonce: "n",
            key_id,
            algorithm,
        };
        let input = input(names.iter().copied(), &of);
        let base = base(covered, &input);
        let signature = match algorithm {
            Algorithm::Ed25519 => own().sign(base.as_bytes()).to_bytes().to_vec(),
            Algorithm::HmacSha256 => shared_key(SECRET).unwrap().sign(&base).to_vec(),
        };
        let mut parts = parts(method, "/a?b=c", &IDENTITIES);
        let value = format!("keyward={input}");
        parts
            .headers
            .insert("signature-input", value.parse().unwrap());
        let value = format!("keyward=:{}:", Base64::encode_string(&signature));
        parts.headers.insert("signature", value.parse().unwrap());
        parts
    }

    const ALL: [&str; 7] = [
        "@method",
        "@authority",
        "@path",
        "@query",
        "keyward-key-id",
        "keyward-project",
        "content-digest",
    ];

    fn judged(parts: &Parts, algorithm: Algorithm, now: u64) -> Result<(), Reason> {
        let key = match algorithm {
            Algorithm::Ed25519 => Key::Own(own().verifying_key()),
            Algorithm::HmacSha256 => Key::Shared("k", SECRET),
        };
        Signed::parse(parts, "o.example")?.verify(&key, now, LEEWAY)
    }

    fn altered(parts: &Parts, name: &'static str, from: &str, to: &str) -> Parts {
        let mut parts = parts.clone();
        let before = parts.headers[name].to_str().unwrap();
        assert!(before.contains(from), "{before}");
        let after = before.replacen(from, to, 1).parse().unwrap();
        parts.headers.insert(name, after);
        parts
    }

    #[test]
    fn the_signature_of_rfc_9421_appendix_b_2_6_verifies() {
        let input = r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
        let base = base(
            [
                ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
                ("@method", "POST"),
                ("@path", "/foo"),
                ("@authority", "example.com"),
                ("content-type", "application/json"),
                ("content-length", "18"),
            ],
            input,
        );
        let key = Base64::decode_vec("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").unwrap();
        let key = VerifyingKey::from_bytes(key.as_slice().try_into().unwrap()).unwrap();
        let signature = Base64::decode_vec("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==").unwrap();
        let signed = Signed {
            parameters: Parameters {
                created: 1_618_884_473,
                expires: 1_618_884_533,
                key_id: "",
                algorithm: "ed25519",
            },
            base,
            signature,
        };
        assert_eq!(signed.verify(&Key::Own(key), 1_618_884_473, 0), Ok(()));
    }

    #[test]
    fn each_attack_has_its_own_reason() {
        for algorithm in [Algorithm::Ed25519, Algorithm::HmacSha256] {
            let good = signed_over(algorithm, &ALL, "k");
            assert_eq!(judged(&good, algorithm, NOW), Ok(()));
            let without = |name: &str| {
                let mut parts = good.clone();
                parts.headers.remove(name);
                parts
            };
            let and = |name: &'static str, value: &'static str| {
                let mut parts = good.clone();
                parts.headers.append(name, value.parse().unwrap());
                parts
            };
            let line = |method: &str, uri: &str| {
                let mut parts = good.clone();
                parts.method = method.parse().unwrap();
                parts.uri = uri.parse().unwrap();
                parts
            };
            let input = |from: &str, to: &str| altered(&good, "signature-input", from, to);
            let mut fewer = ALL.to_vec();
            fewer.retain(|name| *name != "@query");
            let other = if algorithm == Algorithm::Ed25519 {
                "hmac-sha256"
            } else {
                "ed25519"
            };
            let attacks = [
                (
                    "no signature",
                    without("signature"),
                    Reason::SignatureMissing,
                ),
                (
                    "no input",
                    without("signature-input"),
                    Reason::SignatureMissing,
                ),
                (
                    "two signatures",
                    and("signature", "keyward=:AAAA:"),
                    Reason::SignatureMalformed,
                ),
                (
                    "two inputs",
                    and("signature-input", "keyward=()"),
                    Reason::SignatureMalformed,
                ),
                (
                    "another label",
                    input("keyward=", "other="),
                    Reason::SignatureMissing,
                ),
                (
                    "another method",
                    line("PUT", "/a?b=c"),
                    Reason::SignatureWrong,
                ),
                (
                    "another path",
                    line("POST", "/b?b=c"),
                    Reason::SignatureWrong,
                ),
                (
                    "another query",
                    line("POST", "/a?b=d"),
                    Reason::SignatureWrong,
                ),
                (
                    "an altered identity",
                    altered(&good, "keyward-key-id", "key_1", "key_2"),
                    Reason::SignatureWrong,
                ),
                (
                    "an altered digest",
                    altered(&good, "content-digest", "X48", "Y48"),
                    Reason::SignatureWrong,
                ),
                (
                    "an identity that is not covered",
                    and("keyward-owner", "mallory"),
                    Reason::SignatureCoverage,
                ),
                (
                    "a second value",
                    and("keyward-key-id", "key_2"),
                    Reason::SignatureWrong,
                ),
                (
                    "a covered header dropped",
                    without("keyward-project"),
                    Reason::SignatureCoverage,
                ),
                (
                    "a component dropped",
                    input("\"keyward-project\" ", ""),
                    Reason::SignatureCoverage,
                ),
                (
                    "the target dropped",
                    input("\"@query\" ", ""),
                    Reason::SignatureCoverage,
                ),
                (
                    "signed without the target",
                    signed_over(algorithm, &fewer, "k"),
                    Reason::SignatureCoverage,
                ),
                (
                    "components moved",
                    input("\"@method\" \"@authority\"", "\"@authority\" \"@method\""),
                    Reason::SignatureWrong,
                ),
                (
                    "a component doubled",
                    input("\"@path\"", "\"@path\" \"@path\""),
                    Reason::SignatureMalformed,
                ),
                (
                    "a component with a parameter",
                    input("\"@path\"", "\"@path\";req"),
                    Reason::SignatureMalformed,
                ),
                (
                    "a component that nobody knows",
                    input("\"@path\"", "\"@path\" \"@status\""),
                    Reason::SignatureMalformed,
                ),
                (
                    "another algorithm",
                    input(algorithm.as_str(), other),
                    Reason::SignatureKey,
                ),
                (
                    "a parameter doubled",
                    input(";nonce=\"n\"", ";nonce=\"n\";nonce=\"n\""),
                    Reason::SignatureMalformed,
                ),
                (
                    "a parameter dropped",
                    input(";nonce=\"n\"", ""),
                    Reason::SignatureMalformed,
                ),
                (
                    "another parameter",
                    input(";nonce", ";once"),
                    Reason::SignatureMalformed,
                ),
                (
                    "another purpose",
                    input("tag=\"keyward\"", "tag=\"other\""),
                    Reason::SignatureMalformed,
                ),
                (
                    "a later end",
                    input("expires=1800000060", "expires=1800009999"),
                    Reason::SignatureWrong,
                ),
                ("no list", input("(", ""), Reason::SignatureMalformed),
                (
                    "no bytes",
                    altered(&good, "signature", ":", ""),
                    Reason::SignatureMalformed,
                ),
            ];
            for (name, parts, reason) in attacks {
                assert_eq!(
                    judged(&parts, algorithm, NOW),
                    Err(reason),
                    "{algorithm:?}: {name}"
                );
            }
            for (now, reason) in [
                (NOW - LEEWAY - 1, Err(Reason::SignatureExpired)),
                (NOW - LEEWAY, Ok(())),
                (NOW + 60 + LEEWAY - 1, Ok(())),
                (NOW + 60 + LEEWAY, Err(Reason::SignatureExpired)),
            ] {
                assert_eq!(judged(&good, algorithm, now), reason, "{now}");
            }
        }
    }

    #[test]
    fn another_secret_and_the_name_of_another_are_refused() {
        let good = signed_over(Algorithm::HmacSha256, &ALL, "k");
        let signed = Signed::parse(&good, "o.example").unwrap();
        let other = "another-secret-of-at-least-32-bytes-0123456";
        assert_eq!(
            signed.verify(&Key::Shared("k", other), NOW, 0),
            Err(Reason::SignatureWrong)
        );
        assert_eq!(
            signed.verify(&Key::Shared("l", SECRET), NOW, 0),
            Err(Reason::SignatureKey)
        );
        assert_eq!(
            signed.verify(&Key::Own(own().verifying_key()), NOW, 0),
            Err(Reason::SignatureKey)
        );
        let elsewhere = Signed::parse(&good, "p.example").unwrap();
        assert_eq!(
            elsewhere.verify(&Key::Shared("k", SECRET), NOW, 0),
            Err(Reason::SignatureWrong)
        );
    }
}
