//! Cursors: where a page ended, and the next one begins.

use keyward_core::names;

/// A position has at most so many digits; longer ones are not exact in the registries.
const MOST_DIGITS: usize = 15;

/// Where a page over several projects begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountCursor {
    /// Only projects that are older than this position among the projects; none: from the newest.
    pub projects: Option<u64>,
    /// In the first of them, when it is this one, only keys older than the position.
    pub within: Option<(String, u64)>,
}

impl AccountCursor {
    /// Reads what [`Self::write`] wrote; nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (projects, within) = match text.split_once('.') {
            Some((projects, within)) => (projects, Some(within)),
            None => (text, None),
        };
        let projects = if projects == "p" {
            None
        } else {
            Some(position(projects)?)
        };
        let within = match within {
            Some(within) => {
                let (project, key) = within.split_once('.')?;
                let project = is_like_project(project).then_some(project)?;
                Some((project.to_owned(), position(key)?))
            }
            None => None,
        };
        Some(Self { projects, within })
    }

    /// As it stands in `next_cursor`.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = match self.projects {
            Some(position) => cursor_at(position),
            None => "p".to_owned(),
        };
        if let Some((project, key)) = &self.within {
            text.push('.');
            text.push_str(project);
            text.push('.');
            text.push_str(&cursor_at(*key));
        }
        text
    }
}

/// The cursor that stands for a position.
#[must_use]
pub fn cursor_at(position: u64) -> String {
    format!("p{position}")
}

/// The position that a cursor stands for.
pub(crate) fn position(cursor: &str) -> Option<u64> {
    let digits = cursor
        .strip_prefix('p')
        .filter(|digits| is_digits(digits))?;
    // As `cursor_at` writes it: one position has one cursor.
    let canonical = digits == "0" || !digits.starts_with('0');
    (canonical && digits.len() <= MOST_DIGITS)
        .then(|| digits.parse().ok())
        .flatten()
}

/// Whether a text could name a project. Some that are no project's id pass, and then name none: so
/// this is what a regular expression can say.
fn is_like_project(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=names::LONGEST_PROJECT_ID).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether a text is of decimal digits, and of nothing else.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::ACCOUNT_CURSOR;

    #[test]
    fn account_cursors_read_what_they_write() {
        for text in ["p", "p7", "p.acme.p3", "p7.a-b.p0"] {
            assert_eq!(AccountCursor::parse(text).unwrap().write(), text);
            assert!(ACCOUNT_CURSOR.values.allow(text));
        }
        for text in [
            "",
            ".",
            "p.",
            "p.acme",
            "p7.acme.3",
            "p7.A.p3",
            "p7.a.p3.p4",
            "7",
            "px.a.p1",
            "p07",
            "p7.a.p03",
        ] {
            assert_eq!(AccountCursor::parse(text), None, "{text}");
        }
        let of_project = |length| format!("p7.{}.p3", "a".repeat(length));
        assert!(AccountCursor::parse(&of_project(40)).is_some());
        assert_eq!(AccountCursor::parse(&of_project(41)), None);
    }

    #[test]
    fn a_position_has_one_cursor() {
        for position_of in [0, 7, 999_999_999_999_999] {
            assert_eq!(position(&cursor_at(position_of)), Some(position_of));
        }
        for text in ["p", "p00", "p07", "p1000000000000000", "p-1", "P7", "7"] {
            assert_eq!(position(text), None, "{text}");
        }
    }
}
