//! A route's path pattern.
//!
//! As in a key's path rules, `*` is one non-empty segment and `**` may only be last. Unlike
//! there, `**` is *zero* or more segments after its slash: `/openai/**` is everything below
//! `/openai/`, itself included, and not `/openai`.

use crate::restrict::path::{CheckedPath, PathPattern};

use super::finding::{Fault, fault};

/// The pattern of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoutePath(PathPattern);

/// How closely a pattern names a path: first the number of literal segments, then, segment by
/// segment, a literal before `*` before `**`. The greater one wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PathRank {
    literals: usize,
    segments: Vec<SegmentRank>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SegmentRank {
    Rest,
    Any,
    Literal,
}

impl RoutePath {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let pattern = Self(PathPattern::parse(text).map_err(Fault::from)?);
        if pattern.segments().next() == Some("_keyward") {
            return Err(fault("/_keyward/ is the gateway's own", "use another path"));
        }
        Ok(pattern)
    }

    /// Whether the path is among the pattern's.
    #[must_use]
    pub fn matches(&self, path: &CheckedPath<'_>) -> bool {
        self.0.matches_all_below(path)
    }

    /// What every path of the pattern begins with: all of it, or up to the slash before its first
    /// `*`.
    pub(super) fn literal_beginning(&self) -> &str {
        let pattern = self.0.as_str();
        pattern
            .split_once('*')
            .map_or(pattern, |(before, _)| before)
    }

    /// Whether `prefix` consists of this pattern's first segments, all of them literal.
    pub(super) fn begins_with(&self, prefix: &str) -> bool {
        let mut own = self.segments();
        segments(prefix).all(|given| own.next() == Some(given))
    }

    /// Whether some path matches both this route and the path of a key-style rule (whose `**`
    /// needs one segment). A requirement that matches nothing would silently require nothing.
    pub(super) fn meets(&self, rule: &PathPattern) -> bool {
        let mut own = self.segments();
        let mut other = segments(rule.as_str());
        loop {
            match (own.next(), other.next()) {
                (Some("**"), other) => return other.is_some(),
                (Some(own), Some("**")) => return !own.is_empty(),
                (Some("*"), Some(segment)) | (Some(segment), Some("*")) if !segment.is_empty() => {}
                (Some(own), Some(other)) if own == other => {}
                (own, other) => return own == other,
            }
        }
    }

    pub(super) fn rank(&self) -> PathRank {
        let segments: Vec<_> = self
            .segments()
            .map(|segment| match segment {
                "**" => SegmentRank::Rest,
                "*" => SegmentRank::Any,
                _ => SegmentRank::Literal,
            })
            .collect();
        let literals = segments
            .iter()
            .filter(|rank| **rank == SegmentRank::Literal)
            .count();
        PathRank { literals, segments }
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        segments(self.0.as_str())
    }
}

/// The texts after each slash; the empty one after a final slash is a segment too.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').skip(1)
}

/// A path without patterns, in the form in which paths are compared and forwarded.
pub(super) fn literal(text: &str) -> Result<String, Fault> {
    if text.contains('*') {
        return Err(fault(
            "there is no `*` in this path",
            "write %2A for a literal asterisk",
        ));
    }
    PathPattern::parse(text)
        .map(|path| path.to_string())
        .map_err(Fault::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        RoutePath::parse(pattern)
            .unwrap()
            .matches(&CheckedPath::parse(path).unwrap())
    }

    #[test]
    fn patterns_match_whole_segments() {
        for (pattern, path, expected) in [
            ("/**", "/", true),
            ("/**", "/a", true),
            ("/**", "/a/b/", true),
            ("/openai/**", "/openai/", true),
            ("/openai/**", "/openai/v1/chat", true),
            ("/openai/**", "/openai", false),
            ("/openai/**", "/openaix/v1", false),
            ("/openai", "/openai", true),
            ("/openai", "/openai/", false),
            ("/openai/", "/openai/", true),
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c", "/a/c", false),
            ("/a/*", "/a/", false),
            ("/a/*/**", "/a/b/", true),
            ("/a/*/**", "/a/b", false),
            ("/", "/", true),
            ("/", "/a", false),
            ("/A", "/a", false),
            ("/%61", "/a", true),
            ("/caf%c3%a9", "/caf%C3%A9", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "", "a", "**", "/a*", "/**/b", "/a/../b", "/a//b", "/a?b", "/a#b", "/a;b", "/a%2Fb",
            "/a b", "/***", "/%zz",
        ] {
            assert!(RoutePath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_outside_the_route_meets_nothing() {
        for (route, rule, meets) in [
            ("/openai/**", "/openai/v1/**", true),
            ("/openai/**", "/openai/", true),
            ("/openai/**", "/openai", false),
            ("/openai/**", "/v1/chat", false),
            ("/**", "/a/b", true),
            ("/a", "/*", true),
            ("/a/", "/a/*", false),
            ("/a/", "/a/**", false),
            ("/a/b", "/a/**", true),
            ("/a/*", "/a/b/c", false),
            ("/a/*/c", "/a/**", true),
        ] {
            assert_eq!(
                RoutePath::parse(route)
                    .unwrap()
                    .meets(&PathPattern::parse(rule).unwrap()),
                meets,
                "{route} {rule}"
            );
        }
    }
}
