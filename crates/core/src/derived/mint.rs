//! Mints derived keys: without a call, and without anything but the parent's secret.

use zeroize::Zeroizing;

use super::terms::{is_limit, is_user};
use super::{LONGEST_LIFE_MS, Terms, text};
use crate::credential::MAX_KEY;
use crate::kind::Kind;
use crate::mac;
use crate::names;
use crate::restrict::Restrictions;
use crate::secret::{Digest, FORMAT, RANDOM, Shape, TAG, derivation_key, may_be_imported};
use crate::time::Millis;

/// How long a derived key lives where nobody says otherwise, in milliseconds: 15 minutes.
pub const DEFAULT_LIFE_MS: u64 = 15 * 60 * 1000;

/// Why a derived key is not minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeriveError {
    /// The secret is not one of a private key.
    #[error("only private keys derive, and this is none, or not the whole of one")]
    Parent,
    /// The environment does not agree with the secret, or is none.
    #[error(
        "the environment is the one that the secret names, 1 to 12 lower-case letters and digits"
    )]
    Environment,
    /// It would end now or before, or before it begins.
    #[error("the key would end before it begins")]
    Over,
    /// It would end too far ahead.
    #[error("a derived key ends within 24 hours")]
    TooLong,
    /// The user's id is not one.
    #[error("a user id has 1 to 128 bytes and no control characters")]
    User,
    /// The limit is not one.
    #[error("a limit is a number of calls in 1 to 86400 seconds")]
    Limit,
    /// A field that a derived key does not have, or both certain websites and any.
    #[error(
        "a derived key has referrers or any referrer, addresses, paths and scopes, and no other restriction"
    )]
    Restriction,
    /// The parent has not what it says.
    #[error(
        "the key says more than its parent has: each scope, address and path lies within one of the parent's"
    )]
    Wider,
    /// It would be too long to be read.
    #[error("the key would be longer than 512 characters: name fewer or shorter restrictions")]
    TooLarge,
}

/// Mints a key with these terms under the secret of a private key.
///
/// `environment` is needed where the secret does not name its own, because it was made elsewhere;
/// `live` where it is left out. `parent`: what is known of the parent's restrictions, if anything
/// is; the edge checks them in any case.
///
/// ```
/// use keyward_core::derived::{DEFAULT_LIFE_MS, Terms, mint};
/// use keyward_core::time::Millis;
///
/// let secret = "kw_sk_live_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// let now = Millis(1_795_262_400_000);
/// let mut terms = Terms::until(now.plus(DEFAULT_LIFE_MS));
/// terms.user = Some("user-17".to_owned());
/// terms.restrictions.scopes.push("orders:read".parse()?);
/// terms.restrictions.referrers.push("https://shop.example".parse()?);
///
/// let key = mint(secret, None, &terms, None, now)?;
/// assert!(key.starts_with("kw_dk_live_1") && key.len() < 400);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DeriveError`].
pub fn mint(
    secret: &str,
    environment: Option<&str>,
    terms: &Terms,
    parent: Option<&Restrictions>,
    now: Millis,
) -> Result<Zeroizing<String>, DeriveError> {
    check(terms, parent, now)?;
    let (vendor, environment) = names_of(secret, environment)?;
    let mut key = Zeroizing::new(format!(
        "{vendor}_{}_{environment}_{FORMAT}",
        Kind::Derived.prefix()
    ));
    let mut body = Digest::of(secret).as_bytes().to_vec();
    body.extend_from_slice(terms.write().as_bytes());
    let mac = mac::mac(
        &mac::keyed(&*derivation_key(secret)),
        &[key.as_bytes(), &body],
    );
    body.extend_from_slice(&mac);
    key.push_str(&text::encode(&body));
    if key.len() > MAX_KEY {
        return Err(DeriveError::TooLarge);
    }
    Ok(key)
}

impl Terms {
    /// Whether each of them can be written, whatever the time is.
    ///
    /// # Errors
    /// [`DeriveError::User`], [`DeriveError::Limit`], [`DeriveError::Restriction`].
    pub fn check_values(&self) -> Result<(), DeriveError> {
        if self.user.as_deref().is_some_and(|user| !is_user(user)) {
            return Err(DeriveError::User);
        }
        if self.limit.is_some_and(|limit| !is_limit(limit)) {
            return Err(DeriveError::Limit);
        }
        let rules = &self.restrictions;
        if (rules.any_referrer && !rules.referrers.is_empty()) || !rules.apps.is_empty() {
            return Err(DeriveError::Restriction);
        }
        Ok(())
    }
}

impl DeriveError {
    /// The field that it is about.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Limit => "limit",
            Self::Environment => "environment",
            Self::Over | Self::TooLong => "expires_at",
            Self::Restriction | Self::Wider | Self::TooLarge => "restrictions",
            Self::Parent => "secret",
        }
    }
}

fn check(terms: &Terms, parent: Option<&Restrictions>, now: Millis) -> Result<(), DeriveError> {
    let starts = terms.not_before.unwrap_or(now).max(now);
    if terms.expires_at <= starts {
        return Err(DeriveError::Over);
    }
    if terms.expires_at.since(now) > LONGEST_LIFE_MS {
        return Err(DeriveError::TooLong);
    }
    terms.check_values()?;
    if parent.is_some_and(|parent| !terms.within(parent)) {
        return Err(DeriveError::Wider);
    }
    Ok(())
}

/// Vendor and environment of a secret's derived keys.
fn names_of<'a>(
    secret: &'a str,
    environment: Option<&'a str>,
) -> Result<(&'a str, &'a str), DeriveError> {
    let (vendor, own) = match Shape::parse(secret) {
        Some(shape) if shape.kind() == Kind::Private => (shape.vendor(), Some(shape.environment())),
        None if may_be_imported(secret) && !is_begun_as_ours(secret) => {
            (names::DEFAULT_VENDOR, None)
        }
        _ => return Err(DeriveError::Parent),
    };
    let named = environment.or(own).unwrap_or(names::DEFAULT_ENVIRONMENT);
    if own.is_some_and(|own| own != named) || !names::is_environment(named) {
        return Err(DeriveError::Environment);
    }
    Ok((vendor, named))
}

/// Whether a text begins as keys of Keyward do: a derived key, or one that was not copied as it is.
fn is_begun_as_ours(text: &str) -> bool {
    let mut parts = text.splitn(4, '_');
    let mut next = || parts.next().unwrap_or_default();
    let (vendor, kind, environment, body) = (next(), next(), next(), next());
    names::is_vendor(vendor)
        && Kind::from_prefix(kind).is_some()
        && names::is_environment(environment)
        && body.starts_with(FORMAT)
        && body.len() > RANDOM + TAG
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
