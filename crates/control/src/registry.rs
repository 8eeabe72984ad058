//! The registries: Durable Objects over SQLite, the source of truth about projects and keys.
//!
//! The way of a change:
//! 1. The management API sends one command ([`message`]) to the object ([`client`]).
//! 2. One synchronous run of statements, a transaction ([`journal`]), writes the change ([`keys`],
//!    [`state`]), who made it ([`audit`]), what KV has to be told ([`outbox`]) and the alarm.
//! 3. [`metering`] tells the meters that have asked, and [`publication`] writes the newest
//!    state to KV; both repeat it until it holds, and tell the waiting answer how far it is.

mod account;
mod audit;
mod change;
pub(crate) mod client;
mod credentials;
mod export;
mod import;
mod invocation;
mod journal;
mod keys;
mod list;
pub(crate) mod message;
mod metering;
mod naming;
mod outbox;
mod page;
mod project;
mod publication;
mod replica;
mod republication;
mod reseal;
mod reservations;
mod schema;
mod seen;
mod serve;
mod state;
mod sweep;
mod tasks;
mod telling;
mod view;
mod webhooks;

pub use self::account::AccountRegistry;
pub use self::project::ProjectRegistry;
