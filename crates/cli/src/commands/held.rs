//! A secret that is used as it is at hand: from the environment or standard input, never an argument.

use std::io::{self, IsTerminal as _, Read as _};

use zeroize::Zeroizing;

use crate::client::{KEY, variable};
use crate::failure::Failure;

/// Longer than any secret.
const LONGEST: u64 = 4096;

/// The secret in `KEYWARD_KEY`; where `input` says so, or without that, the one on standard input.
/// `command`: what to pipe it into.
pub(super) fn secret(input: bool, command: &str) -> Result<Zeroizing<String>, Failure> {
    if !input && let Some(secret) = variable(KEY) {
        return Ok(Zeroizing::new(secret));
    }
    if io::stdin().is_terminal() {
        // What is typed would stand on the screen.
        return Err(Failure::Usage(format!(
            "set {KEY} in the environment to the secret, or pipe it into `{command}`"
        )));
    }
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().take(LONGEST).read_to_string(&mut text)?;
    let secret = Zeroizing::new(text.trim().to_owned());
    if secret.is_empty() {
        return Err(Failure::Usage("standard input holds no secret".to_owned()));
    }
    Ok(secret)
}
