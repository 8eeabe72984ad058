//! The OpenAPI 3.1 document of the management API, from the table and the types that serve it.

#![allow(
    clippy::indexing_slicing,
    reason = "never at the edge: setting an index of a JSON object inserts it"
)]

mod answers;
mod asking;
mod bodies;
pub mod examples;
pub mod fields;
pub mod limits;
mod openapi;
mod operations;
mod parameters;
pub mod problem;
mod responses;
pub mod usage;
pub mod words;

pub use self::openapi::document;
