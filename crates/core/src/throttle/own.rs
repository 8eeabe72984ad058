//! The limit that a derived key brings along.

use super::counter::{self, Counter};
use super::{Over, Quantity};
use crate::time::Millis;

/// The calls of one key.
#[derive(Debug)]
pub struct Own {
    quantity: Quantity,
    counter: Counter,
}

impl Own {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new(quantity: Quantity) -> Self {
        Self {
            quantity,
            counter: Counter::default(),
        }
    }

    /// Whether there is room for a call.
    ///
    /// # Errors
    /// [`Over`] when there is not.
    pub fn check(&mut self, now: Millis) -> Result<(), Over> {
        let Self { quantity, counter } = self;
        let slice_ms = counter::slice_ms(quantity.window_s);
        counter.advance(now, slice_ms);
        if counter.total() < quantity.calls.get() {
            return Ok(());
        }
        let wait_s = counter.frees_in(now, slice_ms).div_ceil(1000).max(1);
        let quantity = *quantity;
        Err(Over { quantity, wait_s })
    }

    /// Counts a call that is let through, after [`Own::check`].
    pub fn spend(&mut self) {
        self.counter.count();
    }
}
