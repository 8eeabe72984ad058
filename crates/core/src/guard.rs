//! The body guard: which answers' bodies can be searched for the injected secret, and what is asked of
//! the origin so that they can. The search itself is the entry's: no body passes through the module.

use crate::head::pairs;
use crate::refusal::Refusal;

/// What of a request would let the secret come in pieces: the parts of a range are not searched
/// together. The origin is asked for a body without a coding instead.
pub(crate) const REMOVED: [&str; 2] = ["range", "if-range"];

/// How a body that can be read is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not at all.
    None,
    /// By what the runtime takes away when a script reads the body.
    Runtime,
}

/// How the body of an answer is coded. `headers` are lines of name and value.
///
/// # Errors
/// [`Refusal::AnswerUnguarded`] for codings that nobody here can read, and for a switch of protocols.
pub(crate) fn coding(status: u16, headers: &str) -> Result<Coding, Refusal> {
    if status == 101 {
        return Err(Refusal::AnswerUnguarded);
    }
    let lines = || pairs(headers).filter(|(name, _)| *name == "content-encoding");
    // The runtime takes a coding away where it stands alone, spelled so, and nowhere else.
    if lines().count() == 1 && lines().all(|(_, value)| value == "gzip") {
        return Ok(Coding::Runtime);
    }
    let mut codings = lines().flat_map(|(_, value)| value.split(','));
    let is_none = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    if codings.all(|coding| is_none(coding.trim())) {
        Ok(Coding::None)
    } else {
        Err(Refusal::AnswerUnguarded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_body_that_can_be_read_is_searched() {
        for (status, headers, expected) in [
            (200, "", Ok(Coding::None)),
            (200, "content-type\ntext/plain\n", Ok(Coding::None)),
            (200, "content-encoding\nIdentity\n", Ok(Coding::None)),
            (200, "content-encoding\n\n", Ok(Coding::None)),
            (
                200,
                "content-encoding\nidentity\ncontent-encoding\nidentity\n",
                Ok(Coding::None),
            ),
            (200, "content-encoding\ngzip\n", Ok(Coding::Runtime)),
            (101, "", Err(Refusal::AnswerUnguarded)),
        ] {
            assert_eq!(coding(status, headers), expected, "{headers}");
        }
    }

    #[test]
    fn what_the_runtime_does_not_read_is_not_passed_on() {
        for value in [
            "GZIP",
            "GZip",
            "x-gzip",
            "gzip,",
            "gzip, gzip",
            "gzip, identity",
            "identity, gzip",
            "gzip, zstd",
            "gzip\ncontent-encoding\ngzip",
            "gzip\ncontent-encoding\nidentity",
            "identity\ncontent-encoding\ngzip",
            "gzip\ncontent-encoding\n",
            "br",
            "x-unknown",
        ] {
            let headers = format!("content-encoding\n{value}\n");
            let found = coding(200, &headers);
            assert_eq!(found, Err(Refusal::AnswerUnguarded), "{value}");
        }
    }
}
