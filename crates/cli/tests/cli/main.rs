//! The `keyward` command, run as its users run it.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod account;
mod apply;
mod audit;
mod command;
mod credentials;
mod derive;
mod explain;
mod export;
mod files;
mod import;
mod keys;
mod leaked;
mod limits;
mod management;
mod owner_lines;
mod owner_stops;
mod retries;
mod secrets;
mod stub;
mod webhooks;
