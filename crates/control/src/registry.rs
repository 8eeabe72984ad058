//! The registries: Durable Objects over SQLite, the source of truth about projects and keys.
//!
//! The way of a change:
//! 1. The management API sends one command ([`message`]) to the object ([`client`]).
//! 2. One synchronous run of statements, a transaction, writes the change ([`keys`]), what KV has
//!    to be told ([`outbox`]) and the alarm ([`storage`]).
//! 3. [`publication`] writes the newest state to KV, repeats it until it holds, and tells the
//!    waiting answer `published` or `pending`.

mod account;
pub(crate) mod client;
mod keys;
pub(crate) mod message;
mod outbox;
mod project;
mod publication;
mod schema;
mod serve;
mod storage;
mod view;

pub use self::account::AccountRegistry;
pub use self::project::ProjectRegistry;
