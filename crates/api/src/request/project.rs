//! Projects, environments and owners.

use keyward_core::limits::Limits;
use keyward_core::names;
use keyward_core::record::RevocationMode;
use keyward_core::revocation::LONGEST_NOTE;
use keyward_core::spec::limits::{self, Whose};
use keyward_core::spec::{FieldError, LONGEST_NAME, LONGEST_OWNER};
use serde_json::Value;

use super::object;

/// The shortest life that a project may give its secrets, in seconds.
pub const SHORTEST_LIFE_S: u64 = 60;
/// The longest: ten years.
pub const LONGEST_LIFE_S: u64 = 3650 * 86_400;
/// The shortest time after which a secret may end that a page has sent: an hour.
pub const SHORTEST_BROWSER_END_S: u64 = 3_600;
/// The longest: 30 days.
pub const LONGEST_BROWSER_END_S: u64 = 30 * 86_400;
/// The longest time before the end of a secret to be warned in: a year.
pub const LONGEST_WARNING_S: u64 = 365 * 86_400;

/// A project to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProject {
    /// Names it for ever.
    pub id: String,
    /// The id unless one is given.
    pub name: String,
}

impl NewProject {
    /// Reads `id` and `name`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        object(body, ("project", "a project"), &["id", "name"], |read| {
            read.require("id");
            let id = read.word("id").unwrap_or_default();
            if read.has("id") && !names::is_project_id(id) {
                read.refuse(
                    "id",
                    "write 1 to 40 lower-case letters, digits and single hyphens between them",
                );
            }
            Self {
                id: id.to_owned(),
                name: read
                    .text("name", LONGEST_NAME)
                    .unwrap_or_else(|| id.to_owned()),
            }
        })
    }
}

/// How soon changes of keys hold.
const REVOCATION: &[(&str, RevocationMode)] = &[
    ("strict", RevocationMode::Strict),
    ("eventual", RevocationMode::Eventual),
];

/// What becomes of a private key's secret that has leaked.
const ON_LEAK: &[(&str, ())] = &[("revoke", ()), ("flag", ())];

/// Whether a merge patch of a project is one: `name`, `max_age_s`, `warn_s`, `revocation`, `on_leak`,
/// `browser_end_s`.
///
/// # Errors
/// Every field that is wrong.
pub fn project_patch(body: &Value) -> Result<(), Vec<FieldError>> {
    let known = [
        "name",
        "max_age_s",
        "warn_s",
        "revocation",
        "on_leak",
        "browser_end_s",
    ];
    object(body, ("project", "a project's patch"), &known, |read| {
        read.text("name", LONGEST_NAME);
        read.optional("max_age_s", |read, field| {
            read.whole(field, SHORTEST_LIFE_S..=LONGEST_LIFE_S)
        });
        read.optional("warn_s", |read, field| {
            read.whole(field, 0..=LONGEST_WARNING_S)
        });
        read.optional("revocation", |read, field| read.choice(field, REVOCATION));
        read.optional("on_leak", |read, field| read.choice(field, ON_LEAK));
        read.optional("browser_end_s", |read, field| {
            read.whole(field, SHORTEST_BROWSER_END_S..=LONGEST_BROWSER_END_S)
        });
    })
}

/// A remark on a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// For people.
    pub note: Option<String>,
}

impl Note {
    /// Reads `note`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        object(body, ("body", "this change"), &["note"], |read| Self {
            note: read.text("note", LONGEST_NOTE),
        })
    }
}

/// An environment to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEnvironment {
    /// Stands in the secrets of its keys.
    pub id: String,
}

impl NewEnvironment {
    /// Reads `id`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        object(body, ("body", "an environment"), &["id"], |read| {
            read.require("id");
            let id = read.word("id").unwrap_or_default();
            if read.has("id") && !names::is_environment(id) {
                read.refuse("id", "write 1 to 12 lower-case letters and digits");
            }
            Self { id: id.to_owned() }
        })
    }
}

/// A change of an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    /// Whoever keys were given to.
    pub owner: String,
    /// For people.
    pub note: Option<String>,
}

impl OwnerChange {
    /// Reads `owner` and `note`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        object(body, ("body", "this change"), &["owner", "note"], |read| {
            read.require("owner");
            Self {
                owner: read.text("owner", LONGEST_OWNER).unwrap_or_default(),
                note: read.text("note", LONGEST_NOTE),
            }
        })
    }
}

/// The limits that an owner's keys are to share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerLimits {
    /// Whoever keys were given to.
    pub owner: String,
    /// All of them; none takes them away.
    pub limits: Option<Limits>,
}

impl OwnerLimits {
    /// Reads `owner` and `limits`, which is `null` for none.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        let known = ["owner", "limits"];
        object(body, ("body", "this change"), &known, |read| {
            read.require("owner");
            read.require("limits");
            Self {
                owner: read.text("owner", LONGEST_OWNER).unwrap_or_default(),
                limits: read.optional("limits", |read, field| {
                    Some(limits::read(read, field, Whose::Owner))
                }),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::wrong;

    #[test]
    fn a_project_without_a_name_has_its_id_as_name() {
        let named = |body| NewProject::read(&body).map(|project| project.name);
        assert_eq!(named(json!({"id": "acme"})), Ok("acme".into()));
        assert_eq!(named(json!({"id": "acme", "name": "É"})), Ok("É".into()));
    }

    #[test]
    fn each_wrong_field_is_named_once() {
        for (fields, expected) in [
            (json!([]), vec!["project"]),
            (json!({}), vec!["id"]),
            (json!({"id": "A", "name": " "}), vec!["id", "name"]),
            (json!({"id": "a", "name": null}), vec!["name"]),
            (json!({"id": "a", "owner": "x"}), vec!["owner"]),
            (json!({"id": 1, "name": "a\u{7f}b"}), vec!["id", "name"]),
        ] {
            assert_eq!(wrong(NewProject::read(&fields)), expected, "{fields}");
        }
        assert_eq!(wrong(NewEnvironment::read(&json!({}))), ["id"]);
        assert_eq!(wrong(NewEnvironment::read(&json!({"id": "Live"}))), ["id"]);
        assert_eq!(
            wrong(OwnerChange::read(&json!({"note": 1}))),
            ["owner", "note"]
        );
        assert_eq!(wrong(Note::read(&json!({"reason": "x"}))), ["reason"]);
    }

    #[test]
    fn a_patch_may_take_a_policy_away_but_not_the_name() {
        for good in [
            json!({}),
            json!({"name": "B", "max_age_s": 7_776_000, "warn_s": 0}),
            json!({"max_age_s": null, "warn_s": null, "browser_end_s": null}),
            json!({"browser_end_s": 3_600}),
        ] {
            assert_eq!(project_patch(&good), Ok(()), "{good}");
        }
        for (bad, expected) in [
            (json!({"name": null}), vec!["name"]),
            (json!({"max_age_s": 59}), vec!["max_age_s"]),
            (json!({"browser_end_s": 3_599}), vec!["browser_end_s"]),
            (json!({"browser_end_s": 2_592_001}), vec!["browser_end_s"]),
            (json!({"warn_s": "14d", "id": "b"}), vec!["warn_s", "id"]),
        ] {
            assert_eq!(wrong(project_patch(&bad)), expected, "{bad}");
        }
    }
}
