//! `keyward self-revoke`: the holder of a secret takes it back.

use clap::Args;
use clap::builder::PossibleValuesParser;
use keyward_core::kind::Kind;
use keyward_core::secret::Shape;
use serde_json::{Map, Value};

use super::revocation::Revocation;
use super::{change, held};
use crate::client::{Client, KEY};
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  KEYWARD_KEY=$LEAKED keyward self-revoke --reason keyCompromise
  pass show shop/key | keyward self-revoke - --yes

The secret is that in KEYWARD_KEY, or with `-`, or without KEYWARD_KEY, that on standard input;
it is never an argument. Only this secret is revoked: the key's other one stays. A public key
cannot be revoked this way, because everybody has its secret.";

/// Revoke the secret that you hold, without any other right
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct SelfRevoke {
    /// Read the secret from standard input
    #[arg(value_name = "-", value_parser = PossibleValuesParser::new(["-"]), hide_possible_values = true)]
    input: Option<String>,

    /// It is a management key, and you know that you lock yourself out
    #[arg(long)]
    management: bool,

    #[command(flatten)]
    revocation: Revocation,

    #[command(flatten)]
    confirm: Confirm,
}

impl SelfRevoke {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let secret = held::secret(self.input.is_some(), "keyward self-revoke -")?;
        let shape = Shape::parse(&secret);
        if shape
            .as_ref()
            .is_some_and(|shape| shape.kind() == Kind::Management)
            && !self.management
        {
            return Err(Failure::Usage(format!(
                "this is a management key, such as {KEY} holds for the other commands\n  \
                 fix: to revoke it, add --management; for another secret, pipe it into `keyward self-revoke -`"
            )));
        }
        let name = shape.map_or_else(|| "this secret".to_owned(), |shape| redacted(&shape));
        self.confirm.ask(&format!(
            "Revoke {name}? Every call with it will be refused, and it stays revoked."
        ))?;
        let client = Client::with_secret(&secret)?;
        let answer = client.post("keys:selfRevoke", Some(&self.revocation.to_json()))?;
        if output.json {
            return output.data(&answer.text);
        }
        let revoked: Map<String, Value> = answer.read()?;
        let row = ["id", "secret", "status"].map(|field| change::word(&revoked, field));
        output.rows(&["ID", "SECRET", "STATUS"], &[row.to_vec()])
    }
}

/// The prefix and the last four characters, as `show` has them.
fn redacted(shape: &Shape<'_>) -> String {
    format!(
        "{}_{}_{}_…{}",
        shape.vendor(),
        shape.kind().prefix(),
        shape.environment(),
        shape.tag().get(4..).unwrap_or_default()
    )
}
