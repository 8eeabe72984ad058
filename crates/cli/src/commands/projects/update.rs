//! `keyward projects update`

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::clock;
use crate::commands::change;
use crate::failure::Failure;
use crate::model;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  keyward projects update acme --name 'Acme Inc.'
  keyward projects update acme --max-age 90d --warn 14d
  keyward projects update acme --revocation strict
  keyward projects update acme --browser-end 24h

With --max-age, a secret ends that long after it was made, whatever its key says; `keyward keys
list --expiring 14d` shows whose turn it is, and the audit log says `key.rotation_due`.

With --revocation strict, a change holds everywhere within seconds: the first call of a key after a
pause waits for its meter. With eventual it does not wait, and goes by what KV says. The default
is strict for private keys and eventual for public ones.

With --browser-end, whoever holds a private key can end it, by sending it as a page would.";

/// Change a project's name, how long its secrets live, or how soon changes hold
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Update {
    /// Its id
    #[arg(value_parser = super::id)]
    id: String,

    /// A name for people
    #[arg(long)]
    name: Option<String>,

    /// How long a secret lives, as in 90d
    #[arg(long, value_name = "DURATION", value_parser = clock::seconds)]
    max_age: Option<u64>,

    /// Secrets live as long as their keys
    #[arg(long, conflicts_with = "max_age")]
    no_max_age: bool,

    /// How long before its end a secret is reported, as in 14d
    #[arg(long, value_name = "DURATION", value_parser = clock::seconds)]
    warn: Option<u64>,

    /// How soon a change of its keys holds
    #[arg(long, value_name = "HOW")]
    revocation: Option<Revocation>,

    /// What becomes of a private key's secret that has leaked; `default` is `revoke`
    #[arg(long, value_name = "HOW")]
    on_leak: Option<OnLeak>,

    /// A private key's secret that a page has sent ends so long later, as in 24h: 1h to 30d
    #[arg(long, value_name = "DURATION", value_parser = clock::seconds)]
    browser_end: Option<u64>,

    /// It does not end by that
    #[arg(long, conflicts_with = "browser_end")]
    no_browser_end: bool,

    /// Only if it is still this version of the project
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Revocation {
    Strict,
    Eventual,
    Default,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnLeak {
    Revoke,
    Flag,
    Default,
}

impl OnLeak {
    fn to_json(self) -> Value {
        match self {
            Self::Revoke => json!("revoke"),
            Self::Flag => json!("flag"),
            Self::Default => Value::Null,
        }
    }
}

impl Revocation {
    fn to_json(self) -> Value {
        match self {
            Self::Strict => json!("strict"),
            Self::Eventual => json!("eventual"),
            Self::Default => Value::Null,
        }
    }
}

impl Update {
    pub(super) fn run(&self, client: &Client, output: &Output) -> Result<(), Failure> {
        let path = format!("projects/{}", self.id);
        let show = format!("keyward projects show {}", self.id);
        let answer = change::edit(client, &path, self.if_version, &self.patch(), &show)?;
        if output.json {
            return output.data(&answer.text);
        }
        let changed: Map<String, Value> = answer.read()?;
        let project = changed.get("project").and_then(Value::as_object);
        output.fields(&model::rows(project.unwrap_or(&Map::new())))?;
        change::publication_of(&changed, output);
        Ok(())
    }

    fn patch(&self) -> Map<String, Value> {
        let max_age = self.max_age.map(|seconds| json!(seconds));
        let no_max_age = self.no_max_age.then_some(Value::Null);
        [
            ("name", self.name.as_ref().map(|name| json!(name))),
            ("max_age_s", max_age.or(no_max_age)),
            ("warn_s", self.warn.map(|seconds| json!(seconds))),
            ("revocation", self.revocation.map(Revocation::to_json)),
            ("on_leak", self.on_leak.map(OnLeak::to_json)),
            (
                "browser_end_s",
                self.browser_end
                    .map(|seconds| json!(seconds))
                    .or(self.no_browser_end.then_some(Value::Null)),
            ),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
}
