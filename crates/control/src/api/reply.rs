//! A registry's reply becomes an answer.

use keyward_core::refusal::Refusal;
use serde::Serialize;

use super::answer::{Answer, Refused};
use super::query;
use crate::registry::message::{Publication, Reply, Shown};

/// What it means that something is unknown, or in conflict.
#[derive(Clone, Copy)]
pub(super) struct Meaning {
    pub(super) unknown: Refusal,
    pub(super) conflict: Refusal,
}

#[derive(Serialize)]
struct Page {
    items: Vec<Shown>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Changed {
    key: Shown,
    publication: Publication,
}

/// The answer to a call that shows or changes.
///
/// # Errors
/// What the meaning says, and [`Refusal::InternalError`] for a reply that does not fit.
pub(super) fn answer(reply: Reply, meaning: Meaning) -> Result<Answer, Refused> {
    match reply {
        Reply::Item { item, version } => {
            let answer = Answer::json(200, &item)?;
            Ok(match version {
                Some(version) => answer.with_header("etag", format!("\"{version}\"")),
                None => answer,
            })
        }
        Reply::Items { items, next } => {
            let next_cursor = next.map(query::cursor_at);
            Answer::json(200, &Page { items, next_cursor })
        }
        Reply::Changed { item, publication } => {
            let key = item;
            Answer::json(200, &Changed { key, publication })
        }
        Reply::Unknown => Err(meaning.unknown.into()),
        Reply::Conflict => Err(meaning.conflict.into()),
        Reply::Done | Reply::Unfounded => Err(Refusal::InternalError.into()),
    }
}
