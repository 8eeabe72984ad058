//! The part of a path rule after its methods; routes use it for their own paths.

use std::fmt;
use std::str::FromStr;

use super::{CheckedPath, PathError};
use crate::restrict::RuleError;

/// A path in which `*` stands for one non-empty segment, and `**`, only last, for one or more of
/// which the first is not empty. A slash at the end is legal and distinct.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern(String);

impl PathPattern {
    /// Reads a pattern; its literal segments are held to the same form as the paths of requests.
    ///
    /// # Errors
    /// What is wrong with the pattern and what to write instead.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        if text.contains('?') {
            return Err(RuleError(
                "a path rule says nothing about the query: leave out ? and what follows it",
            ));
        }
        if text.contains(['{', '}']) {
            return Err(RuleError(
                "a path rule has no named parameters: write * for one segment",
            ));
        }
        let path = CheckedPath::parse(text).map_err(explain)?;
        let mut segments = path.as_str().split('/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            match segment {
                "*" => {}
                "**" if segments.peek().is_none() => {}
                "**" => {
                    return Err(RuleError(
                        "** stands only at the end of a path: write * for a segment before it",
                    ));
                }
                _ if segment.contains('*') => {
                    return Err(RuleError(
                        "* stands for a whole segment: write /files/*, not /files/a*",
                    ));
                }
                _ => {}
            }
        }
        Ok(Self(path.as_str().to_owned()))
    }

    /// Whether a path matches, segment by segment and case-sensitively. Never allocates.
    #[must_use]
    pub fn matches(&self, path: &CheckedPath<'_>) -> bool {
        self.walk(path, |first| !first.is_empty())
    }

    /// As [`matches`](Self::matches), but `**` stands for anything after its slash, also nothing:
    /// `/**` is every path. That is what `**` means in the path of a route.
    #[must_use]
    pub fn matches_all_below(&self, path: &CheckedPath<'_>) -> bool {
        self.walk(path, |_| true)
    }

    /// Whether every path that matches `narrower` matches this.
    #[must_use]
    pub fn contains(&self, narrower: &Self) -> bool {
        let mut wanted = self.0.split('/');
        let mut given = narrower.0.split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some("**"), Some(first)) => return !first.is_empty(),
                (Some(_) | None, Some("**")) => return false,
                (Some("*"), Some(segment)) if !segment.is_empty() => {}
                (Some(wanted), Some(given)) if wanted == given => {}
                _ => return false,
            }
        }
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn walk(&self, path: &CheckedPath<'_>, rest_from: impl Fn(&str) -> bool) -> bool {
        let mut wanted = self.0.split('/');
        let mut given = path.as_str().split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some("**"), Some(first)) => return rest_from(first),
                (Some("*"), Some(segment)) if !segment.is_empty() => {}
                (Some(wanted), Some(given)) if wanted == given => {}
                _ => return false,
            }
        }
    }
}

fn explain(error: PathError) -> RuleError {
    RuleError(match error {
        PathError::Start => "a path begins with exactly one slash: write /v1/users",
        PathError::Fragment => "a path has no fragment: write %23 for the character #",
        PathError::Backslash => "a path with a backslash is refused on every request: leave it out",
        PathError::EncodedSlash => {
            "a path with an encoded slash is refused on every request: write / between segments"
        }
        PathError::Semicolon => "a path with a semicolon is refused on every request: leave it out",
        PathError::Blank => {
            "blanks and control characters are refused: write %20 for a blank inside a segment"
        }
        PathError::Encoding => {
            "a percent sign needs two hexadecimal digits: write %25 for the character %"
        }
        PathError::NotUtf8 => "the percent-encoded bytes are not UTF-8",
        PathError::EncodedTwice => "the path is percent-encoded twice: encode it once",
        PathError::EmptySegment => {
            "a path with empty segments is refused on every request: write one slash"
        }
        PathError::DotSegment => {
            "a path with dot segments is refused on every request: write the path that they lead to"
        }
    })
}

impl FromStr for PathPattern {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::parse(text)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

serde_as_text!(PathPattern);
