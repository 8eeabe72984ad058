//! The tables of a project's registry.

mod credentials;
mod keys;
mod limits;
mod told;

use super::JOURNAL;

/// The registry of one project: its keys, their secrets, and what KV has yet to be told.
pub(in crate::registry) const PROJECT: &[&str] = &[
    keys::FIRST,
    JOURNAL,
    keys::LIFE,
    keys::RESERVED,
    limits::LIMITS,
    limits::LEASED,
    told::LEAKS,
    told::TOLD,
    credentials::CREDENTIALS,
    credentials::CREDENTIALS_DELETED,
    keys::ALL_RESERVED,
    keys::OWED,
    keys::REPEATED,
];
