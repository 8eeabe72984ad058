//! iOS apps: a bundle identifier.

use std::fmt;
use std::str::FromStr;

use super::LONGEST_NAME;
use crate::restrict::RuleError;

/// The identifier of an iOS app, `com.example.App`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BundleId(String);

impl FromStr for BundleId {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let is_segment = |segment: &str| {
            !segment.is_empty()
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if text.len() > LONGEST_NAME || !text.split('.').all(is_segment) {
            return Err(RuleError(
                "this is no iOS bundle identifier: write com.example.App",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

serde_as_text!(BundleId);

impl PartialEq<str> for BundleId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}
