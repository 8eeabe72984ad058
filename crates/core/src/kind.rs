//! What a key is for.

use serde::{Deserialize, Serialize};

/// The kind of a key. The record decides it; the prefix of the secret must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// May be visible in a page; must carry a restriction. Prefix `pk`.
    Public,
    /// For servers only. Prefix `sk`.
    Private,
    /// Calls the management API. Prefix `mk`.
    Management,
    /// Minted offline from a private key, short-lived and narrower. Prefix `dk`.
    Derived,
}

impl Kind {
    /// The two letters in a secret that stand for this kind.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Public => "pk",
            Self::Private => "sk",
            Self::Management => "mk",
            Self::Derived => "dk",
        }
    }

    /// The kind that a secret's two letters stand for.
    #[must_use]
    pub fn from_prefix(prefix: &str) -> Option<Self> {
        Some(match prefix {
            "pk" => Self::Public,
            "sk" => Self::Private,
            "mk" => Self::Management,
            "dk" => Self::Derived,
            _ => return None,
        })
    }

    /// Whether keys of this kind are used by pages: what browsers keep for themselves is then kept
    /// from the origin, and pages may read the answers.
    #[must_use]
    pub const fn is_for_pages(self) -> bool {
        matches!(self, Self::Public | Self::Derived)
    }

    /// The word used in the API, in configuration and in `Keyward-Kind`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Management => "management",
            Self::Derived => "derived",
        }
    }
}
