//! A command line that cannot be understood. What is said of it repeats the arguments, and one of
//! them may be a secret that was put into the wrong place: that goes into no log.

use std::process;

use clap::error::ErrorKind;
use keyward_core::secret::Shape;

/// Says what is wrong and how it is written, and ends with the exit code for it.
pub(crate) fn exit(error: &clap::Error) -> ! {
    let shown = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let secrets: Vec<String> = std::env::args().filter(|text| is_secret(text)).collect();
    if shown || secrets.is_empty() {
        error.exit();
    }
    eprint!("{}", without(&error.render().to_string(), &secrets));
    process::exit(error.exit_code())
}

fn is_secret(text: &str) -> bool {
    Shape::parse(text).is_some()
}

fn without(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| {
        text.replace(secret, "(a secret)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        let secret = format!("kw_sk_live_1{}", "a".repeat(32));
        assert!(is_secret(&secret) && !is_secret("key_0123456789ABCDEFGHIJ"));
        let said = without(
            &format!("invalid value '{secret}'"),
            std::slice::from_ref(&secret),
        );
        assert_eq!(said, "invalid value '(a secret)'");
    }
}
