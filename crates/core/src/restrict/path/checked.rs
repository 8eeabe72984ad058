//! The path of a request, read so that nobody behind the gateway can read it differently.
//!
//! A path is refused when it
//! 1. does not begin with exactly one slash (another form of target, or another authority),
//! 2. has a fragment, a backslash, a `;`, a blank or a control character, raw or encoded, or an
//!    encoded slash (`%20` between other characters of a segment is fine),
//! 3. has a percent sign without two hexadecimal digits, or encoded bytes that are not UTF-8,
//! 4. is encoded twice: a `%25` before two hexadecimal digits,
//! 5. has an empty segment other than the last, or a dot segment, also with blanks around the dots.
//!
//! What remains is brought into one form (RFC 3986 section 6.2.2): unreserved characters are
//! decoded, hexadecimal digits are upper case, and what the URL standard would encode in a path
//! is encoded. Parsing that form again by the URL standard changes nothing.

use std::borrow::Cow;

use super::encoding::{hex_pair, is_plain, push_encoded, push_raw};
use super::lenient::resolve;

/// A path that can be read in one way only, in canonical form and without its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedPath<'a>(Cow<'a, str>);

/// Why a path can be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not the origin form of a target, or one that could name another host.
    #[error("the path must begin with exactly one slash")]
    Start,
    /// A `#`, which no client sends.
    #[error("the path must not have a fragment; write # as %23")]
    Fragment,
    /// `\` or `%5C`: a slash to some readers.
    #[error("the path must not have a backslash, raw or encoded")]
    Backslash,
    /// `%2F`: a slash to readers that decode first.
    #[error("the path must not have an encoded slash")]
    EncodedSlash,
    /// `;` or `%3B`: readers of path parameters cut it off.
    #[error("the path must not have a semicolon, raw or encoded")]
    Semicolon,
    /// A blank that some reader trims, or a control character that ends a string.
    #[error("the path must not have control characters, or blanks other than %20 inside a segment")]
    Blank,
    /// A `%` without two hexadecimal digits.
    #[error("the path has a percent sign without two hexadecimal digits; write % as %25")]
    Encoding,
    /// Overlong forms, surrogates and other bytes.
    #[error("the path has percent-encoded bytes that are not UTF-8")]
    NotUtf8,
    /// `%25` before two hexadecimal digits.
    #[error("the path is percent-encoded twice")]
    EncodedTwice,
    /// `//`.
    #[error("the path must not have empty segments")]
    EmptySegment,
    /// `.` or `..`.
    #[error("the path must not have dot segments")]
    DotSegment,
}

impl<'a> CheckedPath<'a> {
    /// Checks the path of a request's target as it was sent; a query is cut off unread.
    /// Allocates only if the canonical form is another text.
    ///
    /// # Errors
    /// The first way found in which the path is ambiguous.
    pub fn parse(target: &'a str) -> Result<Self, PathError> {
        let (path, rest) = target
            .split_at_checked(end_of_path(target))
            .unwrap_or((target, ""));
        if rest.contains('#') {
            return Err(PathError::Fragment);
        }
        if !path.starts_with('/') {
            return Err(PathError::Start);
        }
        if let Some(segments) = plain(path) {
            if segments == Segments::Unsure {
                check_segments(path)?;
            }
            return Ok(Self(Cow::Borrowed(path)));
        }
        let (canonical, decoded) = read(path)?;
        check_text(&decoded)?;
        check_segments(&decoded)?;
        Ok(Self(Cow::Owned(canonical)))
    }

    /// For routes that opt out of the check: refuses nothing. What is ambiguous is read as the URL
    /// standard reads it (backslashes are slashes, dot segments are resolved), because the
    /// runtime would do that when forwarding, and what is matched must be what is forwarded.
    #[must_use]
    pub fn unchecked(target: &'a str) -> Self {
        Self::parse(target).unwrap_or_else(|_| Self(Cow::Owned(resolve(target))))
    }

    /// Whether the canonical path is the one that was sent, to the letter.
    #[must_use]
    pub const fn is_as_sent(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_))
    }

    /// The canonical path: begins with a slash, has no query, is ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where the query or the fragment begins.
pub(super) fn end_of_path(target: &str) -> usize {
    memchr::memchr2(b'?', b'#', target.as_bytes()).unwrap_or(target.len())
}

/// What one look at a path tells of its segments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Segments {
    /// None is empty, unless it is the last, or begins with a dot.
    Fine,
    Unsure,
}

/// Looks at a path of bytes that all stand for themselves; `None` when some do not.
fn plain(path: &str) -> Option<Segments> {
    let mut segments = Segments::Fine;
    let mut before = 0;
    for byte in path.bytes() {
        if !is_plain(byte) {
            return None;
        }
        if before == b'/' && matches!(byte, b'/' | b'.') {
            segments = Segments::Unsure;
        }
        before = byte;
    }
    Some(segments)
}

/// The canonical form of a path, and its text with every percent-encoding decoded.
fn read(path: &str) -> Result<(String, String), PathError> {
    let mut canonical = String::with_capacity(path.len().saturating_add(16));
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let value = match byte {
            b'%' => hex_pair(bytes.next(), bytes.next()).ok_or(PathError::Encoding)?,
            b' ' => return Err(PathError::Blank),
            _ => byte,
        };
        match value {
            b'/' if byte == b'%' => return Err(PathError::EncodedSlash),
            b'\\' => return Err(PathError::Backslash),
            b';' => return Err(PathError::Semicolon),
            _ if byte == b'%' => push_encoded(&mut canonical, value),
            _ => push_raw(&mut canonical, value),
        }
        decoded.push(value);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| PathError::NotUtf8)?;
    Ok((canonical, decoded))
}

/// Judges decoded text, in which only an encoded `%` can have left a `%`.
fn check_text(decoded: &str) -> Result<(), PathError> {
    if decoded
        .chars()
        .any(|c| c.is_control() || (c.is_whitespace() && c != ' '))
    {
        return Err(PathError::Blank);
    }
    let mut after_percent = decoded.split('%').skip(1);
    if after_percent.any(|rest| {
        let mut bytes = rest.bytes();
        hex_pair(bytes.next(), bytes.next()).is_some()
    }) {
        return Err(PathError::EncodedTwice);
    }
    Ok(())
}

fn check_segments(decoded: &str) -> Result<(), PathError> {
    let mut segments = decoded.split('/').skip(1).peekable();
    let mut first = true;
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            // `//host/path` is an authority to whoever joins it to a scheme.
            return Err(if first {
                PathError::Start
            } else {
                PathError::EmptySegment
            });
        }
        if is_dot_segment(segment) {
            return Err(PathError::DotSegment);
        }
        if segment.starts_with(' ') || segment.ends_with(' ') {
            return Err(PathError::Blank);
        }
        first = false;
    }
    Ok(())
}

/// File systems that drop blanks and dots at the end of a name see `.. ` and `. .` as `..`.
fn is_dot_segment(segment: &str) -> bool {
    matches!(segment, "." | "..")
        || (segment.contains('.')
            && segment.contains(' ')
            && segment.bytes().all(|b| matches!(b, b'.' | b' ')))
}
