//! Every operation of the management API.

mod account;
mod audit;
mod credentials;
mod keys;
mod leaks;
mod management_keys;
mod projects;
mod webhooks;

use keyward_core::management::Scope;

use crate::operation::{Answer, Body, Method, Op, Operation, Precondition, Who};

const READ: Option<Scope> = Some(Scope::KeysRead);
const WRITE: Option<Scope> = Some(Scope::KeysWrite);
const PROJECTS: Option<Scope> = Some(Scope::ProjectsWrite);
const USAGE: Option<Scope> = Some(Scope::UsageRead);
const CREDENTIALS_READ: Option<Scope> = Some(Scope::CredentialsRead);
const CREDENTIALS: Option<Scope> = Some(Scope::CredentialsWrite);
const AUDIT: Option<Scope> = Some(Scope::AuditRead);

/// Every operation.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    [
        account::TABLE,
        projects::TABLE,
        keys::TABLE,
        webhooks::TABLE,
        credentials::TABLE,
        leaks::TABLE,
        audit::TABLE,
        management_keys::TABLE,
    ]
    .into_iter()
    .flatten()
}

const fn get(op: Op, path: &'static str, answer: Answer, summary: &'static str) -> Operation {
    Operation {
        op,
        summary,
        method: Method::Get,
        path,
        who: Who::Key,
        scope: None,
        query: &[],
        body: Body::None,
        precondition: Precondition::None,
        status: 200,
        answer,
        refused: &[],
    }
}

const fn post(op: Op, path: &'static str, answer: Answer, summary: &'static str) -> Operation {
    Operation {
        method: Method::Post,
        body: Body::Nothing,
        ..get(op, path, answer, summary)
    }
}

const fn patch(op: Op, path: &'static str, answer: Answer, summary: &'static str) -> Operation {
    Operation {
        method: Method::Patch,
        precondition: Precondition::Required,
        ..get(op, path, answer, summary)
    }
}

const fn delete(op: Op, path: &'static str, answer: Answer, summary: &'static str) -> Operation {
    Operation {
        method: Method::Delete,
        precondition: Precondition::Optional,
        ..get(op, path, answer, summary)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_stands_in_the_table_once() {
        let listed: Vec<_> = all().map(|operation| operation.op).collect();
        let distinct: HashSet<_> = listed.iter().collect();
        assert_eq!(listed.len(), distinct.len());
        assert_eq!(listed.len(), Op::ALL.len());
        let ids: HashSet<_> = Op::ALL.iter().map(|op| op.id()).collect();
        assert_eq!(ids.len(), Op::ALL.len());
    }

    #[test]
    fn what_changes_something_needs_a_scope() {
        for operation in all() {
            let free = matches!(
                operation.op,
                Op::Whoami
                    | Op::ListProjects
                    | Op::ShowProject
                    | Op::ListEnvironments
                    | Op::SelfRevoke
                    | Op::GithubLeaks
            );
            assert_eq!(operation.scope.is_none(), free, "{}", operation.op.id());
        }
    }

    #[test]
    fn what_patches_names_its_version_and_what_reads_has_no_body() {
        for operation in all() {
            let id = operation.op.id();
            let patches = operation.method == Method::Patch;
            assert_eq!(
                operation.precondition == Precondition::Required,
                patches,
                "{id}"
            );
            if operation.method == Method::Get {
                assert_eq!(operation.body, Body::None, "{id}");
            }
            let names: HashSet<_> = operation.query.iter().map(|one| one.name).collect();
            assert_eq!(names.len(), operation.query.len(), "{id}");
        }
    }
}
