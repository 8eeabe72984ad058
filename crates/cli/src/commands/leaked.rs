//! `keyward leaked`: finds Keyward's secrets in any text, and takes them back.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read, Write as _};
use std::path::PathBuf;

use clap::Args;
use keyward_core::leak::{MOST_AT_ONCE, Scanner};
use keyward_core::secret::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;

/// So much is read at a time.
const PIECE: usize = 64 * 1024;

const AFTER_HELP: &str = "\
Examples:
  keyward leaked < build.log
  git log -p --all | keyward leaked --look
  keyward leaked --yes --source 'the wiki' dump.sql

Only SHA-256 digests leave this machine. What is found of private and management keys is revoked
after a yes, or only flagged where the project says so; public keys are flagged. The text may be of
any size, and of any encoding that holds ASCII, UTF-16 too.

Exit codes: 0 nothing that works has been left, 1 something has, or a refusal, 2 usage";

/// Find keys in a text, and revoke those that work
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Leaked {
    /// The text; standard input, if left out
    file: Option<PathBuf>,

    /// Only look: revoke and flag nothing
    #[arg(long, conflicts_with = "yes")]
    look: bool,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    /// Where the text is from, for the audit log
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
}

/// A secret that the deployment knows.
#[derive(Deserialize)]
struct Known {
    sha256: String,
    #[serde(default)]
    project: String,
    key: String,
    kind: String,
    redacted: String,
    status: String,
    #[serde(default)]
    key_status: String,
    leaked: Option<Value>,
    #[serde(skip)]
    item: Value,
}

impl Leaked {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        if self.file.is_none() && io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "name a file, or pipe a text into `keyward leaked`".to_owned(),
            ));
        }
        let client = Client::from_environment()?;
        let digests = match &self.file {
            Some(file) => digests(File::open(file)?)?,
            None => digests(io::stdin().lock())?,
        };
        let mut known = self.ask(&client, "leaks:find", &digests)?;
        let mut left = known.iter().filter(|one| one.matters()).count();
        if left > 0 && !self.look && self.confirmed(&known, output)? {
            let own: Vec<_> = digests
                .into_iter()
                .filter(|digest| known.iter().any(|one| one.sha256 == *digest))
                .collect();
            known = self.ask(&client, "leaks:report", &own)?;
            // What is left now is what the project wants flagged.
            left = 0;
        }
        self.show(&known, output)?;
        if left > 0 {
            return Err(Failure::Failed(format!(
                "{left} of them can be used, or were not reported: nothing was changed"
            )));
        }
        Ok(())
    }

    /// Asks for all of the digests, a thousand at a time.
    fn ask(&self, client: &Client, path: &str, digests: &[String]) -> Result<Vec<Known>, Failure> {
        #[derive(Deserialize)]
        struct Answer {
            items: Vec<Value>,
        }
        let mut known = Vec::new();
        for some in digests.chunks(MOST_AT_ONCE) {
            let mut body = json!({ "sha256": some });
            if let (Some(body), Some(source)) = (body.as_object_mut(), &self.source) {
                body.insert("source".to_owned(), json!(source));
            }
            let answer: Answer = client.post(path, Some(&body))?.read()?;
            for item in answer.items {
                let one: Known = serde_json::from_value(item.clone()).map_err(|error| {
                    Failure::Failed(format!("the answer is not what the API says: {error}"))
                })?;
                known.push(Known { item, ..one });
            }
        }
        Ok(known)
    }

    /// Whether to report them. Standard input is the text, so a yes comes from the terminal itself.
    fn confirmed(&self, known: &[Known], output: &Output) -> Result<bool, Failure> {
        if self.yes {
            return Ok(true);
        }
        let terminal = File::options().read(true).write(true).open("/dev/tty");
        let Ok(mut terminal) = terminal else {
            output.say("Without a terminal nobody can say yes: --yes revokes, --look only looks.");
            return Ok(false);
        };
        for one in known.iter().filter(|one| one.matters()) {
            writeln!(terminal, "  {}", one.row().join("  "))?;
        }
        write!(
            terminal,
            "Revoke what is private, and flag the rest? [y/N] "
        )?;
        let mut answer = String::new();
        BufReader::new(terminal).read_line(&mut answer)?;
        Ok(matches!(
            answer.trim().to_ascii_lowercase().as_str(),
            "y" | "yes"
        ))
    }

    fn show(&self, known: &[Known], output: &Output) -> Result<(), Failure> {
        if output.json {
            let items: Vec<_> = known.iter().map(|one| &one.item).collect();
            return output.data(&json!({ "items": items }).to_string());
        }
        if known.is_empty() {
            output.say("No key of this deployment is in it.");
            return Ok(());
        }
        let rows: Vec<_> = known.iter().map(Known::row).collect();
        let header = ["SECRET", "KEY", "PROJECT", "KIND", "STATUS", "LEAK"];
        output.rows(&header, &rows)
    }
}

impl Known {
    /// Whether something is to be done: it may be used, and if it is public, nobody knows yet.
    fn matters(&self) -> bool {
        let works = matches!(self.status.as_str(), "live" | "scheduled")
            && !matches!(self.key_status.as_str(), "revoked" | "deleted");
        works && (self.kind != "public" || self.leaked.is_none())
    }

    fn row(&self) -> Vec<String> {
        let leak = if self.leaked.is_some() {
            "reported"
        } else {
            ""
        };
        vec![
            self.redacted.clone(),
            self.key.clone(),
            self.project.clone(),
            self.kind.clone(),
            self.status.clone(),
            leak.to_owned(),
        ]
    }
}

/// The SHA-256 of everything in a text that has the shape of a secret, each once.
fn digests(mut text: impl Read) -> Result<Vec<String>, Failure> {
    let mut all: HashMap<Digest, usize> = HashMap::new();
    let mut scanner = Scanner::default();
    let mut note = |secret: &str| {
        let next = all.len();
        all.entry(Digest::of(secret)).or_insert(next);
    };
    let mut piece = vec![0; PIECE];
    loop {
        match text.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => scanner.read(piece.get(..length).unwrap_or_default(), &mut note),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    scanner.end(&mut note);
    let mut digests: Vec<_> = all.into_iter().collect();
    digests.sort_by_key(|(_, order)| *order);
    Ok(digests
        .into_iter()
        .map(|(digest, _)| digest.to_hex())
        .collect())
}
