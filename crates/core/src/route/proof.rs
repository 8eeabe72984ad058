//! What an origin can verify: the issuer of assertions, and how each request is signed.

use super::file::{RouteFile, SettingsFile, SignatureFile};
use super::finding::{Fault, Findings, fault};
use super::origin::Origin;
use super::variables;

/// What names a shared secret to an origin, where the route does not.
const KEY_ID: &str = "keyward";
/// The longest name of a shared secret.
const LONGEST_KEY_ID: usize = 64;

/// How requests of a route are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// With the deployment's own key, which is in its key set.
    Ed25519,
    /// With a secret that gateway and origin share.
    HmacSha256 {
        /// The name of the Worker secret.
        secret: String,
        /// What names it to the origin.
        key_id: String,
    },
}

/// The issuer of a deployment's assertions, if it is given and known.
pub(super) fn issuer(file: &SettingsFile, findings: &mut Findings<'_>) -> Option<String> {
    let text = file.issuer.as_ref()?;
    findings.text("gateway.issuer", text, parse_issuer)
}

/// Who asserts on a route: `None` when that is wrong, or not known before a deployment.
pub(super) fn asserted_by(
    field: &str,
    route: &RouteFile,
    settings: &SettingsFile,
    issuer: Option<&str>,
    findings: &mut Findings<'_>,
) -> Option<Option<String>> {
    if !route.assertion {
        return Some(None);
    }
    if settings.issuer.is_none() {
        findings.error(
            field,
            fault(
                "an assertion names who makes it",
                "set `issuer` under [gateway] to the gateway's own origin, as in https://gate.example.com",
            ),
        );
    }
    issuer.map(|issuer| Some(issuer.to_owned()))
}

impl Signature {
    pub(super) fn compile(
        file: &SignatureFile,
        field: &str,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let is_shared = findings.text(&format!("{field}.algorithm"), &file.algorithm, algorithm)?;
        if is_shared {
            let Some(name) = &file.secret else {
                findings.error(
                    field,
                    fault(
                        "hmac-sha256 needs a secret that the origin has too",
                        "add `secret = \"NAME\"`, the name of a Worker secret",
                    ),
                );
                return None;
            };
            let secret = findings.text(&format!("{field}.secret"), name, |text| {
                variables::check_name(text).map(|()| text.to_owned())
            });
            let id = file.key_id.as_deref().unwrap_or(KEY_ID);
            let key_id = findings.text(&format!("{field}.key_id"), id, key_id);
            return Some(Self::HmacSha256 {
                secret: secret?,
                key_id: key_id?,
            });
        }
        for (name, given) in [("secret", &file.secret), ("key_id", &file.key_id)] {
            if given.is_some() {
                findings.error(
                    &format!("{field}.{name}"),
                    fault(
                        "ed25519 signs with the deployment's own key",
                        "remove it, or use hmac-sha256",
                    ),
                );
            }
        }
        Some(Self::Ed25519)
    }
}

/// Whether the algorithm takes a shared secret.
fn algorithm(text: &str) -> Result<bool, Fault> {
    match text {
        "ed25519" => Ok(false),
        "hmac-sha256" => Ok(true),
        _ => Err(fault(
            format!("`{text}` is not an algorithm that requests are signed with"),
            "use \"ed25519\" or \"hmac-sha256\"",
        )),
    }
}

/// What stands in a structured field as it is.
fn key_id(text: &str) -> Result<String, Fault> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if text.is_empty() || text.len() > LONGEST_KEY_ID || !text.bytes().all(plain) {
        return Err(fault(
            format!("`{text}` cannot name a secret"),
            "use at most 64 letters, digits and -._~",
        ));
    }
    Ok(text.to_owned())
}

/// An origin without a path: what stands before `/_keyward/jwks.json`. Who reads the keys in the
/// clear would take anybody's.
fn parse_issuer(text: &str) -> Result<String, Fault> {
    let parsed = Origin::parse(text)?;
    if parsed.insecure || !parsed.base_path.is_empty() {
        return Err(fault(
            format!("`{text}` is not the gateway's own origin"),
            "write scheme, host and port alone, with https, as in https://gate.example.com",
        ));
    }
    Ok(parsed.origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin_that_is_reached_by_https() {
        for (text, issuer) in [
            ("https://gate.example.com", "https://gate.example.com"),
            ("HTTPS://Gate.Example.com:443/", "https://gate.example.com"),
            ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ] {
            assert_eq!(parse_issuer(text).as_deref(), Ok(issuer));
        }
        for text in [
            "",
            "gate.example.com",
            "http://gate.example.com",
            "https://gate.example.com/base",
            "https://user@gate.example.com",
        ] {
            assert!(parse_issuer(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_id_stands_in_a_structured_field_as_it_is() {
        assert_eq!(key_id("2026-11.a_b~c").as_deref(), Ok("2026-11.a_b~c"));
        for text in ["", "a\"b", "a b", "a\\", "ü", &"x".repeat(65)] {
            assert!(key_id(text).is_err(), "{text}");
        }
    }

    /// The fields of all mistakes in a file with these members of `gateway` and of its route.
    fn mistakes(gateway: &str, route: &str) -> Vec<String> {
        let text = format!(
            r#"{{"gateway":{{{gateway}}},"route":[{{"origin":"https://o.example",{route}}}]}}"#
        );
        let findings = super::super::check(&serde_json::from_str(&text).unwrap());
        findings.into_iter().map(|finding| finding.field).collect()
    }

    #[test]
    fn an_assertion_needs_an_issuer() {
        let issuer = r#""issuer":"https://g.example""#;
        for (gateway, route, fields) in [
            (issuer, r#""assertion":true"#, &[][..]),
            (r#""issuer":"${ISSUER}""#, r#""assertion":true"#, &[]),
            ("", r#""assertion":false"#, &[]),
            ("", r#""assertion":true"#, &["route[0].assertion"]),
            (
                r#""issuer":"http://g.example""#,
                r#""assertion":true"#,
                &["gateway.issuer"],
            ),
        ] {
            assert_eq!(mistakes(gateway, route), fields, "{gateway} {route}");
        }
    }

    #[test]
    fn a_signature_is_made_by_one_key() {
        let hmac = r#""algorithm":"hmac-sha256""#;
        for (members, fields) in [
            (r#""algorithm":"ed25519""#.to_owned(), &[][..]),
            (format!(r#"{hmac},"secret":"S""#), &[]),
            (format!(r#"{hmac},"secret":"S","key_id":"k""#), &[]),
            (hmac.to_owned(), &["route[0].signature"]),
            (
                format!(r#"{hmac},"secret":"KEYWARD_SECRET""#),
                &["route[0].signature.secret"],
            ),
            (
                format!(r#"{hmac},"secret":"S","key_id":"a b""#),
                &["route[0].signature.key_id"],
            ),
            (
                r#""algorithm":"rsa-pss-sha512""#.to_owned(),
                &["route[0].signature.algorithm"],
            ),
            (
                r#""algorithm":"ed25519","secret":"S""#.to_owned(),
                &["route[0].signature.secret"],
            ),
            (
                r#""algorithm":"ed25519","key_id":"k""#.to_owned(),
                &["route[0].signature.key_id"],
            ),
        ] {
            let route = format!(r#""signature":{{{members}}}"#);
            assert_eq!(mistakes("", &route), fields, "{members}");
        }
    }
}
