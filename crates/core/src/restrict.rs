//! Restrictions of a key: restrictions of one type are alternatives, of different types all
//! required.
//!
//! Every rule is a type of its own that can only be made by parsing: what cannot be checked
//! without doubt is refused when it is written, and so never has to be judged on a request.

/// Writes a rule as its canonical text and reads it back through its parser.
macro_rules! serde_as_text {
    ($rule:ty) => {
        impl serde::Serialize for $rule {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $rule {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub mod app;
pub mod host;
pub mod ip;
pub mod path;
pub mod referrer;
pub mod scope;
pub mod suffix;

use serde::{Deserialize, Serialize};

use self::app::Apps;
use self::ip::IpRule;
use self::path::PathRule;
use self::referrer::ReferrerRule;
use self::scope::Scope;

/// Why a rule is refused when it is written. The text says what is wrong and what to write
/// instead, and repeats nothing of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(pub &'static str);

/// All restrictions of a key, in decided form. Empty means unrestricted in that type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Restrictions {
    /// Websites that may use the key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub referrers: Vec<ReferrerRule>,
    /// An explicit "any website".
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub any_referrer: bool,
    /// Client addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<IpRule>,
    /// Mobile apps.
    #[serde(skip_serializing_if = "Apps::is_empty")]
    pub apps: Apps,
    /// Methods and paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathRule>,
    /// What the key may do; routes name what they require.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
}

impl Restrictions {
    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        let Self {
            referrers,
            any_referrer: _,
            ips,
            apps: Apps { android, ios },
            paths,
            scopes,
        } = self;
        referrers.len() + ips.len() + android.len() + ios.len() + paths.len() + scopes.len()
    }
}
