//! The meters' module: Durable Objects that count calls against limits, know the newest record of
//! their key, and keep how it was used. An isolate that holds no meter never starts it;
//! `src/meter.mjs` loads it when one is first asked for something.
//!
//! The way of an exchange:
//! 1. An isolate sends one command ([`keyward_core::metering`]) to the object (`object`).
//! 2. What is not known, or has not been confirmed for long, is asked of the registry (`registry`).
//! 3. Its usage report is counted, once (`usage`).
//! 4. One synchronous run of statements, a transaction, writes what has changed (`state`).
//!
//! By the alarm, a key's meter tells the project's what it has counted (`sums`), and the registry
//! that the key was used; old rows move to longer spans, and what is over is deleted.

mod json;
mod object;
mod points;
mod registry;
mod schema;
mod state;
mod sums;
mod usage;

use keyward_edge::recovery;
use wasm_bindgen::prelude::wasm_bindgen;

pub use self::object::Meter;

/// Touches the module before anything else is asked of it: one that was lost to a panic is made
/// anew, and what a panic may log is settled.
#[wasm_bindgen]
pub fn touch() {
    recovery::prepare();
}
