//! `/_keyward/v1/projects`.

use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde::Serialize;
use serde_json::Value;
use worker::Env;

use super::answer::{Answer, Refused};
use super::query::{self, Query};
use crate::registry::client;
use crate::registry::message::{AccountAnswer, AccountCommand, Project};

/// The longest name of a project, in characters.
const LONGEST_NAME: usize = 100;

/// A project as it is shown.
#[derive(Serialize)]
struct View {
    id: String,
    name: String,
    created_at: String,
}

#[derive(Serialize)]
struct Page {
    items: Vec<View>,
    next_cursor: Option<String>,
}

impl From<Project> for View {
    fn from(project: Project) -> Self {
        let created_at = project.created_at.to_string();
        Self {
            id: project.id,
            name: project.name,
            created_at,
        }
    }
}

/// `POST /projects`.
///
/// # Errors
/// [`Refusal::ProjectSpecInvalid`], [`Refusal::ProjectExists`], [`Refusal::RegistryUnavailable`].
pub(super) async fn create(env: &Env, fields: &Value) -> Result<Answer, Refused> {
    let (id, name) =
        valid(fields).map_err(|errors| Refused::fields(Refusal::ProjectSpecInvalid, errors))?;
    match client::account(env, &AccountCommand::Create { id, name }).await? {
        AccountAnswer::Project(project) => {
            client::found(env, &project.id).await?;
            let location = format!("/_keyward/v1/projects/{}", project.id);
            Ok(Answer::json(201, &View::from(project))?.with_header("location", location))
        }
        AccountAnswer::Exists => Err(Refusal::ProjectExists.into()),
        _ => Err(Refusal::InternalError.into()),
    }
}

/// `GET /projects`: the newest first.
///
/// # Errors
/// [`Refusal::QueryInvalid`], [`Refusal::RegistryUnavailable`].
pub(super) async fn list(env: &Env, query: &Query) -> Result<Answer, Refused> {
    let command = AccountCommand::List {
        limit: query.limit()?,
        before: query.cursor()?,
    };
    match client::account(env, &command).await? {
        AccountAnswer::Projects { items, next } => {
            let items = items.into_iter().map(View::from).collect();
            Answer::json(
                200,
                &Page {
                    items,
                    next_cursor: next.map(query::cursor_at),
                },
            )
        }
        _ => Err(Refusal::InternalError.into()),
    }
}

/// `GET /projects/{p}`.
///
/// # Errors
/// [`Refusal::ProjectUnknown`], [`Refusal::RegistryUnavailable`].
pub(super) async fn show(env: &Env, project: &str) -> Result<Answer, Refused> {
    match client::account(
        env,
        &AccountCommand::Show {
            id: project.to_owned(),
        },
    )
    .await?
    {
        AccountAnswer::Project(project) => Answer::json(200, &View::from(project)),
        AccountAnswer::Unknown => Err(Refusal::ProjectUnknown.into()),
        _ => Err(Refusal::InternalError.into()),
    }
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
