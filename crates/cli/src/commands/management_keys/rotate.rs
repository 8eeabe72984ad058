//! `keyward management-keys rotate`

use clap::Args;

use super::OneKey;
use crate::commands::issued;
use crate::commands::rotation::Rotation;
use crate::failure::Failure;
use crate::output::Output;

const AFTER_HELP: &str = "\
Examples:
  NEW=$(keyward management-keys rotate key_0123456789ABCDEFGHIJ --overlap 1h)

The key keeps its id and what it may do. With `--overlap 0` every older secret ends at once. The
new secret is shown once. In a pipe, it alone is on standard output.";

/// Give a management key a new secret; the older one stays valid for a while
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Rotate {
    #[command(flatten)]
    key: OneKey,

    #[command(flatten)]
    rotation: Rotation,
}

impl Rotate {
    pub(super) fn run(&self, output: &Output) -> Result<(), Failure> {
        let path = format!("{}/rotate", self.key.path());
        let answer = super::client()?.post(&path, Some(&self.rotation.to_json()))?;
        issued::report(&answer, "Rotated", output)
    }
}
