//! How long counts are kept, and in spans of which length.
//!
//! A call is counted in one row: that of its minute first, later that of its hour, then that of its
//! day. Whole hours move when all of their minutes are old enough, whole days likewise, and each
//! row is added to the longer one, so that a count that comes late is neither lost nor doubled.

use super::Minute;
use crate::metering::Span;
use crate::time::Millis;

const MINUTES_OF_A_DAY: u64 = 1_440;
/// What an isolate counted so long ago is counted as of then: it is older than any report is late.
const LATE_MINUTES: u64 = MINUTES_OF_A_DAY;

impl Span {
    /// The span that rows of this one move to; none where they are deleted.
    #[must_use]
    pub const fn longer(self) -> Option<Self> {
        match self {
            Self::Minute => Some(Self::Hour),
            Self::Hour => Some(Self::Day),
            Self::Day => None,
        }
    }

    /// For how many minutes rows of this span are kept at least.
    const fn kept(self) -> u64 {
        MINUTES_OF_A_DAY
            * match self {
                Self::Minute => 2,
                Self::Hour => 90,
                Self::Day => 731,
            }
    }

    /// The longer span of a minute, in which rows of this one move together.
    const fn moved_in(self) -> Self {
        match self {
            Self::Minute => Self::Hour,
            Self::Hour | Self::Day => Self::Day,
        }
    }

    /// Rows of this span that begin before this minute are to move, or to be deleted.
    #[must_use]
    pub const fn old_before(self, now: Millis) -> Minute {
        let minute = Minute::of(now).0.saturating_sub(self.kept());
        self.moved_in().first(Minute(minute))
    }

    /// When a row of this span that begins with this minute becomes too old.
    #[must_use]
    pub const fn old_at(self, first: Minute) -> Millis {
        let together = self.moved_in();
        let end = together.first(first).0.saturating_add(together.minutes());
        Minute(end.saturating_add(self.kept())).start()
    }
}

impl Minute {
    /// The minute that a count is added to which an isolate gives for this one: its clock may be
    /// wrong, or the report very late.
    #[must_use]
    pub fn reported(self, now: Millis) -> Self {
        let now = Self::of(now).0;
        Self(
            self.0
                .clamp(now.saturating_sub(LATE_MINUTES), now.saturating_add(1)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_262_730_000);

    #[test]
    fn a_row_moves_with_its_whole_span_exactly_when_it_becomes_old() {
        let minute = Minute::of(NOW);
        for span in [Span::Minute, Span::Hour, Span::Day] {
            for ago in [0, 1, 59, 60, 61, 1_439, 1_440] {
                let first = span.first(Minute(minute.0 - ago));
                let at = span.old_at(first);
                assert!(first < span.old_before(at), "{span:?} {ago}");
                assert!(first >= span.old_before(Millis(at.0 - 1)), "{span:?} {ago}");
            }
        }
    }

    #[test]
    fn what_moves_at_once_is_the_whole_of_a_longer_span() {
        for later in 0..3_000 {
            let now = NOW.plus(later * 60_000);
            let minutes = Span::Minute.old_before(now);
            assert_eq!(Span::Hour.first(minutes), minutes);
            assert_eq!(
                Span::Day.first(Span::Hour.old_before(now)),
                Span::Hour.old_before(now)
            );
        }
    }

    #[test]
    fn counts_are_kept_for_as_long_as_is_promised() {
        let day = 1_440;
        let minute = Minute::of(NOW);
        assert!(Span::Minute.old_before(NOW).0 + 2 * day <= minute.0);
        assert!(Span::Hour.old_before(NOW).0 + 90 * day <= minute.0);
        assert!(Span::Day.old_before(NOW).0 + 2 * 365 * day <= minute.0);
    }

    #[test]
    fn no_report_is_added_to_the_future_nor_to_what_moves() {
        let now = Minute::of(NOW);
        for (reported, expected) in [
            (now.0, now.0),
            (now.0 + 1, now.0 + 1),
            (now.0 + 2, now.0 + 1),
            (u64::MAX, now.0 + 1),
            (now.0 - 1_440, now.0 - 1_440),
            (now.0 - 1_441, now.0 - 1_440),
            (0, now.0 - 1_440),
        ] {
            assert_eq!(Minute(reported).reported(NOW), Minute(expected));
        }
        assert!(Minute(0).reported(NOW) >= Span::Minute.old_before(NOW));
    }
}
