//! Webhooks as Standard Webhooks (standardwebhooks.com) has them: what happens to keys is told to
//! the project's own endpoints, signed.
//!
//! 1. An [`Event`] says what has happened.
//! 2. It goes only where [`address::check`] allows.
//! 3. [`signature`] makes the header that its receiver verifies.
//! 4. [`retry::pause`] says when a message that was not taken is sent again.

pub mod address;
mod event;
pub mod retry;
pub mod signature;

pub use self::event::Event;

/// The most endpoints of a project.
pub const MOST_ENDPOINTS: u64 = 8;
/// The most messages that wait for one endpoint; one more drops the oldest.
pub const MOST_WAITING: u64 = 1000;
/// For so long an endpoint may take to answer: 10 seconds.
pub const PATIENCE_MS: u64 = 10_000;
