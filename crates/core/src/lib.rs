//! The pure heart of Keyward: keys, records, restrictions, routes and the decision.
//!
//! Nothing here does I/O, reads a clock, draws randomness or knows JavaScript: time, random
//! bytes and secrets are arguments. The worker, the CLI's `explain` and the tests all call the
//! same [`decide::decide`].
#![forbid(unsafe_code)]

pub mod answer;
pub mod base62;
pub mod cors;
pub mod credential;
pub mod decide;
pub mod explain;
pub mod forward;
pub mod gateway;
pub mod head;
pub mod keyring;
pub mod kind;
mod mac;
pub mod memory;
pub mod names;
pub mod own;
pub mod policy;
pub mod problem;
pub mod record;
pub mod records;
pub mod refusal;
pub mod request;
pub mod restrict;
pub mod route;
pub mod secret;
pub mod spec;
pub mod time;
