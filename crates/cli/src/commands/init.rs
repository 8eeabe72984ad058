//! `keyward init`: the files of a new deployment, with fresh secrets for development.

mod secrets;

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use owo_colors::OwoColorize as _;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;

const GATEWAY: &str = include_str!("init/gateway.toml");
const WRANGLER: &str = include_str!("init/wrangler.toml");
const VARIABLES: &str = ".dev.vars";

const AFTER_HELP: &str = "\
What is there is kept: files are only written where there are none, and missing secrets are added
to .dev.vars. With --force all three are written anew; keys made under the old KEYWARD_SECRET are
then refused.";

/// Write gateway.toml, wrangler.toml and .dev.vars with fresh secrets
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Init {
    /// Where to
    #[arg(default_value = ".")]
    directory: PathBuf,

    /// Overwrite what is there
    #[arg(long)]
    force: bool,
}

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Written,
    Extended,
    Kept,
}

impl Init {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let all = self
            .write()
            .map_err(|error| Failure::Failed(format!("{}: {error}", self.directory.display())))?;
        if output.json {
            let files: Vec<_> = all
                .iter()
                .map(|(file, outcome)| serde_json::json!({ "file": file, "outcome": outcome }))
                .collect();
            return output.data(&serde_json::json!({ "files": files }).to_string());
        }
        for (file, outcome) in &all {
            let word = match outcome {
                Outcome::Written => "written ".green().to_string(),
                Outcome::Extended => "extended".green().to_string(),
                Outcome::Kept => "kept    ".dimmed().to_string(),
            };
            output.say(&format!("{word}  {}", self.directory.join(file).display()));
        }
        output.say(&next_steps());
        Ok(())
    }

    fn write(&self) -> io::Result<Vec<(&'static str, Outcome)>> {
        fs::create_dir_all(&self.directory)?;
        Ok(vec![
            ("gateway.toml", self.file("gateway.toml", GATEWAY)?),
            ("wrangler.toml", self.file("wrangler.toml", WRANGLER)?),
            // First ignored, then written: at no time could it be committed by accident.
            (".gitignore", self.ignore()?),
            (VARIABLES, self.variables()?),
        ])
    }

    fn file(&self, name: &str, content: &str) -> io::Result<Outcome> {
        let path = self.directory.join(name);
        if self.force {
            fs::write(path, content)?;
            return Ok(Outcome::Written);
        }
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(mut file) => file
                .write_all(content.as_bytes())
                .map(|()| Outcome::Written),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Outcome::Kept),
            Err(error) => Err(error),
        }
    }

    fn ignore(&self) -> io::Result<Outcome> {
        let path = self.directory.join(".gitignore");
        let before = read_or_empty(&path)?;
        let covered = |line: &str| {
            matches!(
                line.trim().trim_start_matches('/'),
                ".dev.vars" | ".dev.vars*" | ".dev.*"
            )
        };
        if before.lines().any(covered) {
            return Ok(Outcome::Kept);
        }
        fs::write(&path, format!("{}{VARIABLES}\n", with_line_end(&before)))?;
        Ok(if before.is_empty() {
            Outcome::Written
        } else {
            Outcome::Extended
        })
    }

    fn variables(&self) -> io::Result<Outcome> {
        let path = self.directory.join(VARIABLES);
        let before = if self.force {
            String::new()
        } else {
            read_or_empty(&path)?
        };
        let added = secrets::missing_from(&before).map_err(io::Error::other)?;
        if added.is_empty() {
            return Ok(Outcome::Kept);
        }
        write_private(&path, &format!("{}{}", with_line_end(&before), *added))?;
        Ok(if before.is_empty() {
            Outcome::Written
        } else {
            Outcome::Extended
        })
    }
}

fn read_or_empty(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        result => result,
    }
}

fn with_line_end(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    }
}

/// Writes a file that only its owner can read, also while it is being written, and replaces an
/// old one in one step.
fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let unfinished = path.with_extension("vars.new");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&unfinished)
        .and_then(|mut file| file.write_all(content.as_bytes()));
    written
        .and_then(|()| fs::rename(&unfinished, path))
        .inspect_err(|error| {
            if error.kind() != ErrorKind::AlreadyExists {
                let _ = fs::remove_file(&unfinished);
            }
        })
}

fn next_steps() -> String {
    format!(
        "
{}
  1. Name your API: `origin` in gateway.toml, then  keyward config check
  2. Start the gateway:                             npx wrangler dev
  3. In another terminal:                           export KEYWARD_URL=http://localhost:8787
  4. A management key of your own:                  export KEYWARD_KEY=$(sed -n 's/^KEYWARD_BOOTSTRAP_KEY=//p' .dev.vars)
                                                    export KEYWARD_KEY=$(keyward management-keys create --name owner)
  5. A project and its first key:                   keyward projects create acme
                                                    keyward keys create --project acme --name 'First key'
KEYWARD_BOOTSTRAP_KEY makes the first management key, once. Keep the key of step 4 where you keep passwords.
.dev.vars holds secrets for development. It is not committed; deploy with others (wrangler secret put).",
        "Next steps".bold()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_are_written_are_valid() {
        let checked = keyward_config::check(GATEWAY, "gateway.toml");
        assert!(
            checked.file.is_some() && checked.diagnostics.is_empty(),
            "{:?}",
            checked.diagnostics
        );
        // With every comment that shows a field made a field.
        let shown: String = GATEWAY
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| rest.contains(" = ") || rest.starts_with('['))
                    .unwrap_or(line)
            })
            .map(|line| {
                format!("{line}\n")
                    .replace("path = \"/**\"", "path = \"/openai/**\"")
                    .replace("/v1/items", "/openai/v1/items")
            })
            .collect();
        let checked = keyward_config::check(&shown, "gateway.toml");
        assert!(
            checked.file.is_some() && checked.diagnostics.is_empty(),
            "{:?}\n{shown}",
            checked.diagnostics
        );
    }
}
