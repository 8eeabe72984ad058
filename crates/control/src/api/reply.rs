//! A registry's reply becomes the answer that the operation promises.

use keyward_api::condition::etag;
use keyward_api::cursor::cursor_at;
use keyward_api::operation::{Answer as Kind, Op};
use keyward_api::view;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use crate::registry::message::{Publication, Reply, Shown};

/// A reply, and whether it was given before.
pub(super) struct Given {
    pub(super) reply: Reply,
    pub(super) replayed: bool,
    /// The secret that it showed then, sealed.
    pub(super) sealed: Option<String>,
}

/// A thing that a reply tells of.
pub(super) struct Thing {
    pub(super) item: Shown,
    pub(super) version: Option<u64>,
    /// None where nothing has to be published.
    pub(super) publication: Option<view::Publication>,
    pub(super) in_force_by: Option<view::Time>,
}

/// Takes a reply out of a repetition.
pub(super) fn given(reply: Reply) -> Given {
    match reply {
        Reply::Replayed { reply, sealed } => Given {
            reply: *reply,
            replayed: true,
            sealed,
        },
        reply => Given {
            reply,
            replayed: false,
            sealed: None,
        },
    }
}

/// The answer to a call whose reply says all that is shown.
///
/// # Errors
/// What the reply refuses, and [`Refusal::InternalError`] for one that does not fit.
pub(super) fn answer(asked: &Asked<'_>, reply: Reply) -> Result<Answer, Refused> {
    let Given {
        reply, replayed, ..
    } = given(reply);
    let answer = match reply {
        Reply::Items { items, next } => list(asked, items, next)?,
        reply => single(asked, thing(asked, reply)?)?,
    };
    Ok(answer.with_header("idempotency-replayed", replayed.then(|| "true".to_owned())))
}

/// The thing that a reply tells of.
///
/// # Errors
/// As [`answer`].
pub(super) fn thing(asked: &Asked<'_>, reply: Reply) -> Result<Thing, Refused> {
    match reply {
        Reply::Item { item, version } => Ok(Thing {
            item,
            version,
            publication: None,
            in_force_by: None,
        }),
        Reply::Changed {
            item,
            version,
            publication,
            in_force_by,
        } => Ok(Thing {
            item,
            version,
            publication: Some(published(publication)),
            in_force_by: in_force_by.map(Into::into),
        }),
        reply => Err(refused(asked, reply)),
    }
}

/// Why there is no other answer.
pub(super) fn refused(asked: &Asked<'_>, reply: Reply) -> Refused {
    match reply {
        Reply::Refused { code, errors } => refusal(asked, &code, errors),
        Reply::Taken { .. } => Refusal::SecretExists.into(),
        Reply::Unfounded => Refusal::ProjectUnknown.into(),
        _ => Refusal::InternalError.into(),
    }
}

/// The headers that come with a thing: its version, and its address when it is new.
///
/// # Errors
/// [`Refusal::InternalError`] for a new thing without an id.
pub(super) fn with_headers(
    asked: &Asked<'_>,
    answer: Answer,
    item: &Shown,
    version: Option<u64>,
) -> Result<Answer, Refused> {
    let operation = asked.known.operation;
    let location = match operation.op {
        _ if !operation.has_location() => None,
        Op::CreateKey => Some(format!(
            "projects/{}/keys/{}",
            asked.segment("project"),
            id(item)?
        )),
        Op::CreateWebhook => Some(format!(
            "projects/{}/webhooks/{}",
            asked.segment("project"),
            id(item)?
        )),
        _ => Some(format!("{}/{}", operation.path, id(item)?)),
    };
    let location = location.map(|path| format!("{}{path}", keyward_api::BASE));
    let version = version.filter(|_| operation.answer.has_version());
    Ok(answer
        .with_header("etag", version.map(etag))
        .with_header("location", location))
}

/// Whether KV has it, as it is shown.
pub(super) const fn published(publication: Publication) -> view::Publication {
    match publication {
        Publication::Published => view::Publication::Published,
        Publication::Pending => view::Publication::Pending,
    }
}

/// A refusal by its code. That fields are wrong is said in the operation's own words.
fn refusal(asked: &Asked<'_>, code: &str, errors: Vec<FieldError>) -> Refused {
    let found = Refusal::ALL.iter().find(|refusal| refusal.code() == code);
    match found {
        Some(Refusal::KeySpecInvalid | Refusal::ProjectSpecInvalid | Refusal::RequestInvalid) => {
            asked.wrong_fields(errors)
        }
        Some(refusal) => Refused::fields(*refusal, errors),
        None => Refusal::InternalError.into(),
    }
}

fn single(asked: &Asked<'_>, thing: Thing) -> Result<Answer, Refused> {
    let status = asked.known.operation.status;
    let Thing {
        item,
        version,
        publication,
        in_force_by,
    } = thing;
    let published = publication.ok_or(Refusal::InternalError);
    let answer = match asked.known.operation.answer {
        Kind::ProjectChanged => {
            let (project, publication) = (&item, published?);
            Answer::json(
                status,
                &view::ProjectChanged {
                    project,
                    publication,
                    in_force_by,
                },
            )
        }
        Kind::EnvironmentChanged => {
            let (environment, publication) = (&item, published?);
            Answer::json(
                status,
                &view::EnvironmentChanged {
                    environment,
                    publication,
                    in_force_by,
                },
            )
        }
        Kind::KeyChanged => {
            let (key, publication) = (&item, published?);
            Answer::json(
                status,
                &view::KeyChanged {
                    key,
                    publication,
                    in_force_by,
                },
            )
        }
        Kind::OwnerChanged => {
            let view::OwnerKeys {
                owner,
                keys,
                limits,
            } = read(&item)?;
            let publication = published?;
            Answer::json(
                status,
                &view::OwnerChanged {
                    owner,
                    keys,
                    limits,
                    publication,
                    in_force_by,
                },
            )
        }
        Kind::CredentialChanged => {
            let (credential, publication) = (&item, published?);
            Answer::json(
                status,
                &view::CredentialChanged {
                    credential,
                    publication,
                },
            )
        }
        Kind::ManagementKeyChanged => {
            Answer::json(status, &view::ManagementKeyChanged { key: &item })
        }
        _ => Answer::json(status, &item),
    }?;
    with_headers(asked, answer, &item, version)
}

fn list(asked: &Asked<'_>, items: Vec<Shown>, next: Option<u64>) -> Result<Answer, Refused> {
    let status = asked.known.operation.status;
    let next_cursor = next.map(cursor_at);
    if asked.known.operation.answer.is_lines() {
        let answer = Answer::lines(status, &items);
        return Ok(answer.with_header("keyward-next-cursor", next_cursor));
    }
    Answer::json(status, &view::Page { items, next_cursor })
}

/// The id of a thing.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) fn id(item: &Shown) -> Result<String, Refused> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    read(item).map(|named: Named| named.id)
}

/// What a registry has written.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) fn read<T: for<'de> Deserialize<'de>>(item: &Shown) -> Result<T, Refused> {
    serde_json::from_str(item.get()).map_err(|_| Refusal::InternalError.into())
}

/// The same, as a value.
///
/// # Errors
/// [`Refusal::InternalError`].
pub(super) fn value(item: &Shown) -> Result<Value, Refused> {
    read(item)
}
