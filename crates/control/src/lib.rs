//! The control plane's module: the management API, and the registries that are the source of
//! truth. An isolate that only proxies never starts it; `src/control.mjs` loads it when it is
//! first asked for something.

mod api;
mod own;
mod registry;

use keyward_edge::recovery;
use wasm_bindgen::prelude::wasm_bindgen;

pub use self::api::Management;
pub use self::registry::{AccountRegistry, ProjectRegistry};

/// Touches the module before anything else is asked of it: one that was lost to a panic is made
/// anew, and what a panic may log is settled. `hosts` are those of the routes, with a blank between
/// them.
#[wasm_bindgen]
pub fn touch(hosts: &str) {
    recovery::prepare();
    own::are(hosts);
}
