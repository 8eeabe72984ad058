//! The present, and points in time relative to it.

use std::time::{SystemTime, UNIX_EPOCH};

use keyward_core::time::Millis;

/// Now.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// `90s`, `45m`, `12h`, `30d`, in milliseconds.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    let unit = match text.chars().next_back() {
        Some('s') => 1_000,
        Some('m') => 60_000,
        Some('h') => 3_600_000,
        Some('d') => 86_400_000,
        _ => 0,
    };
    let number = text
        .strip_suffix(['s', 'm', 'h', 'd'])
        .and_then(|number| number.parse::<u64>().ok());
    match number.and_then(|number| number.checked_mul(unit)) {
        Some(millis) if millis > 0 => Ok(millis),
        _ => Err("write a number and s, m, h or d, as in 30d".to_owned()),
    }
}

/// A duration as queries of the management API have it, as text.
pub(crate) fn query(text: &str) -> Result<String, String> {
    duration(text)?;
    if text.len() > 6 || text.starts_with('0') {
        return Err("write a number of at most five digits and s, m, h or d, as in 30d".to_owned());
    }
    Ok(text.to_owned())
}

/// A duration in whole seconds.
pub(crate) fn seconds(text: &str) -> Result<u64, String> {
    duration(text).map(|millis| millis / 1000)
}

/// A point in time, or how long ago it was.
pub(crate) fn past(text: &str) -> Result<Millis, String> {
    match duration(text) {
        Ok(millis) => Ok(Millis(now().0.saturating_sub(millis))),
        Err(_) => text.parse().map_err(|_| {
            "write how long ago, as in 24h, or an RFC 3339 date and time, as in 2026-11-21T12:00:00Z"
                .to_owned()
        }),
    }
}

/// An RFC 3339 date and time.
pub(crate) fn instant(text: &str) -> Result<Millis, String> {
    text.parse().map_err(|error| format!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::{duration, past, query};

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(
            (duration("30d"), duration("90s")),
            (Ok(2_592_000_000), Ok(90_000))
        );
        for text in [
            "",
            "30",
            "d",
            "0h",
            "-1h",
            "1w",
            "99999999999999999d",
            "1.5h",
            "1é",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn queries_take_five_digits_without_a_leading_zero() {
        assert_eq!(query("90d"), Ok("90d".to_owned()));
        for text in ["090d", "123456d", "90", "0d"] {
            assert!(query(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_past_is_a_time_or_an_age() {
        assert_eq!(
            past("2026-11-21T12:00:00Z").map(|time| time.0),
            Ok(1_795_262_400_000)
        );
        assert!(past("1h").is_ok_and(|time| time < super::now()));
        assert!(past("yesterday").is_err());
    }
}
