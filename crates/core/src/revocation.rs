//! Why something is revoked: the words of RFC 5280, section 5.3.1, that fit a key.

use serde::{Deserialize, Serialize};

/// The longest note on a revocation, in characters.
pub const LONGEST_NOTE: usize = 200;

/// A reason for a revocation. Left out of RFC 5280's list are those about certificate
/// authorities, and `certificateHold`, which is what disabling is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// None is given.
    #[default]
    Unspecified,
    /// Somebody else has, or may have, the secret.
    KeyCompromise,
    /// The owner is another one now.
    AffiliationChanged,
    /// Another key or secret stands in its place.
    Superseded,
    /// It is not needed any more.
    CessationOfOperation,
    /// The owner may not do this any more.
    PrivilegeWithdrawn,
}

impl Reason {
    /// Every reason, by its word.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("unspecified", Self::Unspecified),
        ("keyCompromise", Self::KeyCompromise),
        ("affiliationChanged", Self::AffiliationChanged),
        ("superseded", Self::Superseded),
        ("cessationOfOperation", Self::CessationOfOperation),
        ("privilegeWithdrawn", Self::PrivilegeWithdrawn),
    ];

    /// The reason that a word stands for, exactly as RFC 5280 writes it.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(own, _)| *own == word)
            .map(|(_, reason)| *reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_json_are_the_same() {
        for (word, reason) in Reason::ALL {
            assert_eq!(Reason::from_word(word), Some(*reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), *word);
        }
        for word in ["", "KeyCompromise", "key_compromise", "cACompromise"] {
            assert_eq!(Reason::from_word(word), None, "{word}");
        }
    }
}
