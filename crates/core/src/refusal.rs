//! Every way in which the gateway or the management API says no.
//!
//! One closed list: a stable code, a status, a sentence that a caller may read, a hint, and the
//! side to blame. [`crate::problem`] turns a refusal into the answer; nothing else does.

/// Who has to act so that the call works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The caller: another key, another page, another path.
    Client,
    /// The owner of the key or of the route.
    Owner,
    /// The origin behind the gateway.
    Origin,
    /// Keyward itself or the platform that it runs on.
    Platform,
}

macro_rules! refusals {
    ($($name:ident $status:literal $code:literal $side:ident $title:literal $detail:literal $fix:literal;)*) => {
        /// Why a request is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $(#[doc = $detail] $name,)*
        }

        impl Refusal {
            /// Every refusal, in the order of a request's way.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The stable code: never renamed, and the name of its page in `docs/errors/`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Who has to act.
            #[must_use]
            pub const fn side(self) -> Side {
                match self { $(Self::$name => Side::$side,)* }
            }

            /// A few words, the same for every occurrence (RFC 9457 section 3.1.3).
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// A sentence for the caller. Carries no values.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail,)* }
            }

            /// What to do about it; empty where there is nothing to do.
            #[must_use]
            pub const fn fix(self) -> &'static str {
                match self { $(Self::$name => $fix,)* }
            }
        }
    };
}

refusals! {
    ConfigInvalid 500 "config_invalid" Platform "Gateway misconfigured" "The gateway's configuration is not valid, so nothing is proxied." "The log of the deployment names the field; `keyward config check` finds it before a deployment.";
    MethodNotAllowed 405 "method_not_allowed" Client "Method not allowed" "This method is not served here." "Use one of the methods in the Allow header.";
    HeadTooLarge 431 "head_too_large" Client "Request head too large" "The request's target and headers are larger than the gateway reads." "Send fewer or shorter headers.";
    RouteUnknown 404 "route_unknown" Client "No such route" "No route of this gateway matches the host and path." "Check the base URL; the routes are in the deployment's gateway.toml.";
    PathAmbiguous 400 "path_ambiguous" Client "Ambiguous path" "The path can be read in more than one way, so it cannot be checked." "Send the path without dot segments, empty segments, `;`, encoded slashes or double encoding.";
    LoopDetected 508 "loop_detected" Owner "Loop detected" "The request has been through this gateway already." "Point the route's origin at the API itself, not at the gateway.";
    VerifyKeyInvalid 401 "verify_key_invalid" Client "May not ask" "Whether a call would be let through is told to nobody who does not prove who asks." "Send a key of the Worker secret KEYWARD_VERIFY_KEY as Keyward-Verify-Key.";
    ForwardedInvalid 400 "forwarded_invalid" Client "Forwarded call not understood" "What the proxy says of the call that it asks about is missing, contradictory or not in its form." "Have the proxy set each of the forwarded headers itself, once.";
    KeyMissing 401 "key_missing" Client "No key" "The request carries no API key." "Send the key in the place that the WWW-Authenticate header and the API's documentation name.";
    KeyAmbiguous 400 "key_ambiguous" Client "More than one key" "The request carries different keys, and the gateway does not choose between them." "Send one key, in one place.";
    KeyInvalid 401 "key_invalid" Client "Invalid key" "The API key is not valid here." "Check that the key was copied whole and belongs to this API.";
    StoreUnavailable 503 "store_unavailable" Platform "Key store unavailable" "Whether the key is valid cannot be known right now." "Try again after the time in Retry-After.";
    KeyRevoked 401 "key_revoked" Owner "Key revoked" "The key has been revoked." "Ask the owner of the API for a new key.";
    KeyExpired 401 "key_expired" Owner "Key expired" "The key has expired." "Ask the owner of the API for a new key.";
    KeyDisabled 401 "key_disabled" Owner "Key disabled" "The key is disabled." "Ask the owner of the API to enable it.";
    KeyNotYetValid 401 "key_not_yet_valid" Owner "Key not yet valid" "The key is not valid yet." "Wait until its start time, or ask the owner of the API to move it.";
    EnvironmentDenied 403 "environment_denied" Client "Wrong environment" "The key's environment is not accepted on this route." "Use a key of the environment that this route serves.";
    KindNotAccepted 403 "kind_not_accepted" Client "Wrong kind of key" "This kind of key is not accepted on this route." "Use a kind of key that the route accepts.";
    PrivateKeyInBrowser 403 "private_key_in_browser" Client "Private key in a browser" "A private key was sent by a web page, where anyone can read it." "Revoke this key: it has leaked. Use a public key in pages.";
    ReferrerDenied 403 "referrer_denied" Client "Website not allowed" "The key does not allow calls from this website." "Call from a page whose address the key allows, or ask the key's owner to add it.";
    SessionRequired 403 "session_required" Client "Session key required" "On this route a public key counts only in exchange for a session key." "Exchange the public key at /_keyward/v1/session, and send the session key.";
    ChallengeFailed 403 "challenge_failed" Client "Challenge not met" "The page has not shown that it met the challenge that this gateway demands." "Have the page meet the challenge again, for its own host and the configured action.";
    IpDenied 403 "ip_denied" Client "Address not allowed" "The key does not allow calls from this address." "Call from an address that the key allows.";
    AppDenied 403 "app_denied" Client "App not allowed" "The key does not allow calls from this app." "Call from an app that the key allows.";
    PathDenied 403 "path_denied" Client "Path not allowed" "The key does not allow this method and path." "Use a key that allows it, or ask the key's owner to add the path.";
    ScopeMissing 403 "scope_missing" Client "Scope missing" "The key lacks a scope that this route requires." "Use a key with the scopes in the WWW-Authenticate header.";
    WiderThanParent 403 "wider_than_parent" Client "More than its parent" "The derived key says more than the key that it was derived from, or ends more than 24 hours ahead." "Derive a key with scopes, addresses and paths that lie within those of its parent, and an end within 24 hours.";
    RateLimited 429 "rate_limited" Client "Too many calls" "More calls have come with this key than it is allowed in this time." "Wait as many seconds as Retry-After says, then call less often.";
    QuotaExceeded 429 "quota_exceeded" Client "Quota used up" "The key's quota for this period is used up." "Wait as many seconds as Retry-After says, or ask the key's owner for a larger quota.";
    CreditsExhausted 402 "credits_exhausted" Client "Credits used up" "The key's prepaid credits do not suffice for this call." "Ask the owner of the API for more credits; where Retry-After stands, there will be some after that time.";
    MeterUnavailable 503 "meter_unavailable" Platform "Meter unavailable" "The meter did not answer, so how far the key's limits go cannot be known right now." "Try again after the time in Retry-After.";
    CredentialUnavailable 500 "credential_unavailable" Platform "Credential unavailable" "The origin's credential is not available, so nothing was sent." "Set the Worker secret, or the project's value, that the route's credential names.";
    OriginUnreachable 502 "origin_unreachable" Origin "Origin unreachable" "The origin could not be reached." "Check that the origin is up and that the route's address is right.";
    OriginTimeout 504 "origin_timeout" Origin "Origin too slow" "The origin did not answer within the route's time-out." "Try again, or raise the route's timeout_ms.";
    AnswerUnguarded 502 "answer_unguarded" Origin "Answer cannot be guarded" "The origin's answer cannot be searched for the credential, so it is not passed on." "Let the origin answer without a content coding and without a switch of protocols, or turn the route's guard_body off.";
    InternalError 500 "internal_error" Platform "Internal error" "The gateway failed while handling this request; nothing was decided in its favour." "Try again; if it stays, report the request id.";
    CrossOriginDenied 403 "cross_origin_denied" Client "Cross-origin call" "The management API is not callable from other websites." "Call it from a server, from the CLI, or from the gateway's own origin.";
    EndpointUnknown 404 "endpoint_unknown" Client "No such endpoint" "The management API has no such endpoint." "See the management API's documentation.";
    MediaTypeUnsupported 415 "media_type_unsupported" Client "Media type not taken" "The body is of another media type than this call takes." "Send Content-Type: application/json, for a change of fields application/merge-patch+json, for an import application/x-ndjson.";
    BodyTooLarge 413 "body_too_large" Client "Body too large" "The body is larger than this endpoint reads." "Send less.";
    BodyInvalid 400 "body_invalid" Client "Body not understood" "The body is not the JSON that this endpoint expects." "See `errors`.";
    QueryInvalid 400 "query_invalid" Client "Query not understood" "A query parameter is unknown or has a value that is not allowed." "See `errors`.";
    KeySpecInvalid 422 "key_spec_invalid" Client "Key cannot be created" "The key's fields are not valid together." "See `errors`: each names a field and what to change.";
    ProjectUnknown 404 "project_unknown" Client "No such project" "There is no such project." "List the projects, or create it.";
    ProjectExists 409 "project_exists" Client "Project exists" "There is a project with this id already." "Use it, or choose another id.";
    ProjectSpecInvalid 422 "project_spec_invalid" Client "Project cannot be created" "The project's fields are not valid." "See `errors`.";
    KeyUnknown 404 "key_unknown" Client "No such key" "The project has no key with this id." "List the project's keys.";
    KeyStateConflict 409 "key_state_conflict" Client "Not in this state" "The key's state does not allow this change." "A revoked key stays revoked: create a new one. A deleted one can be undeleted first. A management key is revoked before it is deleted.";
    SecretUnknown 404 "secret_unknown" Client "No such secret" "The key has no secret with this id." "Show the key: it lists its secrets.";
    SecretExists 409 "secret_exists" Client "Secret taken" "A secret or an id that is given belongs to another key already." "Give each key a secret and an id of its own.";
    WebhookUnknown 404 "webhook_unknown" Client "No such webhook" "The project has no webhook with this id." "List the project's webhooks.";
    CredentialUnknown 404 "credential_unknown" Client "No such credential" "The project has no credential of this name." "List the project's credentials.";
    SignatureInvalid 401 "signature_invalid" Client "Invalid signature" "The signature of the report is not one of GitHub's." "Only GitHub's secret scanning may call this endpoint.";
    SigningKeysUnavailable 503 "signing_keys_unavailable" Platform "Signing keys unavailable" "GitHub's public keys could not be fetched, so whether the signature is valid cannot be known right now." "Try again after the time in Retry-After.";
    KeyProtected 409 "key_protected" Client "Key protected" "The key is protected against deletion." "Set `delete_protection` to false first.";
    RotationInProgress 409 "rotation_in_progress" Client "Rotation in progress" "The key has two secrets already: its last rotation has not ended." "Wait until the older secret has ended, revoke it, or rotate with an overlap of 0, which ends every older secret at once.";
    EnvironmentUnknown 404 "environment_unknown" Client "No such environment" "The project has no environment with this id." "List the project's environments, or create it.";
    EnvironmentExists 409 "environment_exists" Client "Environment exists" "The project has an environment with this id already." "Use it, or choose another id.";
    ProjectStateConflict 409 "project_state_conflict" Client "Not in this state" "The project's state does not allow this change." "Restore or resume the project first.";
    ManagementKeyUnknown 404 "management_key_unknown" Client "No such management key" "There is no management key with this id." "List the management keys.";
    AccountKeyRequired 403 "account_key_required" Client "Account key required" "This call takes a management key of the account, not one of a project." "Use a management key of the account.";
    WiderThanCaller 403 "wider_than_caller" Client "More than the caller may" "A management key cannot make or change one that can do more than itself." "Use a key with the same project, scopes, addresses and life, or ask for less.";
    BootstrapDenied 403 "bootstrap_denied" Client "Bootstrap secret" "The bootstrap secret makes the first management key of the account, once, and does nothing else." "Call with a management key. To get back in after all are lost, set another bootstrap secret.";
    PreconditionRequired 428 "precondition_required" Client "If-Match required" "This change has to say which version it changes." "Send If-Match with the ETag of the version that you have read.";
    VersionConflict 412 "version_conflict" Client "Changed meanwhile" "The version in If-Match is not the current one, so nothing was changed." "Read it again, look at what has changed, and repeat the change on that version.";
    IdempotencyMismatch 422 "idempotency_mismatch" Client "Idempotency key used" "This Idempotency-Key was used for another request not long ago." "Use a new Idempotency-Key for each request, and the same one only to repeat it.";
    HeaderInvalid 400 "header_invalid" Client "Header not understood" "A header of the request has a value that is not allowed." "See `errors`.";
    RequestInvalid 422 "request_invalid" Client "Fields not valid" "The fields of the request are not valid." "See `errors`: each names a field and what to change.";
    RegistryUnavailable 503 "registry_unavailable" Platform "Registry unavailable" "The registry did not answer; the change may or may not have been made." "Look whether it was, then try again.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Refusal;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let codes: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        assert!(
            codes
                .iter()
                .all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
        assert!(
            Refusal::ALL
                .iter()
                .all(|refusal| (400..=599).contains(&refusal.status()))
        );
    }
}
