//! A meter that bears no asks at all, and so grants paced leases to two isolates.
//!
//! What the exploration leaves out changes nothing for it either. Its leases are as long as others as
//! long as fewer than three isolates have asked, so no time depends on what an isolate is called; and
//! one ask is as many to it as two. What a paced lease lets spend depends on the isolate's own clock
//! and on the answers that came to it, on nothing else.

use std::rc::Rc;

use keyward_core::lease::message::{Answer, Ask};
use keyward_core::lease::meter::Meter;
use keyward_core::limits::Limits;
use keyward_core::time::Millis;

use crate::sides::{Counts, Disk};

/// Such a meter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pressed(Meter);

impl Counts for Pressed {
    fn new(limits: &Limits, now: Millis) -> Self {
        Self(Meter::new(limits.clone(), 0, now))
    }

    fn take(&mut self, ask: &Ask, now: Millis) -> Answer {
        self.0.take(ask, now)
    }

    fn write(&mut self, disk: &mut Rc<Disk>) {
        self.0.write(disk);
    }

    fn restore(disk: &Disk, _: &Limits, _: Millis) -> Self {
        Self(Meter::restore(disk.clone().into_iter(), 0).unwrap())
    }
}
