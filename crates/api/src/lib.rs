//! What the management API is: its operations, what they read and what they show.
//!
//! The [`table`] has one entry for each operation. The router matches requests on it ([`route`]),
//! its parameters decide what a query may hold ([`query`]), and the OpenAPI document is written
//! from it and from the types of requests and answers ([`request`], [`view`]): what is served and
//! what is described cannot drift apart.

pub mod condition;
pub mod cursor;
pub mod json;
pub mod operation;
pub mod parameter;
pub mod query;
pub mod request;
pub mod route;
#[cfg(feature = "schema")]
pub mod schema;
pub mod table;
pub mod view;

/// The path below which every operation stands.
pub const BASE: &str = "/_keyward/v1/";
