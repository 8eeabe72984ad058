//! What a derived key says of itself: lines of a letter and a value, in the order of the letters.
//!
//! | letter | value | how often |
//! |---|---|---|
//! | `a` | `*`: any website may call; never beside `r` | once |
//! | `i` | an address or network that may call | any |
//! | `l` | `<calls>/<seconds>`: its own rate limit | once |
//! | `n` | valid from here on, in milliseconds UTC | once |
//! | `p` | methods and a path that it may call | any |
//! | `r` | a website that may call | any |
//! | `s` | a scope | any |
//! | `u` | the user that it is for | once |
//! | `x` | valid until just before, in milliseconds UTC | once, always |
//!
//! Rules are written as in a key's fields (DESIGN section 5); public suffixes are asked when a key is
//! minted, and not here. What is not named is as the parent has it; so without `a` and `r` no page may
//! call. Any other line, an order of its own, a line too much: no terms.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::str::FromStr;

use super::LONGEST_LIFE_MS;
use crate::restrict::Restrictions;
use crate::restrict::ip::IpRule;
use crate::restrict::path::PathRule;
use crate::restrict::referrer::ReferrerRule;
use crate::restrict::scope::Scope;
use crate::throttle::Quantity;
use crate::time::Millis;

/// The longest id of a user, in bytes.
pub(super) const LONGEST_USER: usize = 128;

/// So many calls in so many seconds.
pub type Limit = Quantity;

/// What a derived key says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Referrers, addresses, paths and scopes; no apps.
    pub restrictions: Restrictions,
    /// Whom the origin is told that it is for.
    pub user: Option<String>,
    /// Its own rate limit: counted by each isolate for itself, for all keys of its parent and user
    /// together where it has a user.
    pub limit: Option<Limit>,
    /// It is valid from here on.
    pub not_before: Option<Millis>,
    /// It is valid until just before.
    pub expires_at: Millis,
}

impl Terms {
    /// Terms that say nothing but when the key ends.
    #[must_use]
    pub fn until(expires_at: Millis) -> Self {
        Self {
            restrictions: Restrictions::default(),
            user: None,
            limit: None,
            not_before: None,
            expires_at,
        }
    }

    /// Whether web pages may use a key with these terms: no private key is for them.
    #[must_use]
    pub const fn is_for_pages(&self) -> bool {
        self.restrictions.any_referrer || !self.restrictions.referrers.is_empty()
    }

    /// Reads the lines of the module; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut terms = Self::until(Millis(0));
        let mut last = ' ';
        for line in text.split('\n') {
            let letter = line.chars().next()?;
            let once = matches!(letter, 'a' | 'l' | 'n' | 'u' | 'x');
            if letter < last || (once && letter == last) {
                return None;
            }
            last = letter;
            let value = line.get(1..)?;
            let rules = &mut terms.restrictions;
            match letter {
                'a' if value == "*" => rules.any_referrer = true,
                'i' => rules.ips.push(rule::<IpRule>(value)?),
                'l' => terms.limit = Some(limit(value)?),
                'n' => terms.not_before = Some(Millis(number(value)?)),
                'p' => rules.paths.push(rule::<PathRule>(value)?),
                'r' => rules.referrers.push(ReferrerRule::read(value).ok()?),
                's' => rules.scopes.push(rule::<Scope>(value)?),
                'u' => terms.user = Some(value.to_owned()).filter(|user| is_user(user)),
                'x' => terms.expires_at = Millis(number(value)?),
                _ => return None,
            }
            let rules = &terms.restrictions;
            let both = rules.any_referrer && !rules.referrers.is_empty();
            if both || (letter == 'u' && terms.user.is_none()) {
                return None;
            }
        }
        (last == 'x').then_some(terms)
    }

    /// Writes the lines of the module.
    pub(super) fn write(&self) -> String {
        let mut text = String::new();
        let mut line = |letter: char, value: &dyn std::fmt::Display| {
            // To a string nothing fails to be written.
            let _ = writeln!(text, "{letter}{value}");
        };
        let rules = &self.restrictions;
        if rules.any_referrer {
            line('a', &'*');
        }
        rules.ips.iter().for_each(|rule| line('i', rule));
        if let Some(Limit { calls, window_s }) = self.limit {
            line('l', &format_args!("{calls}/{window_s}"));
        }
        if let Some(Millis(start)) = self.not_before {
            line('n', &start);
        }
        rules.paths.iter().for_each(|rule| line('p', rule));
        rules.referrers.iter().for_each(|rule| line('r', rule));
        rules.scopes.iter().for_each(|rule| line('s', rule));
        if let Some(user) = &self.user {
            line('u', user);
        }
        line('x', &self.expires_at.0);
        text.pop();
        text
    }
}

/// Whether a text can be a user's id: not empty, short, and of one line.
pub(super) fn is_user(text: &str) -> bool {
    (1..=LONGEST_USER).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Whether a limit is one: no window is longer than a derived key's life.
pub(super) fn is_limit(limit: Limit) -> bool {
    (1..=LONGEST_LIFE_MS / 1000).contains(&limit.window_s.into())
}

fn rule<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn limit(text: &str) -> Option<Limit> {
    let (calls, window_s) = text.split_once('/')?;
    let limit = Limit {
        calls: NonZeroU32::new(u32::try_from(number(calls)?).ok()?)?,
        window_s: u32::try_from(number(window_s)?).ok()?,
    };
    is_limit(limit).then_some(limit)
}

/// A number without sign and leading zeros.
fn number(text: &str) -> Option<u64> {
    let canonical = text.starts_with(|first| matches!(first, '1'..='9'));
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "i192.0.2.0/24\nl60/30\nn1795262400000\npGET /v1/orders/**\nrhttps://shop.example\nscart:write\nsorders:read\nuuser 7é\nx1795263300000";

    #[test]
    fn what_is_written_is_read() {
        let terms = Terms::parse(FULL).unwrap();
        assert_eq!(terms.write(), FULL);
        assert_eq!(terms.user.as_deref(), Some("user 7é"));
        assert_eq!(terms.restrictions.scopes.len(), 2);
        assert_eq!(Terms::until(Millis(5)).write(), "x5");
        assert!(terms.is_for_pages() && !Terms::until(Millis(5)).is_for_pages());
        let open = Terms::parse("a*\nx5").unwrap();
        assert!(open.is_for_pages() && open.restrictions.referrers.is_empty());
        assert_eq!(open.write(), "a*\nx5");
    }

    #[test]
    fn everything_else_is_no_terms() {
        for text in [
            "",
            "x",
            "x0",
            "x05",
            "x+5",
            "x5 ",
            "x5\n",
            "\nx5",
            "x5\nx6",
            "n4",
            "n4\nn4\nx5",
            "x5\nn4",
            "sa:read",
            "y1\nx5",
            "x5\ny1",
            "X5",
            "a\nx5",
            "a1\nx5",
            "a**\nx5",
            "a*\na*\nx5",
            "x5\na*",
            "a*\nrhttps://shop.example\nx5",
            "r*\nx5",
            "sa\nx5",
            "pGET\nx5",
            "rnull\nx5",
            "i1.2.3\nx5",
            "u\nx5",
            "ua\nub\nx5",
            "ua\u{7f}\nx5",
            "ua\u{9b}\nx5",
            "l0/5\nx5",
            "l5/0\nx5",
            "l5\nx5",
            "l5/86401\nx5",
            "l4294967296/5\nx5",
            "é\nx5",
            "x18446744073709551616",
        ] {
            assert_eq!(Terms::parse(text), None, "{text:?}");
        }
        let long = format!("u{}\nx5", "a".repeat(LONGEST_USER + 1));
        assert_eq!(Terms::parse(&long), None);
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,40}|([ailnprsuxz][0-9a-z/:.* ]{0,8}\n?){0,5}") {
            if let Some(terms) = Terms::parse(&text) {
                proptest::prop_assert_eq!(Terms::parse(&terms.write()), Some(terms));
            }
        }
    }
}
