//! Changes: what is sent with them, and what is said about how far they have got.

use owo_colors::OwoColorize as _;
use serde_json::{Map, Value};

use crate::client::{Answer, Client};
use crate::failure::Failure;
use crate::model::Changed;
use crate::output::{Output, plain};

/// Prints the answer to a change of a key.
pub(super) fn report(answer: &Answer, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.data(&answer.text);
    }
    let changed: Changed = answer.read()?;
    status(&changed.key, output)?;
    publication(&changed.publication, &changed.in_force_by, output);
    Ok(())
}

/// Prints the answer to a change of what stands in it under this name.
pub(super) fn report_of(name: &str, answer: &Answer, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.data(&answer.text);
    }
    let changed: Map<String, Value> = answer.read()?;
    let nothing = Map::new();
    let object = changed.get(name).and_then(Value::as_object);
    status(object.unwrap_or(&nothing), output)?;
    publication_of(&changed, output);
    Ok(())
}

fn status(object: &Map<String, Value>, output: &Output) -> Result<(), Failure> {
    let row = ["id", "status"].map(|field| word(object, field));
    output.rows(&["ID", "STATUS"], &[row.to_vec()])
}

/// Says how far the change of this answer has got.
pub(super) fn publication_of(changed: &Map<String, Value>, output: &Output) {
    let [state, in_force_by] = ["publication", "in_force_by"].map(|field| word(changed, field));
    publication(&state, &in_force_by, output);
}

/// Says how far a change has got. Management keys are not published, so there is nothing to say.
pub(super) fn publication(state: &str, in_force_by: &str, output: &Output) {
    if !in_force_by.is_empty() {
        output.say(&format!("In force everywhere by {}.", plain(in_force_by)));
        if state == "pending" {
            output
                .say("KV does not have it yet, and is told until it does; nobody waits for that.");
        }
    } else if state == "pending" {
        output.say(&format!(
            "{} the change is stored and still being published; it is retried until it holds",
            "pending:".yellow()
        ));
    } else if !state.is_empty() {
        output.say("The change is published; locations have it within a minute or so.");
    }
}

/// Changes fields of what is at `path`: it is read first, or `version` is what the caller has
/// read, and nothing is changed if it is another one by then. `show` is the command to look with.
pub(super) fn edit(
    client: &Client,
    path: &str,
    version: Option<u64>,
    patch: &Map<String, Value>,
    show: &str,
) -> Result<Answer, Failure> {
    if patch.is_empty() {
        return Err(Failure::Usage(
            "nothing to change: name a field; --help lists them".to_owned(),
        ));
    }
    let etag = match version {
        Some(version) => format!("\"{version}\""),
        None => client.get(path, &[])?.etag.ok_or_else(|| {
            Failure::Failed("the answer does not say which version it is (ETag)".to_owned())
        })?,
    };
    let result = client.patch(path, &etag, &Value::Object(patch.clone()));
    result.map_err(|failure| match failure {
        Failure::Refused(mut problem) if problem.code == "version_conflict" => {
            problem.fix = format!(
                "somebody else has changed it since it was read. Look at it with `{show}`; \
                 if your change is still right, run this command again"
            );
            Failure::Refused(problem)
        }
        other => other,
    })
}

/// A field's text, or nothing.
pub(super) fn word(object: &Map<String, Value>, field: &str) -> String {
    object
        .get(field)
        .and_then(Value::as_str)
        .map(plain)
        .unwrap_or_default()
}
