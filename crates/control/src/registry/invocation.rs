//! What one invocation of the object asks of others.
//!
//! The platform ends an invocation at its thousandth call of KV, of another object or of the
//! network. What was begun by one goes on within it: each write that ends begins the next. So each
//! counts for itself, whatever other requests arrive meanwhile; when it has had its share, the
//! alarm goes on, which is a new one.

use std::cell::Cell;
use std::rc::Rc;

/// Writes of KV.
const WRITES: usize = 600;
/// Meters that are told.
const TELLINGS: usize = 120;
/// Messages that are sent to webhooks.
const MESSAGES: usize = 120;

// Beside these the account registry is told of the project, and of older keys, with up to 150 calls.
const _: () = assert!(WRITES + TELLINGS + MESSAGES <= 840);

/// What a running invocation may still begin.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) writes: Share,
    pub(super) tellings: Share,
    pub(super) messages: Share,
    /// Whether it has logged that there are no meters.
    pub(super) missed: Cell<bool>,
}

/// A number of calls of one sort.
#[derive(Debug)]
pub(super) struct Share(Cell<usize>);

impl Invocation {
    /// One that has begun nothing.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            writes: Share(Cell::new(WRITES)),
            tellings: Share(Cell::new(TELLINGS)),
            messages: Share(Cell::new(MESSAGES)),
            missed: Cell::new(false),
        })
    }
}

impl Share {
    /// How many more may begin when `planned` are about to.
    pub(super) fn left(&self, planned: usize) -> usize {
        self.0.get().saturating_sub(planned)
    }

    /// One begins.
    pub(super) fn take(&self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
