//! `keyward verify`: asks the gateway whether a call with a key would be let through.

use std::io::{self, IsTerminal as _, Read as _};

use clap::Args;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::client::{Client, VERIFY_KEY, variable};
use crate::failure::Failure;
use crate::model;
use crate::output::Output;

/// Longer than any key.
const LONGEST: u64 = 4096;

const AFTER_HELP: &str = "\
Examples:
  pass show shop/key | keyward verify
  keyward verify --method POST --url https://api.example.com/v1/orders --ip 203.0.113.7 < key.txt
  keyward verify --scope orders:read --cost 1 --json < key.txt

The key comes from standard input; it is never an argument. KEYWARD_VERIFY_KEY is one of the keys
in the deployment's secret of that name. What you do not say is not known, and a restriction
that needs it refuses. Without --cost nothing is spent.

Exit code: 0 when the call would be let through, 1 when not";

/// Ask the gateway whether a call with a key would be let through
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Verify {
    /// The address of the call
    #[arg(long)]
    url: Option<String>,

    /// The method of the call
    #[arg(long)]
    method: Option<String>,

    /// The client's address
    #[arg(long)]
    ip: Option<String>,

    /// A header of the call, as in 'origin: https://shop.example'; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,

    /// A scope that the key needs; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,

    /// What the call spends of the key's limits
    #[arg(long, default_value_t = 0)]
    cost: u32,
}

impl Verify {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let asker = variable(VERIFY_KEY).ok_or_else(|| {
            Failure::Usage(format!(
                "set {VERIFY_KEY} in the environment to a key of the deployment's secret of that name"
            ))
        })?;
        let answer = Client::asking(&asker)?.ask("verify", &self.question(&key()?))?;
        let said: Map<String, Value> = answer.read()?;
        if output.json {
            output.data(&answer.text)?;
        } else {
            output.fields(&model::rows(&said))?;
        }
        if said.get("valid") == Some(&Value::Bool(true)) {
            return Ok(());
        }
        let code = said.get("code").and_then(Value::as_str);
        Err(Failure::Failed(format!(
            "the call would be refused: {}",
            code.unwrap_or("unknown")
        )))
    }

    fn question(self, key: &str) -> Value {
        let mut question = Map::from_iter([
            ("key".to_owned(), json!(key)),
            ("cost".to_owned(), json!(self.cost)),
        ]);
        for (name, value) in [("url", self.url), ("method", self.method), ("ip", self.ip)] {
            question.extend(value.map(|value| (name.to_owned(), json!(value))));
        }
        if !self.headers.is_empty() {
            let headers = self.headers.into_iter();
            let headers = headers.map(|(name, value)| (name, Value::String(value)));
            question.insert("headers".to_owned(), Value::Object(headers.collect()));
        }
        if !self.scopes.is_empty() {
            question.insert("scopes".to_owned(), json!(self.scopes));
        }
        Value::Object(question)
    }
}

fn key() -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        // What is typed would stand on the screen.
        return Err(Failure::Usage(
            "pipe the key into `keyward verify`".to_owned(),
        ));
    }
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().take(LONGEST).read_to_string(&mut text)?;
    let key = Zeroizing::new(text.trim().to_owned());
    if key.is_empty() {
        return Err(Failure::Usage("standard input holds no key".to_owned()));
    }
    Ok(key)
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or("write a name, a colon and a value")?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}
