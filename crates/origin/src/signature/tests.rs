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
    let signature = Base64::decode_vec(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    )
    .unwrap();
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
