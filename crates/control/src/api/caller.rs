//! Who calls, and what they may ask for.
//!
//! A management secret is decided about by the account registry alone; what no deployment secret
//! has tagged is refused before it is asked. Everything that is not valid now has one answer. The
//! order of the other checks ([`Caller::require`]) is that of their answers: level, scope, project.
//! So nobody learns of what they may not see whether it exists.

use std::net::IpAddr;

use keyward_api::operation::{Op, Operation, Who};
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::management::{Reach, Scope};
use keyward_core::names;
use keyward_core::refusal::Refusal;
use keyward_core::secret::{Digest, Shape};
use keyward_edge::{bindings, log};
use subtle::ConstantTimeEq;
use worker::Env;
use zeroize::Zeroizing;

use super::answer::Refused;
use crate::registry::client;
use crate::registry::message::{AccountCommand, Actor, Call, Principal, Reply};

/// A shorter bootstrap secret could be guessed.
const SHORTEST_BOOTSTRAP: usize = 32;

/// Who calls.
pub(super) enum Caller {
    /// The holder of a management key.
    Key(Principal),
    /// The holder of the bootstrap secret with this SHA-256, in hexadecimal.
    Bootstrap { digest: String },
    /// GitHub, as its signature is to show.
    GitHub,
    /// The holder of a secret that is to be revoked.
    Holder { secret: Zeroizing<String> },
}

impl Caller {
    /// Finds out who holds a secret.
    ///
    /// # Errors
    /// [`Refusal::KeyInvalid`], [`Refusal::IpDenied`], [`Refusal::BootstrapDenied`],
    /// [`Refusal::ConfigInvalid`], [`Refusal::RegistryUnavailable`].
    pub(super) async fn authenticate(
        env: &Env,
        keyring: &Keyring,
        secret: &str,
        ip: Option<IpAddr>,
        op: Option<Op>,
        request_id: &str,
    ) -> Result<Self, Refused> {
        let digest = Digest::of(secret);
        let hex = digest.to_hex();
        let bootstrap = bindings::text(env, bindings::BOOTSTRAP_KEY).map(Zeroizing::new);
        if let Some(own) = bootstrap.as_deref().filter(|own| is_long_enough(own))
            // Digests are compared, so that the time tells nothing about the length either.
            && bool::from(Digest::of(own).as_bytes().ct_eq(digest.as_bytes()))
        {
            // What it is for, the registry decides in the transaction of the change: when the first
            // answer is lost, its repetition still gets the key.
            if op == Some(Op::CreateManagementKey) {
                return Ok(Self::Bootstrap { digest: hex });
            }
            let command = AccountCommand::AuthenticateBootstrap {
                digest: hex.clone(),
            };
            return match ask(env, command, request_id).await? {
                Reply::Done => Ok(Self::Bootstrap { digest: hex }),
                _ => Err(Refusal::BootstrapDenied.into()),
            };
        }
        if !is_management_secret(keyring, secret) {
            if bootstrap.is_some_and(|own| !is_long_enough(&own)) {
                let detail = format!("is shorter than {SHORTEST_BOOTSTRAP} characters");
                log::config_invalid(bindings::BOOTSTRAP_KEY, &detail);
                return Err(Refusal::ConfigInvalid.into());
            }
            return Err(Refusal::KeyInvalid.into());
        }
        let command = AccountCommand::Authenticate { digest: hex };
        match ask(env, command, request_id).await? {
            Reply::Principal(principal) if admits(&principal, ip) => Ok(Self::Key(principal)),
            Reply::Principal(_) => Err(Refusal::IpDenied.into()),
            _ => Err(Refusal::KeyInvalid.into()),
        }
    }

    /// Whether the caller may ask for an operation, on this project.
    ///
    /// # Errors
    /// [`Refusal::BootstrapDenied`], [`Refusal::AccountKeyRequired`], [`Refusal::ScopeMissing`],
    /// [`Refusal::ProjectUnknown`].
    pub(super) fn require(
        &self,
        operation: &Operation,
        project: Option<&str>,
    ) -> Result<(), Refused> {
        let principal = match self {
            Self::Key(principal) => principal,
            Self::Bootstrap { .. } if operation.who == Who::KeyOrBootstrap => return Ok(()),
            Self::Bootstrap { .. } => return Err(Refusal::BootstrapDenied.into()),
            Self::Holder { .. } | Self::GitHub => return Ok(()),
        };
        if operation.who == Who::Account && principal.project.is_some() {
            return Err(Refusal::AccountKeyRequired.into());
        }
        if let Some(scope) = operation.scope
            && !principal.scopes.contains(&scope)
        {
            return Err(Refused::scope(scope.word()));
        }
        // Who is bound to a project learns nothing of others; nobody is asked for what is no id.
        let known = |id: &str| {
            names::is_project_id(id) && principal.project.as_deref().is_none_or(|own| own == id)
        };
        match project {
            Some(id) if !known(id) => Err(Refusal::ProjectUnknown.into()),
            _ => Ok(()),
        }
    }

    /// Who is noted in the audit log. Whose key a holder's secret is, the registry knows.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Key(principal) => Actor::ManagementKey(principal.id.clone()),
            Self::Bootstrap { .. } => Actor::Bootstrap,
            Self::GitHub => Actor::GitHub,
            Self::Holder { .. } => Actor::Holder(String::new()),
        }
    }

    /// Whose repetitions of a request are the same request.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Key(principal) => principal.id.clone(),
            Self::Bootstrap { .. } => "bootstrap".to_owned(),
            Self::GitHub => "github".to_owned(),
            Self::Holder { secret } => format!("holder:{}", Digest::of(secret).to_hex()),
        }
    }

    /// The id of the calling management key.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Key(principal) => Some(&principal.id),
            Self::Bootstrap { .. } | Self::Holder { .. } | Self::GitHub => None,
        }
    }

    /// The one project that the caller is bound to.
    pub(super) fn project(&self) -> Option<&str> {
        match self {
            Self::Key(principal) => principal.project.as_deref(),
            Self::Bootstrap { .. } | Self::Holder { .. } | Self::GitHub => None,
        }
    }

    /// What the caller may do, and so what a management key of its making may.
    pub(super) fn scopes(&self) -> Vec<Scope> {
        match self {
            Self::Key(principal) => principal.scopes.clone(),
            Self::Bootstrap { .. } => Scope::ALL.iter().map(|(_, scope)| *scope).collect(),
            Self::Holder { .. } | Self::GitHub => Vec::new(),
        }
    }
}

/// Whether a secret is a management key's, as far as can be known without asking anybody.
pub(super) fn is_management_secret(keyring: &Keyring, secret: &str) -> bool {
    Shape::parse(secret)
        .is_some_and(|shape| shape.kind() == Kind::Management && keyring.verifies_tag(&shape))
}

fn is_long_enough(bootstrap: &str) -> bool {
    bootstrap.chars().count() >= SHORTEST_BOOTSTRAP
}

fn admits(principal: &Principal, ip: Option<IpAddr>) -> bool {
    let reach = Reach {
        project: principal.project.as_deref(),
        scopes: &principal.scopes,
        ips: &principal.ips,
        expires_at: principal.expires_at,
    };
    reach.admits(ip)
}

async fn ask(env: &Env, command: AccountCommand, request_id: &str) -> Result<Reply, Refused> {
    let call = Call {
        by: Actor::Keyward,
        ip: None,
        request_id: request_id.to_owned(),
        idempotency: None,
        command,
    };
    Ok(client::account(env, &call).await?)
}

#[cfg(test)]
mod tests {
    use keyward_api::operation::Op;
    use keyward_api::table;

    use super::*;

    fn key(project: Option<&str>, scopes: &[Scope]) -> Caller {
        Caller::Key(Principal {
            id: "key_1".to_owned(),
            name: "ci".to_owned(),
            project: project.map(str::to_owned),
            scopes: scopes.to_vec(),
            ips: Vec::new(),
            expires_at: None,
        })
    }

    fn refused(caller: &Caller, op: Op, project: Option<&str>) -> Option<Refusal> {
        let operation = table::all().find(|one| one.op == op).unwrap();
        let outcome = caller.require(operation, project);
        outcome.err().map(|refused| refused.refusal())
    }

    #[test]
    fn level_comes_before_scope_and_scope_before_the_project() {
        let none = key(Some("acme"), &[]);
        for op in [Op::CreateProject, Op::ArchiveProject, Op::AccountAudit] {
            let refusal = refused(&none, op, Some("other"));
            assert_eq!(refusal, Some(Refusal::AccountKeyRequired));
        }
        for project in ["acme", "other", "no id"] {
            let refusal = refused(&none, Op::ListKeys, Some(project));
            assert_eq!(refusal, Some(Refusal::ScopeMissing), "{project}");
        }
        let reader = key(Some("acme"), &[Scope::KeysRead]);
        for (project, expected) in [
            ("acme", None),
            ("other", Some(Refusal::ProjectUnknown)),
            ("no id", Some(Refusal::ProjectUnknown)),
        ] {
            assert_eq!(refused(&reader, Op::ListKeys, Some(project)), expected);
        }
    }

    #[test]
    fn an_account_key_reaches_every_project_and_only_what_its_scopes_say() {
        let account = key(None, &[Scope::KeysRead]);
        assert_eq!(refused(&account, Op::ListKeys, Some("any")), None);
        assert_eq!(
            refused(&account, Op::ListKeys, Some("Any")),
            Some(Refusal::ProjectUnknown)
        );
        assert_eq!(
            refused(&account, Op::CreateKey, Some("any")),
            Some(Refusal::ScopeMissing)
        );
        assert_eq!(refused(&account, Op::ShowProject, Some("any")), None);
    }

    #[test]
    fn the_bootstrap_secret_makes_a_key_and_nothing_else() {
        let bootstrap = Caller::Bootstrap {
            digest: String::new(),
        };
        for operation in table::all() {
            let free = matches!(operation.op, Op::Whoami | Op::CreateManagementKey);
            let expected = (!free).then_some(Refusal::BootstrapDenied);
            let id = operation.op.id();
            assert_eq!(refused(&bootstrap, operation.op, None), expected, "{id}");
        }
    }
}
