//! Fresh secrets of a deployment.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::names;
use zeroize::Zeroizing;

const SECRET: &str = "KEYWARD_SECRET";
const BOOTSTRAP_KEY: &str = "KEYWARD_BOOTSTRAP_KEY";
/// The id of the first entry of `KEYWARD_SECRET`.
const ENTRY: &str = "dev1";

/// The lines that a .dev.vars with this content lacks; empty when it has both.
///
/// The management key is minted under the secret that stands in the same file, so that the
/// gateway recognises its shape.
pub(super) fn missing_from(content: &str) -> Result<Zeroizing<String>, String> {
    let mut added = Zeroizing::new(String::new());
    let secret = match value(content, SECRET) {
        Some(secret) => Zeroizing::new(secret.to_owned()),
        None => {
            let secret = fresh()?;
            push(&mut added, SECRET, &secret);
            secret
        }
    };
    if value(content, BOOTSTRAP_KEY).is_none() {
        let keyring = Keyring::parse(&secret).map_err(|error| format!(".dev.vars: {error}"))?;
        let mut filled = Ok(());
        let key = keyring.mint(
            names::DEFAULT_VENDOR,
            Kind::Management,
            names::DEFAULT_ENVIRONMENT,
            &mut |buffer| {
                filled = filled.and(getrandom::fill(buffer));
            },
        );
        filled.map_err(|error| format!("the system gives no randomness: {error}"))?;
        push(&mut added, BOOTSTRAP_KEY, key.expose());
    }
    Ok(added)
}

fn push(lines: &mut String, name: &str, value: &str) {
    for part in [name, "=", value, "\n"] {
        lines.push_str(part);
    }
}

fn fresh() -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|error| format!("the system gives no randomness: {error}"))?;
    let encoded = Zeroizing::new(Base64UrlUnpadded::encode_string(bytes.as_slice()));
    Ok(Zeroizing::new(format!("{ENTRY}:{}", *encoded)))
}

/// A variable's value as dotenv files write it: with or without quotes.
fn value<'a>(content: &'a str, name: &str) -> Option<&'a str> {
    content.lines().find_map(|line| {
        let (found, value) = line
            .trim_start()
            .trim_start_matches("export ")
            .split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'', '`']);
        (found.trim() == name && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use keyward_core::secret::Shape;

    use super::*;

    #[test]
    fn a_fresh_pair_fits_together_and_is_never_the_same() {
        let (first, second) = (missing_from("").unwrap(), missing_from("").unwrap());
        assert_ne!(*first, *second);
        let keyring = Keyring::parse(value(&first, SECRET).unwrap()).unwrap();
        let shape = Shape::parse(value(&first, BOOTSTRAP_KEY).unwrap()).unwrap();
        assert_eq!(shape.kind(), Kind::Management);
        assert!(keyring.verifies_tag(&shape));
    }

    #[test]
    fn what_is_there_is_kept_and_what_is_missing_added() {
        let both = missing_from("").unwrap();
        assert!(missing_from(&both).unwrap().is_empty());
        let secret = format!(
            "ORIGIN=x\nKEYWARD_SECRET = \"{}\"\n",
            value(&both, SECRET).unwrap()
        );
        let added = missing_from(&secret).unwrap();
        assert!(
            added.starts_with("KEYWARD_BOOTSTRAP_KEY=kw_mk_live_1") && added.lines().count() == 1
        );
        assert!(missing_from("KEYWARD_SECRET=broken\n").is_err());
    }
}
