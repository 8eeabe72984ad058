//! `RateLimit-Policy` and `RateLimit`: lists of structured fields, as the IETF's
//! draft-ietf-httpapi-ratelimit-headers has them.
//!
//! `q` is the limit, `w` its window in seconds where it has one; `r` is what is left, and `t` the
//! seconds until there is more. Of a limit whose meter was not heard yet, only the policy is known.

use crate::json::Object;
use crate::lease::message::{Sort, Standing};
use crate::limits::{Limits, Per};
use crate::throttle::OwnStanding;

/// What pages may read beside what the route exposes to them.
pub const EXPOSED: [&str; 2] = ["ratelimit", "ratelimit-policy"];

/// The name of the limit that a derived key brings along.
pub const OWN: &str = "derived";

/// Both lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    policy: String,
    state: String,
}

/// How one limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// What comes before its name: nothing, or `owner:`.
    pub prefix: &'a str,
    /// Its name: lower-case letters, digits, `-` and `_`, so that it needs no quoting.
    pub name: &'a str,
    /// The limit.
    pub limit: u64,
    /// Its window, if it has one.
    pub window_s: Option<u64>,
    /// What is left, where that is known.
    pub left: Option<u64>,
    /// Seconds until there is more, if there ever is.
    pub more_s: Option<u64>,
}

impl<'a> Item<'a> {
    /// The limit that a derived key brings along.
    #[must_use]
    pub fn own(standing: &OwnStanding) -> Self {
        Self {
            prefix: "",
            name: OWN,
            limit: standing.quantity.calls.get().into(),
            window_s: Some(standing.quantity.window_s.into()),
            left: Some(standing.left.into()),
            more_s: Some(standing.more_s),
        }
    }

    /// A limit as its meter told it, so many milliseconds ago.
    #[must_use]
    pub fn of(prefix: &'a str, standing: &'a Standing, age_ms: u64) -> Self {
        let window_s = match standing.sort {
            Sort::Rate(window_s) => Some(window_s),
            Sort::Quota | Sort::Credits => None,
        };
        let more = standing.reset_ms.map(|reset| reset.saturating_sub(age_ms));
        Self {
            prefix,
            name: &standing.name,
            limit: standing.limit,
            window_s,
            left: Some(standing.free.min(standing.limit)),
            more_s: more.map(|more| more.div_ceil(1000)),
        }
    }

    /// The limits that a meter counts, in its order, as a record has them. It knows of credits what
    /// there was at first.
    pub fn all(limits: &'a Limits) -> impl Iterator<Item = Self> {
        let exact = limits.rate.iter().filter(|rate| rate.per == Per::Key);
        let rates = exact.map(|rate| (&*rate.name, rate.limit, Some(rate.window_s)));
        let quotas = limits.quota.iter();
        let quotas = quotas.map(|quota| (&*quota.name, quota.limit, None));
        let credits = limits.credits.iter();
        let credits = credits.map(|credits| ("credits", credits.balance, None));
        let all = rates.chain(quotas).chain(credits);
        all.map(|(name, limit, window_s)| Self {
            prefix: "",
            name,
            limit,
            window_s,
            left: None,
            more_s: None,
        })
    }
}

impl Fields {
    /// Adds a limit.
    pub fn push(&mut self, item: &Item<'_>) {
        begin(&mut self.policy, item);
        parameter(&mut self.policy, ";q=", item.limit);
        if let Some(window_s) = item.window_s {
            parameter(&mut self.policy, ";w=", window_s);
        }
        let Some(left) = item.left else { return };
        begin(&mut self.state, item);
        parameter(&mut self.state, ";r=", left);
        if let Some(more_s) = item.more_s {
            parameter(&mut self.state, ";t=", more_s);
        }
    }

    /// Whether there is no limit.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.policy.is_empty()
    }

    /// The same as JSON: a list of objects with `name`, `limit`, and where known `window_s`, `left` and
    /// `more_s`.
    #[must_use]
    pub fn list(&self) -> String {
        let mut list = "[".to_owned();
        // Names need no quoting, so that no comma and no semicolon stands within one.
        for member in self.policy.split(", ").filter(|member| !member.is_empty()) {
            let (name, policy) = member.split_once(';').unwrap_or((member, ""));
            let of_limit = |state: &&str| {
                state
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(';'))
            };
            let state = self.state.split(", ").find(of_limit).unwrap_or_default();
            let mut item = Object::default();
            item.raw("name", name);
            for parameter in policy.split(';').chain(state.split(';')) {
                let (short, number) = parameter.split_once('=').unwrap_or_default();
                let long = match short {
                    "q" => "limit",
                    "w" => "window_s",
                    "r" => "left",
                    "t" => "more_s",
                    _ => continue,
                };
                item.raw(long, number);
            }
            if list.len() > 1 {
                list.push(',');
            }
            list.push_str(&item.end());
        }
        list + "]"
    }

    /// The headers, if there is something to say.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let both = [
            ("ratelimit-policy", &self.policy),
            ("ratelimit", &self.state),
        ];
        let said = both.into_iter().filter(|(_, text)| !text.is_empty());
        said.map(|(name, text)| (name, text.clone()))
    }
}

/// What a limit takes in a list at most, beside its name.
const LONGEST: usize = 48;

fn begin(text: &mut String, item: &Item<'_>) {
    text.reserve(item.prefix.len() + item.name.len() + LONGEST);
    if !text.is_empty() {
        text.push_str(", ");
    }
    for part in ["\"", item.prefix, item.name, "\""] {
        text.push_str(part);
    }
}

/// Every answer of a limited key has several, so no formatter is set up for them.
fn parameter(text: &mut String, name: &str, number: u64) {
    text.push_str(name);
    text.push_str(&number.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::ASKS_PER_S;
    use crate::lease::meter::Meter;
    use crate::time::Millis;

    fn standing(name: &str, sort: Sort, free: u64, reset_ms: Option<u64>) -> Standing {
        Standing {
            name: name.to_owned(),
            sort,
            limit: 100,
            free,
            reset_ms,
        }
    }

    #[test]
    fn limits_stand_in_one_list() {
        let mut fields = Fields::default();
        assert!(fields.is_empty() && fields.headers().next().is_none());
        let all = [
            ("", standing("60s", Sort::Rate(60), 40, Some(1_001))),
            ("", standing("month", Sort::Quota, 7, Some(5_000))),
            ("owner:", standing("credits", Sort::Credits, 0, None)),
        ];
        for (prefix, standing) in &all {
            fields.push(&Item::of(prefix, standing, 500));
        }
        let headers: Vec<_> = fields.headers().collect();
        assert_eq!(
            headers,
            [
                (
                    "ratelimit-policy",
                    r#""60s";q=100;w=60, "month";q=100, "owner:credits";q=100"#.to_owned()
                ),
                (
                    "ratelimit",
                    r#""60s";r=40;t=1, "month";r=7;t=5, "owner:credits";r=0"#.to_owned()
                ),
            ]
        );
        assert_eq!(
            fields.list(),
            r#"[{"name":"60s","limit":100,"window_s":60,"left":40,"more_s":1},{"name":"month","limit":100,"left":7,"more_s":5},{"name":"owner:credits","limit":100,"left":0}]"#
        );
        assert_eq!(Fields::default().list(), "[]");
    }

    #[test]
    fn a_record_says_of_its_limits_what_their_meter_would() {
        let limits: Limits = serde_json::from_str(
            r#"{
                "rate": [
                    {"name": "ip-60s", "limit": 2, "window_s": 60, "per": "ip"},
                    {"name": "60s", "limit": 100, "window_s": 60}
                ],
                "quota": [{"name": "month", "limit": 9, "period": "month"}],
                "credits": {"balance": 5}
            }"#,
        )
        .unwrap();
        let policies = |items: &mut dyn Iterator<Item = Item<'_>>| {
            let mut fields = Fields::default();
            items.for_each(|item| fields.push(&item));
            fields
        };
        let of_record = policies(&mut Item::all(&limits));
        let standing = Meter::new(limits.clone(), ASKS_PER_S, Millis(0)).standing(Millis(0));
        let of_meter = policies(&mut standing.iter().map(|one| Item::of("", one, 0)));
        assert_eq!(of_record.policy, of_meter.policy);
        assert_eq!(of_record.policy.matches(";q=").count(), 3);
        assert_eq!(of_record.state, "");
    }

    #[test]
    fn a_time_that_has_passed_is_none_left() {
        let standing = standing("day", Sort::Quota, 1, Some(1_000));
        assert_eq!(Item::of("", &standing, 5_000).more_s, Some(0));
    }
}
