//! Secrets that were found where they must not be: by whoever has a management key, or by GitHub.
//!
//! The account registry says which project each is of, and answers for management keys; each of
//! these projects is asked once. So is each whose registry the first version wrote, about those that nobody has
//! reserved, until it has reserved its own.

mod github;
mod signer;

use std::collections::BTreeMap;

use keyward_api::request;
use keyward_api::view::{LeakedSecret, LeakedSecrets};
use keyward_core::refusal::Refusal;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::reply;
use crate::registry::message::{AccountCommand, Leak, LeaksOfAccount, ProjectCommand, Reply};

pub(super) use self::github::report as github;
pub(super) use self::signer::verify as verify_github;

/// Shows those that are known, and when they are reported, does what has to be done.
///
/// # Errors
/// What the operation may be refused with.
pub(super) async fn answer(asked: &Asked<'_>, report: bool) -> Result<Answer, Refused> {
    let found = asked.fields(request::found)?;
    let leaks = found.into_iter().map(|found| Leak {
        digest: found.digest,
        source: found.source,
        url: found.url,
        derived: false,
    });
    let items = dealt_with(asked, leaks.collect(), report).await?;
    Answer::json(asked.known.operation.status, &LeakedSecrets { items })
}

/// What is known of these secrets, after what has to be done.
async fn dealt_with(
    asked: &Asked<'_>,
    leaks: Vec<Leak>,
    report: bool,
) -> Result<Vec<LeakedSecret>, Refused> {
    let command = AccountCommand::Leaked {
        leaks: leaks.clone(),
        report,
        only: asked.caller.project().map(str::to_owned),
    };
    let thing = reply::thing(asked, asked.consult_account(command).await?)?;
    let LeaksOfAccount {
        projects,
        unreserved,
        more,
        management: mut items,
    } = reply::read(&thing.item)?;
    let mut unknown: Vec<Leak> = leaks.clone();
    let mut by_project: BTreeMap<String, Vec<Leak>> = BTreeMap::new();
    for (digest, project) in projects {
        unknown.retain(|leak| leak.digest != digest);
        let own = leaks.iter().filter(|leak| leak.digest == digest);
        by_project.entry(project).or_default().extend(own.cloned());
    }
    if !unknown.is_empty() {
        for project in unreserved {
            let own = by_project.entry(project).or_default();
            own.extend(unknown.iter().cloned());
        }
    }
    // What is live in one project does not wait for another that cannot answer: the report is refused
    // at the end, and sent again.
    let mut failure = None;
    for (project, leaks) in by_project {
        let command = ProjectCommand::Leaked { leaks, report };
        let known = match asked.consult_project(&project, command).await {
            Ok(Reply::Items { items, .. }) => items.iter().map(reply::read).collect(),
            Ok(reply) => Err(reply::refused(asked, reply)),
            Err(refused) => Err(refused),
        };
        match known {
            Ok::<Vec<_>, _>(known) => items.extend(known),
            Err(refused) => failure = failure.or(Some(refused)),
        }
    }
    let is_found = |leak: &Leak| items.iter().any(|item| item.sha256 == leak.digest);
    if more && !unknown.iter().all(is_found) {
        failure = failure.or(Some(Refusal::RegistryUnavailable.into()));
    }
    failure.map_or(Ok(items), Err)
}
