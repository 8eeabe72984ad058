//! The worker: all that touches the edge runtime. The decision itself is `keyward-core`.

mod api;
mod bindings;
mod clock;
mod crypto;
mod hot;
mod kv;
mod log;
mod recovery;
mod registry;
mod timeout;
mod wire;

pub use self::api::Management;
pub use self::hot::Hot;
pub use self::registry::{AccountRegistry, ProjectRegistry};
