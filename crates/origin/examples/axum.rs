//! An origin that answers only calls that came through the gateway, and says whose they are.
//!
//! ```sh
//! ISSUER=https://gate.example.com AUDIENCE=https://origin.example.com cargo run --example axum
//! ```
//! `KEYS_AT` is another address of the key set, `LISTEN` where to listen; with `SIGNED_BY=gateway`, or
//! the shared secret in `SIGNING_SECRET`, each request must be signed too.

use std::env;
use std::error::Error;

use axum::routing::any;
use axum::{Extension, Json, Router};
use keyward_origin::{AssertionLayer, Caller, SignedBy, Verifier};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut verifier = Verifier::new(&env::var("ISSUER")?, &env::var("AUDIENCE")?)?;
    if let Ok(url) = env::var("KEYS_AT") {
        verifier = verifier.keys_at(&url)?;
    }
    if let Ok(secret) = env::var("SIGNING_SECRET") {
        let key_id = "keyward".to_owned();
        verifier = verifier.signed_by(SignedBy::Secret { key_id, secret })?;
    } else if env::var("SIGNED_BY").is_ok_and(|signer| signer == "gateway") {
        verifier = verifier.signed_by(SignedBy::Gateway)?;
    }
    let app = Router::new()
        .fallback(any(who))
        .layer(AssertionLayer::new(verifier));
    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn who(Extension(caller): Extension<Caller>) -> Json<Value> {
    Json(json!({
        "key_id": caller.key_id,
        "project": caller.project,
        "environment": caller.environment,
        "kind": caller.kind,
        "owner": caller.owner,
        "scopes": caller.scopes,
        "user": caller.user,
    }))
}
