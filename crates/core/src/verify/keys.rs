//! Who may ask: the Worker secret `KEYWARD_VERIFY_KEY`.
//!
//! The text is `<project>:<key>`, or `*:<key>` for every project; several have commas between
//! them, and one project may have several, so that one can follow another. A key is 32 to 256
//! visible ASCII characters without a comma. Only their digests are kept.

use subtle::{Choice, ConstantTimeEq as _};

use crate::names;
use crate::secret::Digest;

const SHORTEST: usize = 32;
const LONGEST: usize = 256;
/// A Worker variable holds 5 KB.
const MOST: usize = 64;

/// The keys that prove who asks. Without any nobody may.
#[derive(Clone, Debug, Default)]
pub struct VerifyKeys {
    keys: Vec<VerifyKey>,
}

#[derive(Clone, Debug)]
struct VerifyKey {
    digest: Digest,
    project: Option<String>,
}

/// What is wrong with `KEYWARD_VERIFY_KEY`. Says nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("KEYWARD_VERIFY_KEY is not valid: {0}")]
pub struct VerifyKeysError(pub &'static str);

impl VerifyKeys {
    /// Reads the text of `KEYWARD_VERIFY_KEY`. Blanks around the whole are ignored.
    ///
    /// # Errors
    /// When an entry is not as the module describes.
    pub fn parse(text: &str) -> Result<Self, VerifyKeysError> {
        let mut keys = Vec::new();
        for entry in text.trim().split(',') {
            let (project, key) = entry.split_once(':').ok_or(VerifyKeysError(
                "an entry is `project:key`, or `*:key` for every project; several have a comma between them",
            ))?;
            let project = match project {
                "*" => None,
                id if names::is_project_id(id) => Some(id.to_owned()),
                _ => return Err(VerifyKeysError("what stands before a colon is no project")),
            };
            let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
            if !visible || !(SHORTEST..=LONGEST).contains(&key.len()) {
                return Err(VerifyKeysError(
                    "a key is 32 to 256 visible ASCII characters",
                ));
            }
            if keys.len() == MOST {
                return Err(VerifyKeysError("there are more than 64 entries"));
            }
            keys.push(VerifyKey {
                digest: Digest::of(key),
                project,
            });
        }
        Ok(Self { keys })
    }

    /// The one project that who sent this key may ask about, or none for every project. Takes the
    /// same time whatever is wrong with a key.
    ///
    /// # Errors
    /// When nobody may ask with it, or with nothing.
    pub fn admit(&self, sent: Option<&str>) -> Result<Option<&str>, Stranger> {
        let digest = Digest::of(sent.unwrap_or_default());
        let mut admitted = None;
        for key in &self.keys {
            let same: Choice = key.digest.as_bytes().ct_eq(digest.as_bytes());
            if bool::from(same) {
                admitted = Some(key);
            }
        }
        admitted.map(|key| key.project.as_deref()).ok_or(Stranger)
    }
}

/// Somebody who may not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranger;

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn a_key_admits_to_its_project() {
        let text = format!(" acme:{ONE},*:{OTHER},acme:{ONE}{OTHER}\n");
        let keys = VerifyKeys::parse(&text).unwrap();
        assert_eq!(keys.admit(Some(ONE)), Ok(Some("acme")));
        assert_eq!(keys.admit(Some(&format!("{ONE}{OTHER}"))), Ok(Some("acme")));
        assert_eq!(keys.admit(Some(OTHER)), Ok(None));
    }

    #[test]
    fn nothing_else_admits() {
        let keys = VerifyKeys::parse(&format!("acme:{ONE}")).unwrap();
        let wrong = [
            None,
            Some(""),
            Some("acme"),
            Some(OTHER),
            ONE.get(..31),
            Some(&format!("{ONE}0")),
            Some(&format!("acme:{ONE}")),
            Some(&format!("{ONE}, {ONE}")),
            Some(&ONE.to_ascii_uppercase()),
        ]
        .map(|sent| sent.map(str::to_owned));
        for sent in wrong {
            assert_eq!(keys.admit(sent.as_deref()), Err(Stranger), "{sent:?}");
        }
        assert_eq!(VerifyKeys::default().admit(Some("")), Err(Stranger));
        assert_eq!(VerifyKeys::default().admit(None), Err(Stranger));
    }

    #[test]
    fn what_is_no_list_of_keys_is_refused() {
        let many = vec![format!("acme:{ONE}"); 65].join(",");
        for text in [
            "",
            ONE,
            &format!(":{ONE}"),
            &format!("Acme:{ONE}"),
            &format!("acme:{}", ONE.get(..31).unwrap()),
            &format!("acme:{}", ONE.repeat(9)),
            &format!("acme:{ONE} {ONE}"),
            &format!("acme:{ONE},"),
            &format!("acme:{ONE}é"),
            &many,
        ] {
            assert!(VerifyKeys::parse(text).is_err(), "{text}");
        }
    }
}
