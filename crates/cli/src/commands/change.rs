//! Changes: what is sent with them, and what is said about how far they have got.

use serde_json::{Map, Value};

use super::keys;
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
    status(&changed.key, &changed.publication, output)
}

/// Prints the answer to a change of what stands in it under this name.
pub(super) fn report_of(name: &str, answer: &Answer, output: &Output) -> Result<(), Failure> {
    if output.json {
        return output.data(&answer.text);
    }
    let changed: Map<String, Value> = answer.read()?;
    let nothing = Map::new();
    let object = changed.get(name).and_then(Value::as_object);
    status(
        object.unwrap_or(&nothing),
        &word(&changed, "publication"),
        output,
    )
}

fn status(object: &Map<String, Value>, published: &str, output: &Output) -> Result<(), Failure> {
    let row = ["id", "status"].map(|field| word(object, field));
    output.rows(&["ID", "STATUS"], &[row.to_vec()])?;
    publication(published, output);
    Ok(())
}

/// Says how far a change has got. Management keys are not published, so there is nothing to say.
pub(super) fn publication(state: &str, output: &Output) {
    if !state.is_empty() {
        output.say(&keys::publication(state));
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
