//! What the worker's modules share of the edge runtime.

pub mod bindings;
pub mod clock;
pub mod crypto;
pub mod kv;
pub mod log;
pub mod object;
pub mod recovery;
pub mod storage;
pub mod timeout;
