//! A sliding window of slices.
//!
//! The window is cut into 16 slices, and a slice counts as a whole until all of it has left the
//! window. So a call counts for the window's length and at most a sixteenth longer: never are more
//! calls let through in any window than the limit says, and a place comes free a little late.

use crate::time::Millis;

/// How many slices a window is cut into.
const CUT: usize = 16;
/// Those of the window and the one that is under way.
const SLICES: usize = CUT + 1;

/// The length of a slice in milliseconds.
pub(super) const fn slice_ms(window_s: u32) -> u64 {
    (window_s as u64 * 1000).div_ceil(CUT as u64)
}

/// The calls of a window. What is counted where no more can be is dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Counter {
    /// The number of the slice that is under way, counted from the beginning of time.
    newest: u64,
    /// The newest first.
    slices: [u32; SLICES],
    total: u32,
}

impl Counter {
    /// Lets go of what has left the window.
    pub(super) fn advance(&mut self, now: Millis, slice_ms: u64) {
        let slice = now.0 / slice_ms.max(1);
        let Some(passed) = slice.checked_sub(self.newest) else {
            // The clock moved back: within a window the newest slice goes on, beyond that nothing
            // is known any more, and nobody is locked out until the old time comes again.
            if self.newest - slice > SLICES as u64 {
                *self = Self::default();
                self.newest = slice;
            }
            return;
        };
        if passed == 0 {
            return;
        }
        let passed = usize::try_from(passed).map_or(SLICES, |passed| passed.min(SLICES));
        self.slices.rotate_right(passed);
        for left in self.slices.iter_mut().take(passed) {
            self.total = self.total.saturating_sub(*left);
            *left = 0;
        }
        self.newest = slice;
    }

    /// Counts one more, in the slice that is under way.
    pub(super) fn count(&mut self) {
        let [newest, ..] = &mut self.slices;
        if let Some(total) = self.total.checked_add(1) {
            *newest += 1;
            self.total = total;
        }
    }

    /// How many count.
    pub(super) const fn total(&self) -> u32 {
        self.total
    }

    /// How many milliseconds from now until the first of those that count leaves the window.
    pub(super) fn frees_in(&self, now: Millis, slice_ms: u64) -> u64 {
        let oldest = self.slices.iter().rposition(|count| *count > 0);
        let left = SLICES - oldest.unwrap_or(SLICES - 1);
        let leaves = self.newest.saturating_add(left as u64);
        Millis(leaves.saturating_mul(slice_ms)).since(now)
    }
}
