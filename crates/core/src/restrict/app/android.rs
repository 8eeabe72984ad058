//! Android apps: a package name and the fingerprint of who signed it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::LONGEST_NAME;
use crate::restrict::RuleError;

/// An Android app: its package, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawAndroidApp")]
pub struct AndroidApp {
    pub(super) package: String,
    pub(super) sha1: CertificateSha1,
}

impl AndroidApp {
    /// From a package name and the SHA-1 fingerprint of the signing certificate.
    ///
    /// # Errors
    /// Which of the two is not valid, and what to write instead.
    pub fn new(package: &str, sha1: &str) -> Result<Self, RuleError> {
        let is_segment = |segment: &str| {
            segment.starts_with(|first: char| first.is_ascii_alphabetic())
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if package.len() > LONGEST_NAME
            || !package.contains('.')
            || !package.split('.').all(is_segment)
        {
            return Err(RuleError(
                "this is no Android package name: write com.example.app",
            ));
        }
        Ok(Self {
            package: package.to_owned(),
            sha1: sha1.parse()?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAndroidApp {
    package: String,
    sha1: String,
}

impl TryFrom<RawAndroidApp> for AndroidApp {
    type Error = RuleError;

    fn try_from(raw: RawAndroidApp) -> Result<Self, RuleError> {
        Self::new(&raw.package, &raw.sha1)
    }
}

/// The SHA-1 fingerprint of a signing certificate: 40 hexadecimal digits in any case, as the
/// libraries send them, or pairs of them with colons, as `keytool` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertificateSha1([u8; 20]);

impl FromStr for CertificateSha1 {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let wrong = RuleError(
            "a certificate's SHA-1 has 20 bytes in hexadecimal: write DA:39:A3:… or da39a3…",
        );
        let colons = match text.len() {
            40 => false,
            59 => true,
            _ => return Err(wrong),
        };
        let mut bytes = [0; 20];
        let mut characters = text.chars();
        for (position, byte) in bytes.iter_mut().enumerate() {
            if colons && position > 0 && characters.next() != Some(':') {
                return Err(wrong);
            }
            for _ in 0..2 {
                let digit = characters
                    .next()
                    .and_then(|c| c.to_digit(16))
                    .ok_or(wrong)?;
                *byte = *byte << 4 | u8::try_from(digit).map_err(|_| wrong)?;
            }
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for CertificateSha1 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.0.iter().enumerate() {
            write!(
                formatter,
                "{}{byte:02X}",
                if position > 0 { ":" } else { "" }
            )?;
        }
        Ok(())
    }
}

serde_as_text!(CertificateSha1);
