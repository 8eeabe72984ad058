//! What an isolate was answered, beside its leases.

use keyward_core::time::Millis;
use serde::{Deserialize, Serialize};

/// For so long nothing may be heard of an isolate before it is forgotten.
const SILENT_MS: u64 = 24 * 3_600_000;

/// What is written says that an isolate may go by a version for so much longer than it may: so not
/// every sign of life is a row. A meter that starts again believes it.
const AHEAD_MS: u64 = 20_000;

/// What is kept of an isolate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answered {
    /// When it asked last.
    pub(crate) seen: Millis,
    /// The number of its newest usage report.
    pub(crate) reported: u64,
    /// The newest version that it was answered with.
    version: u64,
    /// Until when it may go by that version, without asking.
    until: Millis,
    /// Until when it may go by an older one: the answer with the newer may not have arrived.
    older_until: Millis,
    /// Until when it may according to what is written.
    #[serde(skip)]
    written_until: Option<Millis>,
}

impl Answered {
    pub(crate) const fn new(now: Millis) -> Self {
        Self {
            seen: now,
            reported: 0,
            version: 0,
            until: Millis(0),
            older_until: Millis(0),
            written_until: None,
        }
    }

    /// It is answered with this version, and may go by it until a moment; without one, it has not
    /// shown that it goes by any but what it had before. Whether that is to be written.
    pub(crate) fn answer(&mut self, version: Option<u64>, now: Millis, until: Millis) -> bool {
        let before = (self.version, self.older_until);
        self.seen = now;
        match version {
            None => self.older_until = self.older_until.max(until),
            Some(version) if version == self.version => self.until = self.until.max(until),
            Some(version) => {
                self.older_until = self.older_until.max(self.until);
                self.version = version;
                self.until = until;
            }
        }
        (self.version, self.older_until) != before || Some(self.until) > self.written_until
    }

    /// As it is to be written now.
    pub(crate) fn ahead(&mut self) -> Self {
        let until = self.until.plus(AHEAD_MS);
        self.written_until = Some(until);
        Self {
            until,
            ..self.clone()
        }
    }

    /// As it was written.
    pub(crate) fn again(self) -> Self {
        Self {
            written_until: Some(self.until),
            ..self
        }
    }

    /// Takes a usage report in, unless it has been; whether it is new.
    pub(crate) const fn takes(&mut self, number: u64) -> bool {
        let is_new = number > self.reported;
        if is_new {
            self.reported = number;
        }
        is_new
    }

    /// Until when it may go by a version before this one.
    pub(crate) fn older_than(&self, version: u64) -> Millis {
        if self.version < version {
            self.leased_until()
        } else {
            self.older_until
        }
    }

    /// Until when it may go by any version that it was answered with.
    pub(crate) fn leased_until(&self) -> Millis {
        self.until.max(self.older_until)
    }

    /// When it is forgotten, if nothing is heard of it until then.
    pub(crate) const fn forgotten_at(&self) -> Millis {
        self.seen.plus(SILENT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_gone_by_until_the_last_lease_that_may_hold_it_ends() {
        let mut answered = Answered::new(Millis(0));
        answered.answer(Some(1), Millis(0), Millis(10));
        answered.answer(Some(1), Millis(5), Millis(15));
        assert_eq!(answered.older_than(1), Millis(0));
        assert_eq!(answered.older_than(2), Millis(15));
        answered.answer(Some(2), Millis(8), Millis(18));
        assert_eq!(answered.older_than(2), Millis(15));
        assert_eq!(answered.older_than(3), Millis(18));
    }

    #[test]
    fn a_lease_that_was_shortened_does_not_end_earlier() {
        let mut answered = Answered::new(Millis(0));
        answered.answer(Some(1), Millis(0), Millis(60));
        answered.answer(Some(1), Millis(5), Millis(15));
        assert_eq!(answered.older_than(2), Millis(60));
    }

    #[test]
    fn who_shows_no_version_may_go_by_an_old_one() {
        let mut answered = Answered::new(Millis(0));
        answered.answer(Some(2), Millis(0), Millis(10));
        assert!(answered.answer(None, Millis(5), Millis(15)));
        assert_eq!(answered.older_than(2), Millis(15));
        answered.answer(Some(2), Millis(8), Millis(18));
        assert_eq!(answered.older_than(2), Millis(15));
        assert_eq!(answered.older_than(3), Millis(18));
    }

    #[test]
    fn what_is_written_never_says_less_and_is_not_written_each_time() {
        let mut answered = Answered::new(Millis(0));
        let mut written = None::<Answered>;
        let mut rows = 0;
        for asked in 0..100_u64 {
            let now = Millis(asked * 8_000);
            if answered.answer(Some(1), now, now.plus(10_000)) {
                written = Some(answered.ahead());
                rows += 1;
            }
            let again = written.clone().unwrap().again();
            assert!(again.older_than(2) >= answered.older_than(2));
        }
        assert_eq!(rows, 34);
        assert!(answered.answer(Some(2), Millis(800_000), Millis(801_000)));
        let again = answered.ahead().again();
        assert_eq!(again.older_than(2), answered.older_than(2));
    }

    #[test]
    fn an_isolate_is_forgotten_a_day_after_it_asked_last() {
        let mut answered = Answered::new(Millis(0));
        answered.answer(Some(1), Millis(5), Millis(15));
        assert_eq!(answered.forgotten_at(), Millis(86_400_005));
    }
}
