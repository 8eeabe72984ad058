//! Where a request may carry its key.

use super::finding::{Fault, fault};
use super::header;

/// One place of a route's `key_in`. Places that are not named are not credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `Authorization: Bearer …` (RFC 6750 section 2.1).
    Bearer,
    /// A header of its own, in lower case.
    Header(String),
    /// A query parameter; for public keys only.
    Query(String),
}

impl Place {
    /// Bearer and `X-API-Key`.
    pub(crate) fn defaults() -> Vec<Self> {
        vec![Self::Bearer, Self::Header("x-api-key".to_owned())]
    }

    /// `bearer`, `header:<name>` or `query:<name>`.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        if text == "bearer" {
            return Ok(Self::Bearer);
        }
        match text.split_once(':') {
            Some(("header", name)) => match header::carrier(name)?.as_str() {
                "authorization" => Err(fault(
                    "a key in Authorization stands behind `Bearer`",
                    "write \"bearer\"",
                )),
                "cookie" => Err(fault(
                    "a key is never read from a cookie",
                    "use \"bearer\" or a header of its own",
                )),
                name => Ok(Self::Header(name.to_owned())),
            },
            Some(("query", name)) => header::parameter(name).map(Self::Query),
            _ => Err(fault(
                format!("`{text}` is not a place for a key"),
                "use \"bearer\", \"header:<name>\" or \"query:<name>\"",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_written_and_others_refused() {
        assert_eq!(Place::parse("bearer").unwrap(), Place::Bearer);
        assert_eq!(
            Place::parse("header:X-Key").unwrap(),
            Place::Header("x-key".to_owned())
        );
        assert_eq!(
            Place::parse("query:key").unwrap(),
            Place::Query("key".to_owned())
        );
        for text in [
            "",
            "Bearer",
            "cookie:key",
            "header:",
            "header:cookie",
            "header:authorization",
            "query:",
            "query:a=b",
            "body",
        ] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
