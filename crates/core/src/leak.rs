//! Secrets where they must not be: found in any text, or reported by who found them.

mod scanner;
pub mod signature;

pub use self::scanner::Scanner;

/// Keyward's own secrets, as a regular expression that scanners are given. A checksum follows from
/// nothing that is public: that a match is a secret of some deployment, only that deployment knows.
pub const PATTERN: &str = "[a-z0-9]{2,10}_(sk|pk|mk)_[a-z0-9]{1,12}_1[0-9A-Za-z]{32}";
/// The same of keys that were derived from one.
pub const DERIVED_PATTERN: &str = "[a-z0-9]{2,10}_dk_[a-z0-9]{1,12}_1[0-9A-Za-z_]{87,480}";

/// The most secrets that are asked about or reported at once.
pub const MOST_AT_ONCE: usize = 1000;
/// The longest address of a place where a secret was found, in bytes.
pub const LONGEST_URL: usize = 2048;
