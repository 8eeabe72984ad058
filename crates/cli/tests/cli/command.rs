//! Runs the command against a stand-in.

use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;

use crate::stub::Stub;

/// A key's id.
pub const ID: &str = "key_0123456789ABCDEFGHIJ";

/// What a run has done.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Asserts that standard output has this text.
    #[track_caller]
    pub fn prints(&self, text: &str) {
        assert!(self.stdout.contains(text), "{text:?} is not in {self:?}");
    }

    /// Asserts that standard error has this text.
    #[track_caller]
    pub fn notes(&self, text: &str) {
        assert!(self.stderr.contains(text), "{text:?} is not in {self:?}");
    }
}

/// Runs with a management key and a project in the environment.
pub fn keyward(url: &str, arguments: &[&str]) -> Done {
    run(url, arguments, &[("KEYWARD_PROJECT", "acme")], "")
}

/// Runs with a management key, other variables (an empty one is not set) and an input.
pub fn run(url: &str, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyward"));
    command
        .args(arguments)
        .env("KEYWARD_URL", url)
        .env("KEYWARD_KEY", "mk-secret")
        .env_remove("KEYWARD_PROJECT");
    for (name, value) in variables {
        if value.is_empty() {
            command.env_remove(name);
        } else {
            command.env(name, value);
        }
    }
    command.write_stdin(input).timeout(Duration::from_secs(60));
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done {
        code: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// Runs against these answers; gives the calls too, as `METHOD path body`.
pub fn calls(answers: &[(&str, &str)], arguments: &[&str]) -> (Done, Vec<String>) {
    let stub = Stub::new(answers);
    let done = keyward(&stub.url, arguments);
    let calls = stub.calls();
    let lines = calls.iter().map(|call| {
        let line = call.line.replace(" /_keyward/v1/", " ");
        let line = line.trim_end_matches("HTTP/1.1");
        format!("{line}{}", call.body).trim_end().to_owned()
    });
    (done, lines.collect())
}
