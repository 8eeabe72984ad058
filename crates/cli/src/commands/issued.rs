//! Answers with a secret: it is shown once.

use owo_colors::OwoColorize as _;

use super::change;
use crate::client::Answer;
use crate::failure::Failure;
use crate::model::{self, Created};
use crate::output::Output;

/// Prints a key and its new secret; in a pipe, the secret alone. `verb` is what was done.
pub(super) fn report(answer: &Answer, verb: &str, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.data(&answer.text);
    }
    let created: Created = answer.read()?;
    if output.terminal {
        output.fields(&model::rows(&created.key))?;
        output.data(&format!("\n  {}\n", created.secret.green().bold()))?;
    } else {
        output.data(&created.secret)?;
        output.say(&format!("{verb} {}.", change::word(&created.key, "id")));
    }
    output.say(&format!(
        "{} This is the only time that the secret is shown.",
        "Keep it now.".bold()
    ));
    change::publication(&created.publication, &created.in_force_by, output);
    Ok(())
}
