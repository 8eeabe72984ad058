//! The keys that the entry signs and opens with, and what it has to sign.

use std::fmt::Write as _;

use keyward_core::assertion::Unsigned;
use keyward_core::gateway::Gateway;

/// The Ed25519 keys of the deployment as seeds in hexadecimal, the place of the one that signs
/// before them, with blanks between.
pub(crate) fn own_keys(gateway: &Gateway) -> String {
    let mut text = gateway.signing_key().to_string();
    for entry in gateway.own_keys() {
        text.push(' ');
        hex(&mut text, entry.assertion_seed());
    }
    text
}

/// The ids of entries in force and their AES keys in hexadecimal, with blanks between.
pub(crate) fn credential_keys(gateway: &Gateway) -> String {
    let mut text = String::new();
    for (id, key) in gateway.credential_keys() {
        text.push_str(id);
        text.push(' ');
        hex(&mut text, key);
        text.push(' ');
    }
    text
}

fn hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

/// What is to be signed, and when it is made, renewed and sent no more, with blanks between.
pub(crate) fn unsigned(unsigned: &Unsigned) -> String {
    let Unsigned {
        input,
        made,
        renewed,
        ended,
    } = unsigned;
    format!("{input} {} {} {}", made.0, renewed.0, ended.0)
}
