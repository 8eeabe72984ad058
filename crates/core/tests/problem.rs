//! Problem documents: every refusal's body and headers, to the letter.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use keyward_core::problem::{Problem, page};
use keyward_core::rate_limit::{Fields, Item};
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde_json::{Value, json};

fn parsed(problem: &Problem<'_>) -> Value {
    serde_json::from_str(&problem.body()).unwrap()
}

#[test]
fn every_refusal_has_its_document_and_its_headers() {
    for refusal in Refusal::ALL {
        let problem = Problem {
            scopes: "chat:write a:b",
            ..Problem::new(*refusal, "req-1")
        };
        let mut document = json!({
            "type": format!("/_keyward/errors/{}", refusal.code()),
            "title": refusal.title(),
            "status": refusal.status(),
            "code": refusal.code(),
            "detail": refusal.detail(),
            "request_id": "req-1",
        });
        if !refusal.fix().is_empty() {
            document["fix"] = refusal.fix().into();
        }
        assert_eq!(parsed(&problem), document);

        let mut headers = vec![
            ("content-type", "application/problem+json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ];
        let challenge = |error: &str| {
            format!(
                r#"Bearer realm="keyward", error="{error}", error_description="{}""#,
                refusal.detail()
            )
        };
        match refusal {
            Refusal::VerifyKeyInvalid => {
                let own = "Keyward-Verify-Key realm=\"keyward\"";
                headers.push(("www-authenticate", own.to_owned()));
            }
            Refusal::KeyMissing => {
                headers.push(("www-authenticate", "Bearer realm=\"keyward\"".to_owned()))
            }
            Refusal::KeyInvalid
            | Refusal::KeyRevoked
            | Refusal::KeyExpired
            | Refusal::KeyDisabled
            | Refusal::KeyNotYetValid
            | Refusal::SignatureInvalid => {
                headers.push(("www-authenticate", challenge("invalid_token")))
            }
            Refusal::KeyAmbiguous => {
                headers.push(("www-authenticate", challenge("invalid_request")))
            }
            Refusal::ScopeMissing => {
                let scope = challenge("insufficient_scope") + r#", scope="chat:write a:b""#;
                headers.push(("www-authenticate", scope));
            }
            Refusal::StoreUnavailable
            | Refusal::MeterUnavailable
            | Refusal::RegistryUnavailable
            | Refusal::SigningKeysUnavailable => {
                headers.push(("retry-after", "5".to_owned()));
            }
            _ => {}
        }
        assert_eq!(problem.headers(), headers, "{}", refusal.code());
    }
}

#[test]
fn an_occurrence_can_say_more() {
    let errors = [FieldError {
        field: "ips[0]".to_owned(),
        detail: "not \"an\" address".to_owned(),
    }];
    let problem = Problem {
        errors: &errors,
        detail: Some("ips[0]: not \"an\" address"),
        ..Problem::new(Refusal::KeySpecInvalid, "a\"b")
    };
    let document = parsed(&problem);
    assert_eq!(document["detail"], "ips[0]: not \"an\" address");
    assert_eq!(
        document["errors"],
        json!([{"field": "ips[0]", "detail": "not \"an\" address"}])
    );
    assert_eq!(document["request_id"], "a\"b");
}

#[test]
fn a_limit_that_is_used_up_says_itself_and_when_there_is_room() {
    let mut fields = Fields::default();
    fields.push(&Item {
        prefix: "",
        name: "burst",
        limit: 1200,
        window_s: Some(60),
        left: Some(0),
        more_s: Some(12),
    });
    let problem = Problem {
        limit: Some("burst"),
        retry_s: Some(12),
        limits: Some(&fields),
        ..Problem::new(Refusal::RateLimited, "req-1")
    };
    let expected = [
        ("retry-after", "12"),
        ("ratelimit-policy", r#""burst";q=1200;w=60"#),
        ("ratelimit", r#""burst";r=0;t=12"#),
    ];
    for (name, value) in expected {
        assert!(problem.headers().contains(&(name, value.to_owned())));
    }
    assert_eq!(parsed(&problem)["limit"], "burst");
}

#[test]
fn a_scope_that_could_leave_its_quotes_is_left_out() {
    for scopes in ["", "a\"b", "a\\b", "a\nb", "é"] {
        let problem = Problem {
            scopes,
            ..Problem::new(Refusal::ScopeMissing, "req-1")
        };
        assert!(
            problem
                .headers()
                .iter()
                .all(|(_, value)| !value.contains("scope=\"")),
            "{scopes}"
        );
    }
}

#[test]
fn every_code_has_a_page() {
    for refusal in Refusal::ALL {
        let page = page(refusal.code()).unwrap();
        assert!(
            page.starts_with(refusal.code())
                && page.contains(refusal.detail())
                && page.contains(refusal.fix())
        );
    }
    assert_eq!(page("no_such_code"), None);
    assert_eq!(
        page("ip_denied").unwrap(),
        "ip_denied: Address not allowed (HTTP 403)\n\nThe key does not allow calls from this address.\n\nCall from an address that the key allows.\n"
    );
}
