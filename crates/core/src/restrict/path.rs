//! Path rules: which methods and paths a key may call.
//!
//! A request's path is read once, into a [`CheckedPath`], and that is what rules are compared
//! with and what is forwarded: matching one spelling and forwarding another is how other gateways
//! were passed (Envoy CVE-2019-9901, Kong CVE-2021-27306, Istio CVE-2021-31920). A path that two
//! readers could understand differently is refused, not repaired.

mod checked;
pub(super) mod encoding;
mod lenient;
mod pattern;
mod rule;

pub use self::checked::{CheckedPath, PathError};
pub use self::pattern::PathPattern;
pub use self::rule::PathRule;
