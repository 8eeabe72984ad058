//! When a message is sent again.

const S: u64 = 1000;
const M: u64 = 60 * S;
const H: u64 = 60 * M;

/// The pauses after the first attempt that failed, the second, and so on: nine attempts in about
/// 42 hours.
pub const PAUSES_MS: &[u64] = &[5 * S, M, 5 * M, 30 * M, 2 * H, 5 * H, 10 * H, 24 * H];

/// How often a message is sent at most.
pub const ATTEMPTS: u64 = PAUSES_MS.len() as u64 + 1;

/// How long to wait after so many attempts, or that the message is given up. `jitter` is random:
/// up to a tenth is added, so that what failed together does not come back at one instant.
#[must_use]
pub fn pause(attempts: u64, jitter: u32) -> Option<u64> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let pause = *PAUSES_MS.get(index)?;
    Some(pause + pause / 10 * u64::from(jitter) / u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let all: Vec<_> = (1..).map_while(|attempts| pause(attempts, 0)).collect();
        assert_eq!(all, PAUSES_MS);
        assert!(all.is_sorted());
        assert_eq!(pause(0, 0), None);
        assert_eq!(pause(u64::MAX, 0), None);
        assert_eq!(pause(1, u32::MAX), Some(5_500));
    }
}
