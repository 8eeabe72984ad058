//! What an operation may be refused with, from what it is.

use keyward_core::refusal::Refusal;

use super::{Body, Method, Operation, Precondition, Who};

impl Operation {
    /// Everything that it may be refused with, in the order of a request's way; each once.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        let mut all = EVERYWHERE.to_vec();
        if self.who == Who::Account {
            all.push(Refusal::AccountKeyRequired);
        }
        if self.who == Who::GitHub {
            all.retain(|one| !matches!(one, Refusal::KeyMissing | Refusal::KeyInvalid));
        } else if self.who != Who::Holder {
            all.extend([Refusal::IpDenied, Refusal::BootstrapDenied]);
        }
        all.extend(self.scope.map(|_| Refusal::ScopeMissing));
        all.extend(self.path_parameters().filter_map(|name| self.unknown(name)));
        if self.body != Body::None || self.method == Method::Delete {
            all.extend([
                Refusal::MediaTypeUnsupported,
                Refusal::BodyTooLarge,
                Refusal::BodyInvalid,
            ]);
        }
        all.extend(self.body.refusal());
        if self.precondition == Precondition::Required {
            all.push(Refusal::PreconditionRequired);
        }
        if self.precondition != Precondition::None {
            all.extend([Refusal::HeaderInvalid, Refusal::VersionConflict]);
        }
        if self.method == Method::Post {
            all.extend([Refusal::HeaderInvalid, Refusal::IdempotencyMismatch]);
        }
        all.extend_from_slice(self.refused);
        Refusal::ALL
            .iter()
            .copied()
            .filter(|refusal| all.contains(refusal))
            .collect()
    }

    fn unknown(&self, parameter: &str) -> Option<Refusal> {
        Some(match parameter {
            "project" => Refusal::ProjectUnknown,
            "environment" => Refusal::EnvironmentUnknown,
            "webhook" => Refusal::WebhookUnknown,
            // Setting one makes it.
            "credential" => return None,
            "secret" => Refusal::SecretUnknown,
            _ if self.path.starts_with("management-keys/") => Refusal::ManagementKeyUnknown,
            _ => Refusal::KeyUnknown,
        })
    }
}

/// What any call may be refused with.
const EVERYWHERE: &[Refusal] = &[
    Refusal::ConfigInvalid,
    Refusal::HeadTooLarge,
    Refusal::PathAmbiguous,
    Refusal::LoopDetected,
    Refusal::CrossOriginDenied,
    Refusal::KeyMissing,
    Refusal::KeyInvalid,
    Refusal::EndpointUnknown,
    Refusal::MethodNotAllowed,
    Refusal::QueryInvalid,
    Refusal::RegistryUnavailable,
    Refusal::InternalError,
];
