//! What an origin behind Keyward adds to know that a call came through the gateway, and whose it is.
//!
//! A request is let through when all of this holds; the first that does not is the [`Reason`]:
//! 1. it carries one `Keyward-Assertion`, a JWT with `alg` EdDSA and the assertion's `typ`;
//! 2. its `kid` is in the gateway's key set, and the signature is that key's;
//! 3. its issuer and audience are those of the [`Verifier`];
//! 4. it holds now, give or take the [leeway](Verifier::leeway);
//! 5. where a [signature](Verifier::signed_by) is demanded: the request's own, by RFC 9421.
//!
//! Then the request's extensions have a [`Caller`].
//!
//! An assertion is not bound to one request: who can read what reaches the origin can send it again for
//! as long as it holds, at most two minutes. A signature is bound to its request; to refuse the same
//! request twice, an origin keeps the signature's nonce.
//!
//! ```no_run
//! use axum::{Extension, Router, routing::get};
//! use keyward_origin::{AssertionLayer, Caller, Verifier};
//!
//! # fn main() -> Result<(), keyward_origin::SettingError> {
//! let verifier = Verifier::new("https://gate.example.com", "https://origin.example.com")?;
//! let app: Router = Router::new()
//!     .route("/", get(|Extension(caller): Extension<Caller>| async move { caller.key_id }))
//!     .layer(AssertionLayer::new(verifier));
//! # Ok(())
//! # }
//! ```
//!
//! The layer fetches the key set on Tokio's threads for what blocks, so it needs a Tokio runtime.
#![forbid(unsafe_code)]

mod assertion;
mod caller;
mod fetch;
mod keys;
mod layer;
mod reason;
mod signature;
mod verifier;

pub use self::caller::Caller;
pub use self::layer::{AssertionLayer, AssertionService};
pub use self::reason::Reason;
pub use self::signature::SignedBy;
pub use self::verifier::{SettingError, Verifier};

/// The examples of the page compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/verify-in-your-origin.md")]
struct Page;
