use ed25519_dalek::{Signer as _, SigningKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use keyward_core::assertion::{claims, unsigned};
use keyward_core::derived::Terms;
use keyward_core::record::Record;
use keyward_core::time::Millis;
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://gate.example";
const ORIGIN: &str = "https://o.example";
const LEEWAY: u64 = 30;

fn own() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn encoded(value: &Value) -> String {
    Base64UrlUnpadded::encode_string(value.to_string().as_bytes())
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": TYPE, "kid": "k"})
}

fn payload() -> Value {
    json!({
        "iss": ISSUER, "aud": ORIGIN, "sub": "key_1", "project": "acme", "environment": "live",
        "kind": "private", "scopes": ["files:read"], "iat": NOW, "exp": NOW + 120,
    })
}

fn signed(header: &Value, payload: &Value) -> String {
    let input = format!("{}.{}", encoded(header), encoded(payload));
    let signature = own().sign(input.as_bytes()).to_bytes();
    format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
}

fn with(mut value: Value, name: &str, other: Value) -> Value {
    value[name] = other;
    value
}

fn judged_at(token: &str, now: u64) -> Result<Caller, Reason> {
    let key = own().verifying_key();
    Unverified::parse(token)?.verify(&key, ISSUER, ORIGIN, now, LEEWAY)
}

/// What `core` writes for a key.
fn written() -> String {
    let record: Record = serde_json::from_value(json!({
        "schema": 1, "project": "acme", "environment": "live", "key_id": "key_1",
        "secret_id": "sec_1", "kind": "private", "version": 1, "status": "active",
        "owner": "Zoë", "restrictions": {"scopes": ["files:read"]},
    }))
    .unwrap();
    let terms = Terms {
        user: Some("u-7".to_owned()),
        ..Terms::until(Millis(u64::MAX))
    };
    let claims = claims(ISSUER, ORIGIN, &record, Some(&terms));
    let unsigned = unsigned(&claims, "k", Millis(NOW * 1000)).unwrap();
    let signature = own().sign(unsigned.input.as_bytes()).to_bytes();
    let signature = Base64UrlUnpadded::encode_string(&signature);
    format!("{}.{signature}", unsigned.input)
}

#[test]
fn what_the_gateway_writes_is_read_here_and_by_another_library() {
    let caller = judged_at(&written(), NOW).unwrap();
    assert_eq!(caller.key_id, "key_1");
    assert_eq!(caller.owner.as_deref(), Some("Zoë"));
    assert_eq!(
        (caller.kind.as_str(), caller.user.as_deref()),
        ("derived", Some("u-7"))
    );
    assert!(caller.may("files:read"));
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[ORIGIN]);
    validation.validate_exp = false;
    let key = DecodingKey::from_ed_der(own().verifying_key().as_bytes());
    let other = jsonwebtoken::decode::<Value>(written(), &key, &validation).unwrap();
    assert_eq!(other.claims["user"], "u-7");
    assert_eq!(other.claims["exp"], NOW + 120);
}

#[test]
fn what_another_library_writes_is_read_here() {
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend(own().to_bytes());
    let header = jsonwebtoken::Header {
        typ: Some(TYPE.to_owned()),
        kid: Some("k".to_owned()),
        ..jsonwebtoken::Header::new(Algorithm::EdDSA)
    };
    let token = jsonwebtoken::encode(&header, &payload(), &EncodingKey::from_ed_der(&pkcs8));
    assert_eq!(judged_at(&token.unwrap(), NOW).unwrap().project, "acme");
}

#[test]
fn each_attack_has_its_own_reason() {
    let good = signed(&header(), &payload());
    assert!(judged_at(&good, NOW).is_ok());
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (head, body) = input.split_once('.').unwrap();
    let none = with(header(), "alg", json!("none"));
    let hs256 = jsonwebtoken::Header {
        typ: Some(TYPE.to_owned()),
        kid: Some("k".to_owned()),
        ..jsonwebtoken::Header::new(Algorithm::HS256)
    };
    let public = EncodingKey::from_secret(own().verifying_key().as_bytes());
    let confused = jsonwebtoken::encode(&hs256, &payload(), &public).unwrap();
    let tampered = encoded(&with(payload(), "sub", json!("key_2")));
    let attacks = [
        (
            "alg none",
            format!("{}.{body}.", encoded(&none)),
            Reason::Algorithm,
        ),
        (
            "alg none, signature kept",
            format!("{}.{body}.{signature}", encoded(&none)),
            Reason::Algorithm,
        ),
        ("HS256 with the public key", confused, Reason::Algorithm),
        (
            "another purpose",
            signed(&with(header(), "typ", json!("JWT")), &payload()),
            Reason::Type,
        ),
        (
            "a header of the sender's",
            signed(&with(header(), "jwk", json!({})), &payload()),
            Reason::Malformed,
        ),
        (
            "a critical extension",
            signed(&with(header(), "crit", json!(["x"])), &payload()),
            Reason::Malformed,
        ),
        (
            "tampered claims",
            format!("{head}.{tampered}.{signature}"),
            Reason::Signature,
        ),
        (
            "another issuer",
            signed(
                &header(),
                &with(payload(), "iss", json!("https://evil.example")),
            ),
            Reason::Issuer,
        ),
        (
            "another origin",
            signed(
                &header(),
                &with(payload(), "aud", json!("https://p.example")),
            ),
            Reason::Audience,
        ),
        (
            "several origins",
            signed(
                &header(),
                &with(payload(), "aud", json!([ORIGIN, "https://p.example"])),
            ),
            Reason::Malformed,
        ),
        (
            "from the future",
            signed(&header(), &with(payload(), "iat", json!(NOW + LEEWAY + 1))),
            Reason::NotYetValid,
        ),
        (
            "expired",
            signed(&header(), &with(payload(), "exp", json!(NOW - LEEWAY))),
            Reason::Expired,
        ),
        (
            "made long ago",
            signed(
                &header(),
                &with(
                    with(payload(), "iat", json!(NOW - 150)),
                    "exp",
                    json!(NOW + 9999),
                ),
            ),
            Reason::Expired,
        ),
        (
            "no key id",
            signed(&header(), &with(payload(), "sub", Value::Null)),
            Reason::Malformed,
        ),
        ("a fourth part", format!("{good}.x"), Reason::Malformed),
        ("padding", format!("{good}="), Reason::Malformed),
        (
            "a short signature",
            format!("{input}.{}", signature.get(..80).unwrap()),
            Reason::Malformed,
        ),
        ("nothing", String::new(), Reason::Malformed),
    ];
    for (name, token, reason) in attacks {
        assert_eq!(judged_at(&token, NOW), Err(reason), "{name}");
    }
}

#[test]
fn every_altered_byte_is_noticed() {
    let good = signed(&header(), &payload());
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(bytes).unwrap();
        assert!(judged_at(&altered, NOW).is_err(), "byte {at}");
    }
}

#[test]
fn it_holds_from_its_beginning_to_its_end_give_or_take_the_leeway() {
    let good = signed(&header(), &payload());
    for (now, reason) in [
        (NOW - LEEWAY - 1, Some(Reason::NotYetValid)),
        (NOW - LEEWAY, None),
        (NOW + 120 + LEEWAY - 1, None),
        (NOW + 120 + LEEWAY, Some(Reason::Expired)),
    ] {
        assert_eq!(judged_at(&good, now).err(), reason, "{now}");
    }
}
