//! The fields of a management key, and their validation.
//!
//! - `name` is required: an audit log of nameless keys tells nothing.
//! - `scopes` that are left out are those of whoever makes the key.
//! - `null` stands for "none" in `project`, `not_before` and `expires_at`, and is refused elsewhere.
//!   In a change (RFC 7396) it takes a field away: `ips` too, but neither `name` nor `scopes`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Reach, Scope};
use crate::merge_patch;
use crate::names;
use crate::restrict::ip::IpRule;
use crate::spec::reader::Reader;
use crate::spec::{FieldError, LONGEST_NAME, MOST_RULES};
use crate::time::{Millis, rfc3339};

/// Every field.
pub const FIELDS: &[&str] = &[
    "name",
    "project",
    "scopes",
    "ips",
    "not_before",
    "expires_at",
];

const THING: &str = "a management key";

/// The fields of a management key after validation, and the JSON that they are written as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fields {
    /// For people.
    pub name: String,
    /// None: the whole account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// At least one, each once, in the order of [`Scope::ALL`].
    pub scopes: Vec<Scope>,
    /// Where it may be used from; empty: anywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<IpRule>,
    /// It is valid from here on.
    #[serde(skip_serializing_if = "Option::is_none", with = "rfc3339")]
    pub not_before: Option<Millis>,
    /// It is valid until just before; later than `not_before`. May be in the past.
    #[serde(skip_serializing_if = "Option::is_none", with = "rfc3339")]
    pub expires_at: Option<Millis>,
}

impl Fields {
    /// What keeps these from being the fields of the account's first key. The bootstrap secret is
    /// spent on it, so it has to be able to make every other key, and now.
    ///
    /// # Errors
    /// Every field that is in the way.
    pub fn open_the_account(&self, now: Millis) -> Result<(), Vec<FieldError>> {
        let all = Scope::ALL
            .iter()
            .all(|(_, scope)| self.scopes.contains(scope));
        let begun = self.not_before.is_none_or(|start| start <= now);
        let over = self.expires_at.is_some_and(|end| end <= now);
        let errors: Vec<_> = [
            (
                all,
                "scopes",
                "the account's first key has every scope; leave it out",
            ),
            (
                begun,
                "not_before",
                "the account's first key is valid at once; leave it out",
            ),
            (
                !over,
                "expires_at",
                "the account's first key is valid now; write a time to come",
            ),
        ]
        .into_iter()
        .filter(|(holds, ..)| !holds)
        .map(|(_, field, detail)| FieldError {
            field: field.to_owned(),
            detail: detail.to_owned(),
        })
        .collect();
        finish((), errors)
    }

    /// What a key with these fields can do.
    #[must_use]
    pub fn reach(&self) -> Reach<'_> {
        Reach {
            project: self.project.as_deref(),
            scopes: &self.scopes,
            ips: &self.ips,
            expires_at: self.expires_at,
        }
    }
}

/// Parses and validates the fields of a new management key. `own` are the scopes of whoever makes
/// it.
///
/// # Errors
/// Every field that is wrong, once each.
pub fn validate(fields: &Value, own: &[Scope]) -> Result<Fields, Vec<FieldError>> {
    let mut read = Reader::new(object(fields)?);
    let mut valid = read_fields(&mut read);
    if !read.has("scopes") {
        valid.scopes = own.to_vec();
    }
    read.refuse_unknown(THING, FIELDS);
    finish(valid, read.into_errors())
}

/// The fields after a merge patch. A key stays in its project.
///
/// # Errors
/// As [`validate`].
pub fn patch(current: &Fields, patch: &Value) -> Result<Fields, Vec<FieldError>> {
    let patch = object(patch)?;
    let mut change = Reader::new(patch);
    if change.has("project") {
        change.refuse(
            "project",
            "a management key stays in its project; leave it out",
        );
    }
    // Looked for in the patch itself: a `null` leaves no trace in what comes of it.
    change.refuse_unknown(THING, FIELDS);
    let mut errors = change.into_errors();

    let merged = merged(current, patch);
    let mut read = Reader::new(&merged);
    let valid = read_fields(&mut read);
    read.require("scopes");
    errors.extend(read.into_errors());
    finish(valid, errors)
}

/// The fields as they would be, without what a key does not have.
fn merged(current: &Fields, patch: &Map<String, Value>) -> Map<String, Value> {
    let mut known = patch.clone();
    known.retain(|field, _| field != "project" && FIELDS.contains(&field.as_str()));
    // Strings and lists under fixed names: there is nothing that could fail.
    let mut fields = serde_json::to_value(current).unwrap_or_default();
    merge_patch::apply(&mut fields, &Value::Object(known));
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn read_fields(read: &mut Reader<'_>) -> Fields {
    read.require("name");
    let name = read.text("name", LONGEST_NAME).unwrap_or_default();
    let project = read.optional("project", project);
    let scopes = scopes(read);
    let ips = read.rules("ips", MOST_RULES);
    let not_before = read.optional("not_before", Reader::time);
    let expires_at = read.optional("expires_at", Reader::time);
    if let (Some(start), Some(end)) = (not_before, expires_at)
        && end <= start
    {
        read.refuse("expires_at", "must be later than `not_before`");
    }
    Fields {
        name,
        project,
        scopes,
        ips,
        not_before,
        expires_at,
    }
}

fn project(read: &mut Reader<'_>, field: &str) -> Option<String> {
    let id = read.word(field)?;
    if names::is_project_id(id) {
        return Some(id.to_owned());
    }
    read.refuse(
        field,
        "write the id of a project, or leave it out for a key of the account",
    );
    None
}

/// In one order, so that the same scopes in another are no change.
fn scopes(read: &mut Reader<'_>) -> Vec<Scope> {
    let given: Vec<Scope> = read.rules("scopes", Scope::ALL.len());
    let mut scopes = given.clone();
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.len() < given.len() {
        read.refuse("scopes", "name each scope once");
    }
    scopes
}

fn object(fields: &Value) -> Result<&Map<String, Value>, Vec<FieldError>> {
    fields.as_object().ok_or_else(|| {
        vec![FieldError {
            field: "key".to_owned(),
            detail: "a management key is a JSON object of its fields".to_owned(),
        }]
    })
}

fn finish<T>(valid: T, errors: Vec<FieldError>) -> Result<T, Vec<FieldError>> {
    if errors.is_empty() {
        Ok(valid)
    } else {
        Err(errors)
    }
}
