//! Whether an update only takes away: no call that was refused before it is let through after it.
//! Where that cannot be told from single rules and numbers, it is not so.

use keyward_core::limits::{Credits, Limits, OnMeterError};
use keyward_core::restrict::Restrictions;
use keyward_core::time::Millis;

use super::row::Key;

/// Whether an update of a key takes away, and gives nothing.
pub(super) fn key(before: &Key, after: &Key) -> bool {
    let same = before.restrictions == after.restrictions
        && before.not_before == after.not_before
        && before.expires_at == after.expires_at
        && bare(&before.limits) == bare(&after.limits);
    let later = after.not_before.unwrap_or(Millis(0)) >= before.not_before.unwrap_or(Millis(0));
    let forever = Millis(u64::MAX);
    let sooner = after.expires_at.unwrap_or(forever) <= before.expires_at.unwrap_or(forever);
    !same
        && before.owner == after.owner
        && later
        && sooner
        && (bare(&before.limits) == bare(&after.limits) || limits(&before.limits, &after.limits))
        && restrictions(&before.restrictions, &after.restrictions)
}

/// Whether limits take away, and give nothing.
pub(in crate::registry) fn limits(before: &Limits, after: &Limits) -> bool {
    let allows = after.on_meter_error == OnMeterError::Allow;
    bare(before) != bare(after)
        && (!allows || before.on_meter_error == after.on_meter_error)
        && before.rate.iter().all(|rate| {
            after.rate.iter().any(|other| {
                (&other.name, other.window_s, other.per) == (&rate.name, rate.window_s, rate.per)
                    && other.limit <= rate.limit
            })
        })
        && before.quota.iter().all(|quota| {
            after.quota.iter().any(|other| {
                (&other.name, other.schedule()) == (&quota.name, quota.schedule())
                    && other.limit <= quota.limit
            })
        })
        && credits(before.credits.as_ref(), after.credits.as_ref())
}

/// Without the balance at first, which a later change of it does not change.
fn bare(limits: &Limits) -> Limits {
    let mut bare = limits.clone();
    if let Some(credits) = &mut bare.credits {
        credits.balance = 0;
    }
    bare
}

fn credits(before: Option<&Credits>, after: Option<&Credits>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return before.is_none();
    };
    match (&before.refill, &after.refill) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(before), Some(after)) => {
            before.schedule() == after.schedule() && after.amount <= before.amount
        }
    }
}

fn restrictions(before: &Restrictions, after: &Restrictions) -> bool {
    before.any_referrer == after.any_referrer
        && before.apps == after.apps
        && (before.referrers == after.referrers || fewer(&before.referrers, &after.referrers))
        && (before.scopes == after.scopes || fewer(&before.scopes, &after.scopes))
        && (before.ips.is_empty() || fewer(&before.ips, &after.ips))
        && (before.paths.is_empty() || fewer(&before.paths, &after.paths))
}

/// Whether these are some of those. An empty list may mean any.
fn fewer<T: PartialEq>(before: &[T], after: &[T]) -> bool {
    !after.is_empty() && after.iter().all(|rule| before.contains(rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Limits {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn limits_take_away_when_they_are_more_or_lower_and_no_more_than_that() {
        let rate = |limit| format!(r#"{{"name":"r","limit":{limit},"window_s":60}}"#);
        let of = |rates: &[u64]| {
            let rates: Vec<_> = rates.iter().copied().map(rate).collect();
            read(&format!(r#"{{"rate":[{}]}}"#, rates.join(",")))
        };
        let quota = read(r#"{"quota":[{"name":"day","limit":5,"period":"day"}]}"#);
        let credits = |balance: u64| read(&format!(r#"{{"credits":{{"balance":{balance}}}}}"#));
        let refilled = read(r#"{"credits":{"balance":5,"refill":{"amount":5,"period":"day"}}}"#);
        let allowed = Limits {
            on_meter_error: OnMeterError::Allow,
            ..of(&[5])
        };
        let none = Limits::default();
        for (before, after, expected) in [
            (&none, &of(&[5]), true),
            (&of(&[5]), &of(&[4]), true),
            (&of(&[5]), &of(&[6]), false),
            (&of(&[5]), &of(&[5]), false),
            (&of(&[5]), &none, false),
            (&of(&[5]), &quota, false),
            (&allowed, &of(&[5]), true),
            (&of(&[5]), &allowed, false),
            (&none, &credits(5), true),
            (&credits(5), &credits(4), false),
            (&credits(5), &refilled, false),
            (&refilled, &credits(5), true),
            (&credits(5), &none, false),
        ] {
            assert_eq!(limits(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn rules_take_away_when_they_are_some_of_what_they_were() {
        let read = |text: &str| -> Restrictions { serde_json::from_str(text).unwrap() };
        let none = Restrictions::default();
        let of = |ips: &str| read(&format!(r#"{{"ips":[{ips}]}}"#));
        let (one, other) = (r#""192.0.2.1""#, r#""192.0.2.2""#);
        let both = format!("{one},{other}");
        for (before, after, expected) in [
            (&none, &of(one), true),
            (&of(&both), &of(one), true),
            (&of(one), &of(&both), false),
            (&of(one), &of(other), false),
            (&of(one), &none, false),
            (&none, &read(r#"{"scopes":["a:read"]}"#), false),
        ] {
            assert_eq!(
                restrictions(before, after),
                expected,
                "{before:?} {after:?}"
            );
        }
    }
}
