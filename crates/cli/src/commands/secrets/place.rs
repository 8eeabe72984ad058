//! Where the text of KEYWARD_SECRET is: a file of variables, the environment, or standard input.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use super::entries::Entries;
use crate::client;
use crate::failure::Failure;
use crate::file;
use crate::output::Output;

const NAME: &str = "KEYWARD_SECRET";

/// `--file`.
#[derive(Args)]
pub(super) struct Place {
    /// The file of variables that has KEYWARD_SECRET, such as .dev.vars; it is changed in place.
    /// Left out, the text comes from the environment's KEYWARD_SECRET or standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Place {
    /// The entries as they are.
    pub(super) fn read(&self) -> Result<Entries, Failure> {
        let text = match &self.file {
            Some(path) => {
                let content = self.content()?;
                let found = content.lines().find_map(value);
                let text = found.map(|value| Zeroizing::new(value.to_owned()));
                text.ok_or_else(|| {
                    Failure::Failed(format!(
                        "{} has no {NAME}; `keyward init` writes one",
                        path.display()
                    ))
                })?
            }
            None => Zeroizing::new(client::variable(NAME).map_or_else(from_stdin, Ok)?),
        };
        Entries::parse(&text).map_err(Failure::Failed)
    }

    /// Writes them to the file, and to standard output for what comes next in the pipe. On a
    /// terminal they are only shown where they would else be lost.
    pub(super) fn write(&self, entries: &Entries, output: &Output) -> Result<(), Failure> {
        let text = entries.to_text();
        if let Some(path) = &self.file {
            let new = replaced(&self.content()?, &text);
            file::replace(path, new.as_bytes()).map_err(|error| {
                Failure::Failed(format!("{} cannot be written: {error}", path.display()))
            })?;
            output.say(&format!("{} has the new {NAME}.", path.display()));
        }
        if output.json {
            let mut answer = serde_json::json!({ "entries": entries.to_json() });
            if let (None, Some(answer)) = (&self.file, answer.as_object_mut()) {
                answer.insert("secret".to_owned(), serde_json::json!(*text));
            }
            return output.data(&answer.to_string());
        }
        if self.file.is_none() || !output.terminal {
            output.data(&text)?;
        }
        if self.file.is_none() {
            output.say("Keep this text where only you can read it: nobody can read it back from the deployment.");
        }
        Ok(())
    }

    fn content(&self) -> Result<Zeroizing<String>, Failure> {
        let path = self.file.as_deref().unwrap_or_else(|| "".as_ref());
        std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))
    }
}

fn from_stdin() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "name the file that has {NAME} (--file .dev.vars), or give its text in the environment or on standard input"
        )));
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    // As a file of variables has it, or the text alone.
    let found = text.lines().find_map(value).map(ToOwned::to_owned);
    Ok(found.unwrap_or(text))
}

/// The value of a line that sets the variable.
fn value(line: &str) -> Option<&str> {
    let (name, value) = line
        .trim_start()
        .trim_start_matches("export ")
        .split_once('=')?;
    let value = value.trim().trim_matches(['"', '\'', '`']);
    (name.trim() == NAME && !value.is_empty()).then_some(value)
}

/// The file with another value; everything else stays as it is.
fn replaced(content: &str, text: &str) -> Zeroizing<String> {
    let mut done = false;
    let mut new = Zeroizing::new(String::with_capacity(
        content.len().saturating_add(text.len()),
    ));
    for line in content.split_inclusive('\n') {
        match line.split_once('=') {
            Some((name, _)) if !done && value(line).is_some() => {
                done = true;
                for part in [name.trim_end(), "=", text, "\n"] {
                    new.push_str(part);
                }
            }
            _ => new.push_str(line),
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_value_of_the_variable_changes() {
        let content = "# KEYWARD_SECRET=no\nORIGIN=x\nexport KEYWARD_SECRET = \"old\"\nKEYWARD_BOOTSTRAP_KEY=y";
        assert_eq!(content.lines().find_map(value), Some("old"));
        assert_eq!(
            *replaced(content, "new"),
            "# KEYWARD_SECRET=no\nORIGIN=x\nexport KEYWARD_SECRET=new\nKEYWARD_BOOTSTRAP_KEY=y"
        );
        assert_eq!(*replaced("KEYWARD_SECRET='a'", "b"), "KEYWARD_SECRET=b\n");
    }
}
