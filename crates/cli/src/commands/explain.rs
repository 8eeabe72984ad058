//! `keyward explain`: questions as JSON lines in, answers as JSON lines out.

mod rules;

use std::io::{self, BufRead, BufReader, BufWriter, Write};

use clap::Args;
use keyward_core::explain::explain;
use keyward_core::refusal::Refusal;

use crate::clock;
use crate::failure::Failure;

/// How much of the input is read at once.
const CHUNK: usize = 256 * 1024;

const AFTER_HELP: &str = r#"Examples:
  echo '{"key":{"ips":["203.0.113.7"]},"request":{"method":"GET","path":"/"}}' | keyward explain
  keyward explain < questions.jsonl > answers.jsonl

A question is {"key":{…},"request":{"method","path","headers":{…},"ip"},"now":"RFC 3339"}:
key as for `keys create`, path as sent, ip and now optional. With "derived":{…}, the fields of a
derived key (scopes, paths, referrers, any_referrer, ips, user, limit, not_before, expires_at),
that key is asked about, and key is its parent. The credential is taken as valid, and a route that
accepts every key is assumed. An answer is {"decision","status","code","detail"}.

Exit code: 0 when every line was answered, whatever the answers are"#;

/// Say what the gateway would answer, for questions as JSON lines on standard input
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Explain {}

impl Explain {
    #[expect(clippy::unused_self, reason = "every command runs in the same way")]
    pub(crate) fn run(self) -> Result<(), Failure> {
        let input = BufReader::with_capacity(CHUNK, io::stdin().lock());
        match answer_all(input, BufWriter::with_capacity(CHUNK, io::stdout().lock())) {
            // Who reads the answers has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => Ok(result?),
        }
    }
}

/// Answers every line, in order. Nothing is held back while waiting for input: answers are
/// collected only as long as the next question is there already.
fn answer_all<R: io::Read>(mut input: BufReader<R>, mut output: impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    let mut first = true;
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return output.flush();
        }
        let mut question = line.strip_suffix(b"\n").unwrap_or(&line);
        if std::mem::take(&mut first) {
            // Some programs begin a stream with a byte order mark.
            question = question.strip_prefix(b"\xef\xbb\xbf").unwrap_or(question);
        }
        output.write_all(answer(question).as_bytes())?;
        output.write_all(b"\n")?;
        if !input.buffer().contains(&b'\n') {
            output.flush()?;
        }
    }
}

fn answer(question: &[u8]) -> String {
    match std::str::from_utf8(question) {
        Ok(question) => explain(&rules::in_punycode(question), clock::now()),
        Err(_) => serde_json::json!({
            "decision": "deny",
            "status": Refusal::BodyInvalid.status(),
            "code": Refusal::BodyInvalid.code(),
            "detail": "the line is not a question: it is not UTF-8",
        })
        .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_answered_and_a_bad_one_ends_nothing() {
        let input: &[u8] = b"\xef\xbb\xbf{\"key\":{},\"request\":{\"method\":\"GET\",\"path\":\"/\"}}\r\n\n\xff\nnull\n{\"key\":{},\"request\":{\"method\":\"GET\",\"path\":\"/\"}}";
        let mut output = Vec::new();
        answer_all(BufReader::new(input), &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        let codes: Vec<_> = output
            .lines()
            .map(|line| {
                serde_json::from_str::<serde_json::Value>(line).unwrap()["code"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(
            codes,
            ["ok", "body_invalid", "body_invalid", "body_invalid", "ok"]
        );
    }

    #[test]
    fn an_answer_is_given_before_the_next_question_is_asked() {
        /// Gives a line at a time, and looks whether everything before was answered.
        struct Asker<'a> {
            left: usize,
            answered: &'a std::cell::Cell<usize>,
        }
        impl io::Read for Asker<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                assert_eq!(self.answered.get(), 3 - self.left);
                if self.left == 0 {
                    return Ok(0);
                }
                self.left -= 1;
                let line = b"{}\n";
                buffer[..line.len()].copy_from_slice(line);
                Ok(line.len())
            }
        }
        struct Flushed<'a>(&'a std::cell::Cell<usize>, usize);
        impl Write for Flushed<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 += bytes.iter().filter(|byte| **byte == b'\n').count();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                self.0.set(self.1);
                Ok(())
            }
        }
        let answered = std::cell::Cell::new(0);
        answer_all(
            BufReader::new(Asker {
                left: 3,
                answered: &answered,
            }),
            Flushed(&answered, 0),
        )
        .unwrap();
        assert_eq!(answered.get(), 3);
    }
}
