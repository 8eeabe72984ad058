//! The fields with which a key is created, and their validation: what passes here is what a
//! record can say, and every rule in it has a meaning.
//!
//! - `kind` may be left out: a key that names websites or apps is public, any other private.
//! - A public key names `referrers`, or says `any_referrer: true`, or names `apps`; exactly one
//!   of the three. A private key names none of them.
//! - A list that is given has at least one entry: an empty one could be read as "nobody" and as
//!   "anybody".
//! - `limits` name at least one limit ([`limits`]).
//! - `null` stands for "none" where none is a value (`owner`, `not_before`, `expires_at`), and is
//!   refused elsewhere: a restriction that got lost on the way must not make a wider key.

pub mod limits;
pub mod reader;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::limits::Whose;
use self::reader::Reader;
use crate::kind::Kind;
use crate::limits::Limits;
use crate::names;
use crate::record::{Record, SCHEMA, Status};
use crate::restrict::Restrictions;
use crate::time::Millis;

/// The longest `name`, in characters.
pub const LONGEST_NAME: usize = 100;
/// The longest `owner`, in characters.
pub const LONGEST_OWNER: usize = 200;
/// The most entries of `referrers`.
pub const MOST_REFERRERS: usize = 500;
/// The most entries of `scopes`, `ips` and `paths`.
pub const MOST_RULES: usize = 200;
/// The largest `metadata`, in bytes of JSON.
pub const LARGEST_METADATA: usize = 4096;

/// Every field.
pub const FIELDS: &[&str] = &[
    "name",
    "kind",
    "environment",
    "owner",
    "scopes",
    "referrers",
    "any_referrer",
    "ips",
    "apps",
    "paths",
    "not_before",
    "expires_at",
    "limits",
    "status",
    "metadata",
    "delete_protection",
];

/// A field that is wrong, why, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field, with its place in a list: `referrers[0]`.
    pub field: String,
    /// What is wrong with it, and what to write instead.
    pub detail: String,
}

/// A key's fields after validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidKey {
    /// For people; empty when none was given.
    pub name: String,
    /// Public or private.
    pub kind: Kind,
    /// `live` when none was given.
    pub environment: String,
    /// Whoever the key is given to: no control characters, no blanks around it, not empty. Not
    /// always ASCII.
    pub owner: Option<String>,
    /// Where, from where and for what the key may be used.
    pub restrictions: Restrictions,
    /// The key is valid from here on.
    pub not_before: Option<Millis>,
    /// The key is valid until just before; later than `not_before`. May be in the past.
    pub expires_at: Option<Millis>,
    /// How much the key may be used.
    pub limits: Limits,
    /// `active` when none was given.
    pub status: Status,
    /// The project's own notes on the key; the edge never sees them.
    pub metadata: Map<String, Value>,
    /// The key cannot be deleted until this is taken off. The edge never sees it.
    pub delete_protection: bool,
}

impl ValidKey {
    /// The record of one secret of a key with these fields.
    #[must_use]
    pub fn record(&self, project: &str, key_id: &str, secret_id: &str, version: u64) -> Record {
        Record {
            schema: SCHEMA,
            project: project.to_owned(),
            environment: self.environment.clone(),
            key_id: key_id.to_owned(),
            secret_id: secret_id.to_owned(),
            kind: self.kind,
            version,
            status: self.status,
            owner: self.owner.clone(),
            not_before: self.not_before,
            expires_at: self.expires_at,
            not_after: None,
            imported: false,
            restrictions: self.restrictions.clone(),
            limits: self.limits.clone(),
            owner_limits: None,
            revocation: None,
            derivation: None,
        }
    }
}

/// Parses and validates the fields of a key (the module says what they mean together).
///
/// # Errors
/// Every field that is wrong, once each.
pub fn validate(fields: &Value) -> Result<ValidKey, Vec<FieldError>> {
    let Value::Object(fields) = fields else {
        let detail = "a key is a JSON object of its fields".to_owned();
        return Err(vec![FieldError {
            field: "key".to_owned(),
            detail,
        }]);
    };
    let mut read = Reader::new(fields);
    let name = read.text("name", LONGEST_NAME);
    let kind = kind(&mut read);
    let environment = environment(&mut read);
    let owner = read.optional("owner", |read, field| read.text(field, LONGEST_OWNER));
    let restrictions = Restrictions {
        scopes: read.rules("scopes", MOST_RULES),
        referrers: read.rules("referrers", MOST_REFERRERS),
        any_referrer: read.flag("any_referrer"),
        ips: read.rules("ips", MOST_RULES),
        apps: read.apps("apps", MOST_RULES),
        paths: read.rules("paths", MOST_RULES),
    };
    let not_before = read.optional("not_before", Reader::time);
    let expires_at = read.optional("expires_at", Reader::time);
    if let (Some(start), Some(end)) = (not_before, expires_at)
        && end <= start
    {
        read.refuse("expires_at", "must be later than `not_before`");
    }
    let limits = limits::read(&mut read, "limits", Whose::Key);
    let status = status(&mut read);
    let metadata = read.object("metadata", LARGEST_METADATA);
    let delete_protection = read.flag("delete_protection");
    if !read.refused("kind") {
        require_one_audience(&mut read, kind, restrictions.any_referrer);
    }
    read.refuse_unknown("a key", FIELDS);
    let errors = read.into_errors();
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(ValidKey {
        name: name.unwrap_or_default(),
        kind,
        environment,
        owner,
        restrictions,
        not_before,
        expires_at,
        limits,
        status,
        metadata,
        delete_protection,
    })
}

/// The kind that is named, else the one that the restrictions imply.
fn kind(read: &mut Reader<'_>) -> Kind {
    let public = read.has("referrers") || read.has("apps") || read.is_true("any_referrer");
    let implied = if public { Kind::Public } else { Kind::Private };
    match read.word("kind") {
        None => return implied,
        Some("public") => return Kind::Public,
        Some("private") => return Kind::Private,
        Some("management") => read.refuse("kind", "management keys are not created here"),
        Some("derived") => read.refuse(
            "kind",
            "derived keys are minted by the holder of a private key, not created",
        ),
        Some(_) => read.refuse("kind", "write `public` or `private`"),
    }
    implied
}

fn environment(read: &mut Reader<'_>) -> String {
    let environment = read
        .word("environment")
        .unwrap_or(names::DEFAULT_ENVIRONMENT);
    if !names::is_environment(environment) {
        read.refuse(
            "environment",
            "write 1 to 12 lower-case letters and digits, such as `live` or `test`",
        );
    }
    environment.to_owned()
}

fn status(read: &mut Reader<'_>) -> Status {
    match read.word("status") {
        None | Some("active") => return Status::Active,
        Some("disabled") => return Status::Disabled,
        Some("revoked") => return Status::Revoked,
        Some("suspended") => return Status::Suspended,
        Some(_) => read.refuse(
            "status",
            "write `active`, `disabled`, `revoked` or `suspended`",
        ),
    }
    Status::default()
}

/// A public key says exactly once who may use it; a private key never.
fn require_one_audience(read: &mut Reader<'_>, kind: Kind, any_referrer: bool) {
    let referrers = read.has("referrers");
    let apps = read.has("apps");
    if kind != Kind::Public {
        let given = [
            ("referrers", referrers),
            ("any_referrer", any_referrer),
            ("apps", apps),
        ];
        for (field, _) in given.iter().filter(|(_, given)| *given) {
            read.refuse(
                field,
                "only a public key has it; leave it out, or write `\"kind\": \"public\"`",
            );
        }
        return;
    }
    match (referrers, any_referrer, apps) {
        (true, true, _) => read.refuse("any_referrer", "contradicts `referrers`; leave out one of them"),
        (true, _, true) => read.refuse("apps", "leave out `apps` or `referrers`: no call comes from both an app and a website; make a key for each"),
        (_, true, true) => read.refuse("apps", "leave out `apps` or `any_referrer`: a call that any website may make needs no app"),
        (false, false, false) => read.refuse("referrers", "a public key needs `referrers`, or `apps`, or an explicit `\"any_referrer\": true`"),
        _ => {}
    }
}
