//! `${NAME}`: takes a Worker variable, so that one build serves several environments.

use super::finding::{Fault, fault};

/// Gives a Worker variable's value by its name.
pub type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What must never be copied into a route: it opens every key.
const RESERVED: [&str; 2] = ["KEYWARD_SECRET", "KEYWARD_BOOTSTRAP_KEY"];

/// Whether the text takes variables; refused when a reference is misspelt.
pub(super) fn references(text: &str) -> Result<bool, Fault> {
    let mut found = false;
    let mut rest = text;
    while let Some((_, name, after)) = next(rest)? {
        check_name(name)?;
        found = true;
        rest = after;
    }
    Ok(found)
}

/// The text with each reference replaced. A variable's value is taken as it is, never resolved
/// again, and a name that is not set is never left in place as text.
pub(super) fn resolve(text: &str, lookup: &Lookup<'_>) -> Result<String, Fault> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next(rest)? {
        let Some(value) = lookup(name) else {
            return Err(fault(
                format!("the Worker variable {name} is not set"),
                format!("set {name} under [vars] in wrangler.toml"),
            ));
        };
        resolved.push_str(before);
        resolved.push_str(&value);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// The name of a Worker variable or secret.
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(fault(
            format!("`{name}` is not the name of a Worker variable"),
            "use letters, digits and underscores, not beginning with a digit",
        ));
    }
    if RESERVED.contains(&name) {
        return Err(fault(
            format!("{name} is the gateway's own and goes to no origin"),
            "use another secret",
        ));
    }
    Ok(())
}

/// The text before the next reference, its name, and the text after it.
fn next(text: &str) -> Result<Option<(&str, &str, &str)>, Fault> {
    let Some((before, rest)) = text.split_once("${") else {
        return Ok(None);
    };
    match rest.split_once('}') {
        Some((name, after)) => Ok(Some((before, name, after))),
        None => Err(fault("`${` is not closed", "write ${NAME}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        (name == "HOST").then(|| "${HOST}.example".to_owned())
    }

    #[test]
    fn a_variable_is_taken_once_and_never_resolved_again() {
        assert_eq!(
            resolve("https://${HOST}/${HOST}", &lookup).unwrap(),
            "https://${HOST}.example/${HOST}.example"
        );
        assert_eq!(
            resolve("plain $ {text}", &lookup).unwrap(),
            "plain $ {text}"
        );
    }

    #[test]
    fn a_name_that_is_not_set_is_never_sent_as_text() {
        assert!(
            resolve("${MISSING}", &lookup)
                .unwrap_err()
                .message
                .contains("MISSING")
        );
    }

    #[test]
    fn misspelt_and_reserved_references_are_refused() {
        for text in [
            "${HOST",
            "${}",
            "${a-b}",
            "${1A}",
            "${ HOST }",
            "${KEYWARD_SECRET}",
            "x${KEYWARD_BOOTSTRAP_KEY}",
        ] {
            assert!(references(text).is_err(), "{text}");
        }
        assert_eq!(references("${A}${_b2}"), Ok(true));
        assert_eq!(references("$A {b}"), Ok(false));
    }
}
