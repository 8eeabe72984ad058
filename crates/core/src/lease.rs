//! Leases: how calls in many isolates are counted against one limit, exactly, without a round trip
//! for each.
//!
//! A **meter** counts for one key, or for one owner. An isolate **asks** it for units; what it is
//! granted is a lease: so many units, valid against every limit of the meter at once, to be spent
//! within so many milliseconds **of when the isolate asked**, by the isolate's own clock. No two
//! clocks are ever compared: the isolate's span began before the meter's, so it ends before it.
//!
//! The rules:
//! 1. From when it is granted to when it is over, a lease counts as spent. What the isolate reports
//!    as not spent comes back; what it never reports stays spent.
//! 2. Every ask has a number of its own, and a repetition carries the same: it gets the same
//!    answer, and grants nothing more.
//! 3. Reports are cumulative for each lease, so late and repeated ones change nothing. A closed
//!    lease stays closed.
//! 4. A lease whose answer never came is reported as closed with nothing spent, and an answer that
//!    comes after that is dropped.
//! 5. A unit that was spent counts in a rate window from the last moment at which it can have been
//!    spent, as far as that is known: the end of its lease, or the report, less the age that the
//!    report gives to the isolate's last spending.
//! 6. An isolate that is lost wastes what it holds: what its waiting calls need and, in all its
//!    leases together, one part in [`LARGEST_SHARE`] of what was free when it asked, divided by
//!    the isolates that have asked within [`LEASE_MS`]; by 300, where those are so many that leases
//!    last longer, or what each of them could have if all had as much (of a quota or credits, of what
//!    is left), if that is more. Of a paced lease it is one window's units, in a limit that it paces. In a rate
//!    window that is over when the leases and the window are; a quota has lost it until its next
//!    period, credits for good.
//! 7. A meter that is lost goes on from what it wrote before it answered. It wastes at most one
//!    lease for each ask that was under way: one that it had refused may be granted when it is
//!    repeated.
//! 8. Where more than 2,250 isolates use a key, leases last longer, up to [`LONGEST_MS`], so that its
//!    meter is asked about 300 times a second; where more than 750 do, as long as they ask it more than
//!    600 times a second, up to 50 s. Where a limit then has too little for all of them,
//!    some are refused before it is gone: it is never passed, but not used up either.
//! 9. A lease across a boundary of the calendar counts on both sides of it. As a lease is never
//!    shorter than [`SHORTEST_MS`], units that are granted within that time before a boundary may
//!    count twice: against the caller, never for it.
//! 10. A **paced** lease is of so many units in all, and of so many in any span of a window by the
//!     isolate's own clock; all that the isolate spends of paced leases keeps to the pace of the one
//!     that is spent of, as one sum. For a rate limit it counts with what its pace allows within the
//!     limit's window, from when it is granted to when it is over, and then until a window after the
//!     last moment at which it can have been spent; of several that one isolate has, only the
//!     greatest does. So no span of the window has more of it than is counted, and the sum of that never
//!     passes the limit. Longer limits count all of its units, as of any lease. It is granted where so
//!     many isolates ask that leases cut to a window would make the meter be asked more than
//!     [`ASKS_PER_S`], and only to an isolate that says that it knows of them.
//! 11. An isolate's clock that is set forward while it holds a paced lease lets it spend a window's
//!     units again. So beside all paces, as much is kept free as the greatest of them allows, and at
//!     least one part in 64 of all. Of those whose clocks are set forward once within one window, one
//!     may be any, or all together may have one part in 64: then no limit is passed. Beyond that,
//!     each such clock lets through at most what its isolate's pace allows in a window. A clock
//!     that gains less than 10 ms within a window lets nothing through.

pub mod holder;
pub mod message;
pub mod meter;
pub mod window;

/// How long a lease lasts, and how soon an isolate hears of a change, in milliseconds; less where a
/// limit wants it.
pub const LEASE_MS: u64 = 10_000;
/// How long it lasts at most, where so many isolates ask that the meter could not bear them all.
pub const LONGEST_MS: u64 = 60_000;
/// How much before its end an isolate takes a lease for over, in milliseconds: what its clock may
/// jump back unnoticed.
pub const MARGIN_MS: u64 = 100;
/// The shortest lease, in milliseconds: so long an answer may take.
pub const SHORTEST_MS: u64 = 1_000;
/// Asks a second that a meter is to have at most, for long.
pub const ASKS_PER_S: u64 = 300;
/// One part in so many of what is free is the most that one isolate holds beyond what its calls
/// need.
pub const LARGEST_SHARE: u64 = 4;
/// Of a limit of which less than one part in so many is free, little is left.
pub const LITTLE: u64 = 4;
