//! Keys of all projects: the account registry lists the projects, and each is asked for its keys,
//! one after the other, until the page is full or enough registries have been asked. A page may so
//! be short, or empty, while there is more.

use keyward_api::cursor::AccountCursor;
use keyward_api::view;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::{keys, reply};
use crate::registry::message::{AccountCommand, Page, ProjectCommand, Reply, Shown};

/// So many projects are asked for one page.
const MOST_PROJECTS: usize = 8;

/// Lists the keys of every project that the caller may see: the newest project's first.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn list(asked: &Asked<'_>) -> Result<Answer, Refused> {
    let limit = asked.query.limit();
    let mut items: Vec<Shown> = Vec::new();
    let mut next = Some(asked.query.account_cursor());
    for _ in 0..MOST_PROJECTS {
        let room = limit.saturating_sub(u32::try_from(items.len()).unwrap_or(limit));
        let Some(cursor) = next.take_if(|_| room > 0) else {
            break;
        };
        let (mut found, rest) = project(asked, cursor, room).await?;
        items.append(&mut found);
        next = rest;
    }
    let next_cursor = next.map(|cursor| cursor.write());
    Answer::json(
        asked.known.operation.status,
        &view::Page { items, next_cursor },
    )
}

/// Keys of the project that the cursor leads to, at most `limit`, and where to go on.
async fn project(
    asked: &Asked<'_>,
    cursor: AccountCursor,
    limit: u32,
) -> Result<(Vec<Shown>, Option<AccountCursor>), Refused> {
    let AccountCursor { projects, within } = cursor;
    let Some((id, following)) = project_after(asked, projects).await? else {
        return Ok((Vec::new(), None));
    };
    // The project of the cursor may have been archived meanwhile: then another stands here.
    let from = within.filter(|(own, _)| *own == id).map(|(_, from)| from);
    let command = ProjectCommand::ListKeys {
        page: Page { limit, from },
        filter: keys::filter(&asked.query),
    };
    match asked.consult_project(&id, command).await? {
        Reply::Items { items, next } => {
            let rest = match next {
                Some(position) => Some(AccountCursor {
                    projects,
                    within: Some((id, position)),
                }),
                None => following.map(|position| AccountCursor {
                    projects: Some(position),
                    within: None,
                }),
            };
            Ok((items, rest))
        }
        reply => Err(reply::refused(asked, reply)),
    }
}

/// The newest project that is older than a position, and its own position when there are others
/// behind it.
async fn project_after(
    asked: &Asked<'_>,
    from: Option<u64>,
) -> Result<Option<(String, Option<u64>)>, Refused> {
    let command = AccountCommand::ListProjects {
        page: Page { limit: 1, from },
        status: None,
        only: asked.caller.project().map(str::to_owned),
    };
    match asked.consult_account(command).await? {
        Reply::Items { items, next } => match items.first() {
            Some(item) => Ok(Some((reply::id(item)?, next))),
            None => Ok(None),
        },
        reply => Err(reply::refused(asked, reply)),
    }
}
