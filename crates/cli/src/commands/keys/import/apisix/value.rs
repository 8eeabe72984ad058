//! The plugin `key-auth` of a consumer: a key, or what stands for one.

use base64ct::{Base64, Encoding as _};
use keyward_core::time::Millis;
use serde::Deserialize;

/// The block of AES, by which APISIX encrypts.
const BLOCK: usize = 16;

/// Its configuration.
#[derive(Deserialize)]
pub(super) struct KeyAuth {
    key: Option<String>,
    #[serde(rename = "_meta")]
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    disable: bool,
}

impl KeyAuth {
    /// The key itself.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn secret(&self, as_written: bool) -> Result<&str, &'static str> {
        let key = self.key.as_deref().unwrap_or_default();
        let reference = key.get(..10).unwrap_or(key).to_ascii_lowercase();
        if key.is_empty() {
            Err("there is no key")
        } else if reference.starts_with("$secret://") {
            Err("is a reference to a secret manager: write the key that stands there")
        } else if reference.starts_with("$env://") || key.contains("${") {
            Err("is a reference to a variable of the environment: write the key that stands there")
        } else if !as_written && looks_encrypted(key) {
            Err(
                "looks encrypted (data_encryption), as in a dump of etcd: take the answer of the Admin API, which is in the clear; if it is the key itself, say --as-written",
            )
        } else {
            Ok(key)
        }
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.meta.as_ref().is_some_and(|meta| meta.disable)
    }
}

/// Whether it is base64 of whole blocks. Words and hexadecimal digits, of which some are that by
/// chance, are not what encryption gives.
fn looks_encrypted(key: &str) -> bool {
    let has = |test: fn(&u8) -> bool| key.as_bytes().iter().any(test);
    has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && Base64::decode_vec(key).is_ok_and(|bytes| bytes.len() % BLOCK == 0)
}

/// Seconds since 1970.
pub(super) fn time(seconds: u64) -> String {
    Millis(seconds.saturating_mul(1000)).to_string()
}
