//! What the gateway's module and the control plane's both need of the edge runtime.

pub mod bindings;
pub mod clock;
pub mod crypto;
pub mod kv;
pub mod log;
pub mod recovery;
pub mod timeout;
