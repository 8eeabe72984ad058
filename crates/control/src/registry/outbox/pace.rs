//! How fast what nobody waits for goes on while KV fails: each row waits longer from failure to
//! failure, but a hundred thousand rows would still keep the object and KV busy with nothing else.

use keyward_core::time::Millis;

const FIRST_MS: u64 = 500;
const LONGEST_MS: u64 = 15_000;

/// A pause that doubles with each failure in a row, and ends with a success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::registry) struct Pace {
    failures: u32,
    resumes_at: Option<Millis>,
}

impl Pace {
    /// After a write has ended.
    pub(in crate::registry) fn after(self, acknowledged: bool, now: Millis) -> Self {
        if acknowledged {
            return Self::default();
        }
        // Writes that had been started together fail together: they count once.
        if self.resumes_at.is_some_and(|resumes_at| now < resumes_at) {
            return self;
        }
        let pause = FIRST_MS << self.failures.min(16);
        Self {
            failures: self.failures.saturating_add(1),
            resumes_at: Some(now.plus(pause.min(LONGEST_MS))),
        }
    }

    /// Whether rows that nobody waits for may be written.
    pub(in crate::registry) fn allows(self, now: Millis) -> bool {
        self.resumes_at.is_none_or(|resumes_at| resumes_at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_from_failure_to_failure_up_to_a_cap() {
        let mut pace = Pace::default();
        let mut now = Millis(0);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            assert!(pace.allows(now));
            pace = pace.after(false, now);
            let resumes_at = pace.resumes_at.unwrap();
            assert!(!pace.allows(Millis(resumes_at.0 - 1)));
            pauses.push(resumes_at.since(now));
            now = resumes_at;
        }
        assert_eq!(
            pauses,
            [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]
        );
    }

    #[test]
    fn failures_during_a_pause_do_not_prolong_it() {
        let first = Pace::default().after(false, Millis(100));
        assert_eq!(first.after(false, Millis(599)), first);
        assert_ne!(first.after(false, Millis(600)), first);
    }

    #[test]
    fn a_success_ends_it() {
        let paused = Pace::default().after(false, Millis(100));
        assert_eq!(paused.after(true, Millis(101)), Pace::default());
    }
}
