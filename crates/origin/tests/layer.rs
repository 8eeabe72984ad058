//! The layer before an axum service, with a key set that is read over HTTP.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use keyward_origin::{AssertionLayer, Caller, Verifier};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

const ISSUER: &str = "https://gate.example";
const ORIGIN: &str = "https://o.example";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn key_set(seeds: &[u8]) -> Value {
    let jwk = |seed: &u8| {
        let x = Base64UrlUnpadded::encode_string(key(*seed).verifying_key().as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": format!("k{seed}"), "x": x})
    };
    json!({"keys": seeds.iter().map(jwk).collect::<Vec<_>>()})
}

fn token(seed: u8) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let encoded = |value: Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let header = json!({"alg": "EdDSA", "typ": "keyward-assertion+jwt", "kid": format!("k{seed}")});
    let claims = json!({
        "iss": ISSUER, "aud": ORIGIN, "sub": "key_1", "project": "acme", "environment": "live",
        "kind": "private", "iat": now, "exp": now + 120,
    });
    let input = format!("{}.{}", encoded(header), encoded(claims));
    let signature = key(seed).sign(input.as_bytes()).to_bytes();
    format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
}

/// What the gateway answers: how often it was asked, and an origin that reads its key set there.
async fn origin(
    answer: impl Fn() -> Response<String> + Clone + Send + Sync + 'static,
) -> (Arc<AtomicUsize>, Router) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let gateway = Router::new().fallback(move || {
        count.fetch_add(1, Ordering::SeqCst);
        let answer = answer();
        async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/_keyward/jwks.json",
        listener.local_addr().unwrap()
    );
    tokio::spawn(async move { axum::serve(listener, gateway).await });
    let verifier = Verifier::new(ISSUER, ORIGIN)
        .unwrap()
        .keys_at(&url)
        .unwrap();
    let who = |Extension(caller): Extension<Caller>| async move { caller.key_id };
    let app = Router::new()
        .route("/", get(who))
        .layer(AssertionLayer::new(verifier));
    (asked, app)
}

async fn call(app: &Router, assertions: &[&str]) -> Response<Body> {
    let mut request = Request::get("/");
    for assertion in assertions {
        request = request.header("keyward-assertion", *assertion);
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 10_000).await;
    String::from_utf8(bytes.unwrap().to_vec()).unwrap()
}

async fn code(response: Response<Body>) -> String {
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

fn ok(body: String) -> Response<String> {
    Response::new(body)
}

#[tokio::test]
async fn a_true_assertion_passes_and_its_caller_is_known() {
    let (_, app) = origin(|| ok(key_set(&[1]).to_string())).await;
    let response = call(&app, &[&token(1)]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "key_1");
}

#[tokio::test]
async fn a_refusal_is_a_problem_document() {
    let (_, app) = origin(|| ok(key_set(&[1]).to_string())).await;
    let response = call(&app, &[]).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    assert_eq!(response.headers()[WWW_AUTHENTICATE], "Keyward-Assertion");
    assert_eq!(
        serde_json::from_str::<Value>(&text(response).await).unwrap(),
        json!({
            "type": "about:blank", "title": "Unauthorized", "status": 401, "code": "assertion_missing",
            "detail": "The request carries no Keyward-Assertion.",
        })
    );
    let twice = token(1);
    assert_eq!(
        code(call(&app, &[&twice, &twice]).await).await,
        "assertion_malformed"
    );
}

#[tokio::test]
async fn the_key_set_is_read_once_whoever_asks_for_whatever() {
    let (asked, app) = origin(|| ok(key_set(&[1]).to_string())).await;
    let mut calls = JoinSet::new();
    for seed in [1, 2, 1, 3, 1, 2, 1, 1] {
        let app = app.clone();
        calls.spawn(async move { (seed, call(&app, &[&token(seed)]).await.status()) });
    }
    for (seed, status) in calls.join_all().await {
        let expected = if seed == 1 {
            StatusCode::OK
        } else {
            StatusCode::UNAUTHORIZED
        };
        assert_eq!(status, expected, "{seed}");
    }
    for seed in 2..50 {
        assert_eq!(
            code(call(&app, &[&token(seed)]).await).await,
            "assertion_key_unknown"
        );
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn without_a_key_set_nothing_is_known_and_nothing_passes() {
    let redirect = || {
        let answer = Response::builder()
            .status(302)
            .header(LOCATION, "/elsewhere");
        answer.body(key_set(&[1]).to_string()).unwrap()
    };
    let answers: [fn() -> Response<String>; 4] = [
        || {
            Response::builder()
                .status(500)
                .body(key_set(&[1]).to_string())
                .unwrap()
        },
        || ok("<html>".to_owned()),
        || ok(format!("{}{}", key_set(&[1]), " ".repeat(100_000))),
        redirect,
    ];
    for answer in answers {
        let (_, app) = origin(answer).await;
        let response = call(&app, &[&token(1)]).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "5");
        assert_eq!(code(response).await, "keys_unavailable");
        assert_eq!(
            code(call(&app, &["a.b.c"]).await).await,
            "assertion_malformed"
        );
    }
}
