//! What a derived key's terms allow, beside its parent.

use super::{CLOCKS_MS, LONGEST_LIFE_MS, Terms};
use crate::refusal::Refusal;
use crate::restrict::Restrictions;
use crate::time::Millis;

impl Terms {
    /// Whether they hold now.
    ///
    /// # Errors
    /// [`Refusal::KeyExpired`], [`Refusal::KeyNotYetValid`]; [`Refusal::WiderThanParent`] of a key
    /// that ends further ahead than any may, but for a minute by which clocks differ.
    pub fn hold(&self, now: Millis) -> Result<(), Refusal> {
        if now >= self.expires_at {
            return Err(Refusal::KeyExpired);
        }
        if self.expires_at.since(now) > LONGEST_LIFE_MS + CLOCKS_MS {
            return Err(Refusal::WiderThanParent);
        }
        if self.not_before.is_some_and(|start| now < start) {
            return Err(Refusal::KeyNotYetValid);
        }
        Ok(())
    }

    /// Whether they name nothing that the parent has not: each scope is granted by one of the
    /// parent's, and where the parent is restricted to addresses or paths, each rule lies within
    /// one of its rules.
    #[must_use]
    pub fn within(&self, parent: &Restrictions) -> bool {
        let own = &self.restrictions;
        let scopes = own
            .scopes
            .iter()
            .all(|scope| parent.scopes.iter().any(|held| held.grants(scope)));
        let ips = own
            .ips
            .iter()
            .all(|rule| parent.ips.is_empty() || parent.ips.iter().any(|of| of.covers(rule)));
        let paths = own
            .paths
            .iter()
            .all(|rule| parent.paths.is_empty() || parent.paths.iter().any(|of| of.contains(rule)));
        scopes && ips && paths
    }

    /// The scopes that a key with these terms has.
    #[must_use]
    pub fn scopes<'a>(&'a self, parent: &'a Restrictions) -> &'a Restrictions {
        if self.restrictions.scopes.is_empty() {
            parent
        } else {
            &self.restrictions
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Restrictions {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_edges_of_time_are_exact() {
        let end = Millis(200_000_000);
        let terms = Terms {
            not_before: Some(Millis(199_999_000)),
            ..Terms::until(end)
        };
        let longest = LONGEST_LIFE_MS + CLOCKS_MS;
        for (now, expected) in [
            (end.0 - longest - 1, Err(Refusal::WiderThanParent)),
            (end.0 - longest, Err(Refusal::KeyNotYetValid)),
            (199_998_999, Err(Refusal::KeyNotYetValid)),
            (199_999_000, Ok(())),
            (end.0 - 1, Ok(())),
            (end.0, Err(Refusal::KeyExpired)),
            (u64::MAX, Err(Refusal::KeyExpired)),
        ] {
            assert_eq!(terms.hold(Millis(now)), expected, "{now}");
        }
        assert_eq!(Terms::until(end).hold(Millis(end.0 - longest)), Ok(()));
    }

    #[test]
    fn each_rule_lies_within_one_of_the_parent() {
        let none = "{}";
        for (own, parent, expected) in [
            (none, none, true),
            (
                none,
                r#"{"scopes":["a:read"],"ips":["192.0.2.0/24"]}"#,
                true,
            ),
            (
                r#"{"scopes":["orders:read"]}"#,
                r#"{"scopes":["orders:*"]}"#,
                true,
            ),
            (
                r#"{"scopes":["orders:*"]}"#,
                r#"{"scopes":["orders:read"]}"#,
                false,
            ),
            (r#"{"scopes":["orders:read"]}"#, none, false),
            (
                r#"{"scopes":["a:read","b:read"]}"#,
                r#"{"scopes":["a:read"]}"#,
                false,
            ),
            (r#"{"ips":["192.0.2.7"]}"#, none, true),
            (
                r#"{"ips":["192.0.2.7"]}"#,
                r#"{"ips":["192.0.2.0/24"]}"#,
                true,
            ),
            (
                r#"{"ips":["192.0.0.0/16"]}"#,
                r#"{"ips":["192.0.2.0/24"]}"#,
                false,
            ),
            (r#"{"paths":["GET /a"]}"#, none, true),
            (
                r#"{"paths":["GET /a/b"]}"#,
                r#"{"paths":["GET,POST /a/**"]}"#,
                true,
            ),
            (
                r#"{"paths":["DELETE /a/b"]}"#,
                r#"{"paths":["GET,POST /a/**"]}"#,
                false,
            ),
            (
                r#"{"paths":["GET /**"]}"#,
                r#"{"paths":["GET /a/**"]}"#,
                false,
            ),
            (
                r#"{"referrers":["https://a.example"]}"#,
                r#"{"paths":["GET /a/**"]}"#,
                true,
            ),
        ] {
            let terms = Terms {
                restrictions: read(own),
                ..Terms::until(Millis(1))
            };
            assert_eq!(terms.within(&read(parent)), expected, "{own} in {parent}");
        }
    }
}
