//! `/_keyward/v1/projects`.

use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde_json::Value;
use worker::Env;

use super::answer::{Answer, Refused};
use super::query::Query;
use super::reply::{self, Meaning};
use crate::registry::client;
use crate::registry::message::{AccountCommand, Reply};

/// The longest name of a project, in characters.
const LONGEST_NAME: usize = 100;

const MEANING: Meaning = Meaning {
    unknown: Refusal::ProjectUnknown,
    conflict: Refusal::ProjectExists,
};

/// `POST /projects`.
///
/// # Errors
/// [`Refusal::ProjectSpecInvalid`], [`Refusal::ProjectExists`], [`Refusal::RegistryUnavailable`].
pub(super) async fn create(env: &Env, fields: &Value) -> Result<Answer, Refused> {
    let (id, name) =
        valid(fields).map_err(|errors| Refused::fields(Refusal::ProjectSpecInvalid, errors))?;
    let location = format!("/_keyward/v1/projects/{id}");
    let command = AccountCommand::Create {
        id: id.clone(),
        name,
    };
    match client::account(env, &command).await? {
        Reply::Item { item, .. } => {
            client::found(env, &id).await?;
            Ok(Answer::json(201, &item)?.with_header("location", location))
        }
        reply => reply::answer(reply, MEANING),
    }
}

/// `GET /projects`: the newest first.
///
/// # Errors
/// [`Refusal::QueryInvalid`], [`Refusal::RegistryUnavailable`].
pub(super) async fn list(env: &Env, query: &Query) -> Result<Answer, Refused> {
    let command = AccountCommand::List(query.page()?);
    reply::answer(client::account(env, &command).await?, MEANING)
}

/// `GET /projects/{p}`.
///
/// # Errors
/// [`Refusal::ProjectUnknown`], [`Refusal::RegistryUnavailable`].
pub(super) async fn show(env: &Env, project: &str) -> Result<Answer, Refused> {
    let id = project.to_owned();
    let command = AccountCommand::Show { id };
    reply::answer(client::account(env, &command).await?, MEANING)
}

/// The id and the name, or every field that is wrong.
fn valid(fields: &Value) -> Result<(String, String), Vec<FieldError>> {
    let error = |field: &str, detail: &str| FieldError {
        field: field.to_owned(),
        detail: detail.to_owned(),
    };
    let Value::Object(fields) = fields else {
        return Err(vec![error(
            "project",
            "a project is a JSON object of its fields",
        )]);
    };
    let mut errors = Vec::new();
    let id = fields
        .get("id")
        .and_then(Value::as_str)
        .filter(|id| names::is_project_id(id));
    if id.is_none() {
        errors.push(error(
            "id",
            "write 1 to 40 lower-case letters, digits and single hyphens between them",
        ));
    }
    let name = match fields.get("name") {
        None => id,
        Some(name) => name.as_str().filter(|name| is_name(name)),
    };
    if name.is_none() && (id.is_some() || fields.contains_key("name")) {
        errors.push(error(
            "name",
            "write 1 to 100 characters, no control characters, no blanks around them",
        ));
    }
    for field in fields
        .keys()
        .filter(|field| !matches!(field.as_str(), "id" | "name"))
    {
        errors.push(error(field, "a project has no such field"));
    }
    match (id, name) {
        (Some(id), Some(name)) if errors.is_empty() => Ok((id.to_owned(), name.to_owned())),
        _ => Err(errors),
    }
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_project_without_a_name_has_its_id_as_name() {
        assert_eq!(
            valid(&json!({"id": "acme"})),
            Ok(("acme".into(), "acme".into()))
        );
        assert_eq!(
            valid(&json!({"id": "acme", "name": "É"})),
            Ok(("acme".into(), "É".into()))
        );
    }

    #[test]
    fn each_wrong_field_is_named_once() {
        for (fields, wrong) in [
            (json!([]), vec!["project"]),
            (json!({}), vec!["id"]),
            (json!({"id": "A", "name": " "}), vec!["id", "name"]),
            (json!({"id": "a", "name": null}), vec!["name"]),
            (json!({"id": "a", "owner": "x"}), vec!["owner"]),
            (json!({"id": 1, "name": "a\u{7f}b"}), vec!["id", "name"]),
        ] {
            let errors = valid(&fields).unwrap_err();
            let named: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
            assert_eq!(named, wrong, "{fields}");
        }
    }
}
