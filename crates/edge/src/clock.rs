//! The one place that reads the runtime's clock.

use keyward_core::time::Millis;

/// Now, by the runtime's clock: it stands still while the processor works and moves on with I/O.
pub fn now() -> Millis {
    // A JavaScript time is a whole number of milliseconds, far below 2^53; `as` saturates.
    Millis(js_sys::Date::now() as u64)
}
