//! The pure heart of Keyward: keys, records, restrictions, routes and the decision.
//!
//! Nothing here does I/O, reads a clock, draws randomness or knows JavaScript: time, random
//! bytes and secrets are arguments. The worker, the CLI's `explain` and the tests all call the
//! same [`decide::decide`].
#![forbid(unsafe_code)]

pub mod account;
pub mod answer;
pub mod assertion;
pub mod attention;
pub mod base62;
pub mod changes;
pub mod cors;
pub mod credential;
pub mod decide;
pub mod derived;
pub mod explain;
pub mod forward;
pub mod gateway;
pub mod guard;
pub mod head;
pub mod json;
pub mod keyring;
pub mod kind;
pub mod leak;
pub mod lease;
pub mod life;
pub mod limits;
mod mac;
pub mod management;
pub mod memory;
pub mod merge_patch;
pub mod metering;
pub mod names;
pub mod own;
pub mod patch;
pub mod period;
pub mod policy;
pub mod problem;
pub mod rate_limit;
pub mod record;
pub mod records;
pub mod refusal;
pub mod request;
pub mod restrict;
pub mod revocation;
pub mod rotation;
pub mod route;
pub mod secret;
pub mod session;
pub mod signature;
pub mod spec;
pub mod throttle;
pub mod time;
pub mod turnstile;
pub mod usage;
pub mod vault;
pub mod verify;
pub mod webhook;
