//! The headers of a request that say what it is meant for and how its body is to be read.

/// The most characters of an `Idempotency-Key`.
pub const LONGEST_IDEMPOTENCY_KEY: usize = 255;
/// Numbers beyond this are not exact in the registries.
const MOST: u64 = 1 << 53;

/// What an `If-Match` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// `*`: any version.
    Any,
    /// The version that is current only if it is this one.
    Version(u64),
}

impl Match {
    /// Reads the header's value: `*`, or one strong `ETag` of an earlier answer. None for anything
    /// else: a weak one never matches (RFC 9110 section 13.1.1), and a list would say that the
    /// caller does not know what it has read.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let value = value.trim_matches([' ', '\t']);
        if value == "*" {
            return Some(Self::Any);
        }
        let digits = value.strip_prefix('"')?.strip_suffix('"')?;
        let canonical = digits == "0" || !digits.starts_with('0');
        let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let version = (canonical && decimal).then(|| digits.parse().ok())??;
        (version < MOST).then_some(Self::Version(version))
    }

    /// The version that it names.
    #[must_use]
    pub const fn version(self) -> Option<u64> {
        match self {
            Self::Any => None,
            Self::Version(version) => Some(version),
        }
    }
}

/// The value of an `ETag`.
#[must_use]
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// Whether the text can be an `Idempotency-Key`: 1 to 255 visible ASCII characters.
#[must_use]
pub fn is_idempotency_key(text: &str) -> bool {
    (1..=LONGEST_IDEMPOTENCY_KEY).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A media type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json`.
    Json,
    /// `application/merge-patch+json`, or `application/json`.
    MergePatch,
    /// `application/x-ndjson`.
    Lines,
}

impl Media {
    /// Its names; the first is the one that is described.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Json => &["application/json"],
            Self::MergePatch => &["application/merge-patch+json", "application/json"],
            Self::Lines => &["application/x-ndjson"],
        }
    }

    /// Whether a `Content-Type` is one of them, with no parameter but `charset=utf-8` (RFC 8259
    /// section 8.1).
    #[must_use]
    pub fn is_named_by(self, content_type: &str) -> bool {
        let (media_type, parameter) = content_type.split_once(';').unwrap_or((content_type, ""));
        let parameter = parameter.trim().replace('"', "");
        self.names()
            .iter()
            .any(|name| media_type.trim().eq_ignore_ascii_case(name))
            && (parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_strong_tag() {
        assert_eq!(Match::parse("*"), Some(Match::Any));
        assert_eq!(Match::parse(" \"12\" "), Some(Match::Version(12)));
        assert_eq!(Match::parse(&etag(0)), Some(Match::Version(0)));
        for text in [
            "",
            "12",
            "\"\"",
            "\"a\"",
            "W/\"1\"",
            "\"1\", \"2\"",
            "\"01\"",
            "\"+1\"",
            "\"9007199254740992\"",
            "\"99999999999999999999\"",
            "\"",
            "**",
        ] {
            assert_eq!(Match::parse(text), None, "{text}");
        }
    }

    #[test]
    fn idempotency_keys_are_visible_and_short() {
        for text in ["a", "\"8e03978e-40d5\"", &"x".repeat(255)] {
            assert!(is_idempotency_key(text), "{text}");
        }
        for text in ["", "a b", "é", "a\tb", &"x".repeat(256)] {
            assert!(!is_idempotency_key(text), "{text}");
        }
    }

    #[test]
    fn json_is_told_by_its_media_type() {
        for text in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(Media::Json.is_named_by(text), "{text}");
            assert!(Media::MergePatch.is_named_by(text), "{text}");
        }
        for text in [
            "",
            "text/plain",
            "application/json-seq",
            "application/json; charset=latin1",
            "application/merge-patch+json",
            "json",
        ] {
            assert!(!Media::Json.is_named_by(text), "{text}");
        }
        assert!(Media::MergePatch.is_named_by("application/merge-patch+json"));
        assert!(Media::Lines.is_named_by("application/x-ndjson"));
        assert!(!Media::Lines.is_named_by("application/json"));
    }
}
