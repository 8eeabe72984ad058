//! Restrictions: what each sort of rule lets through, and how it is written.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod ip;
mod path;
mod referrer;
mod suffixes;
