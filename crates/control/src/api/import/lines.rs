//! The lines of an import's body.

use keyward_api::json;
use keyward_api::request::{ImportLine, LONGEST_LINE, MOST_LINES};
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;

use crate::api::answer::Refused;
use crate::api::host;

/// A line's number, from 1, and what it says, or why it is refused.
pub(super) type Line = (u32, Result<ImportLine, (Refusal, Vec<FieldError>)>);

/// Reads each line that is not empty.
///
/// # Errors
/// [`Refusal::BodyInvalid`] for what is no text, [`Refusal::BodyTooLarge`] for too many lines.
pub(super) fn read(body: &[u8]) -> Result<Vec<Line>, Refused> {
    let body = std::str::from_utf8(body)
        .map_err(|_| Refused::field(Refusal::BodyInvalid, "body", "the body is not UTF-8"))?;
    let mut lines = Vec::new();
    for (number, text) in (1..).zip(body.split('\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        if lines.len() == MOST_LINES {
            let detail = format!("write at most {MOST_LINES} lines");
            return Err(Refused::field(Refusal::BodyTooLarge, "body", detail));
        }
        lines.push((number, line(text)));
    }
    Ok(lines)
}

fn line(text: &str) -> Result<ImportLine, (Refusal, Vec<FieldError>)> {
    let wrong = |refusal, detail| {
        let field = "line".to_owned();
        (refusal, vec![FieldError { field, detail }])
    };
    if text.len() > LONGEST_LINE {
        let detail = format!("a line has at most {LONGEST_LINE} bytes");
        return Err(wrong(Refusal::BodyTooLarge, detail));
    }
    let value =
        json::parse(text.as_bytes()).map_err(|detail| wrong(Refusal::BodyInvalid, detail))?;
    ImportLine::read(value, host::convert).map_err(|errors| (Refusal::KeySpecInvalid, errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        let secret = "x".repeat(20);
        let body =
            format!("{{\"secret\":\"{secret}\"}}\r\n\n  \n{{\n[]\n{{\"secret\":\"{secret}\"}}");
        let read = read(body.as_bytes()).unwrap();
        let seen: Vec<_> = read
            .iter()
            .map(|(line, outcome)| (*line, outcome.as_ref().err().map(|(refusal, _)| *refusal)))
            .collect();
        assert_eq!(
            seen,
            [
                (1, None),
                (4, Some(Refusal::BodyInvalid)),
                (5, Some(Refusal::KeySpecInvalid)),
                (6, None),
            ]
        );
    }

    #[test]
    fn a_line_that_is_too_long_refuses_itself_only() {
        let line = |bytes: usize| {
            let start = format!("{{\"secret\":\"{}\"", "x".repeat(20));
            format!("{start}{}}}", " ".repeat(bytes - start.len() - 1))
        };
        let body = format!("{}\n{}\n{}", line(65_536), line(65_537), line(100));
        let read = read(body.as_bytes()).unwrap();
        let seen: Vec<_> = read
            .iter()
            .map(|(_, outcome)| outcome.as_ref().err().map(|(refusal, _)| *refusal))
            .collect();
        assert_eq!(seen, [None, Some(Refusal::BodyTooLarge), None]);
    }

    #[test]
    fn a_thousand_lines_are_read_and_no_more() {
        assert_eq!(read("{}\n".repeat(1000).as_bytes()).unwrap().len(), 1000);
        let refused = read("{}\n".repeat(1001).as_bytes()).err().unwrap();
        assert!(refused.is(Refusal::BodyTooLarge));
        assert!(read(b"").unwrap().is_empty());
        assert!(read(b"{}\n\xff").err().unwrap().is(Refusal::BodyInvalid));
    }
}
