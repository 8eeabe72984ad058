//! What the gateway says is to be done, and what it is told when that was done.

use super::Reply;
use crate::account::{Errand, Question};
use crate::forward::Forward;
use crate::records::{Load, Loaded};
use crate::vault::Read;

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Answer by itself.
    Respond(Response),
    /// Answer with this and the OpenAPI document of the management API.
    Document(Response),
    /// Answer with this and the public keys that origins verify with.
    KeySet(Response),
    /// Answer without a body, with the assertion of the claims that stand in its place as
    /// `Keyward-Assertion`.
    Vouch(Response),
    /// Hand the request to the management API.
    Management,
    /// Read the body, then ask again with it behind the head, as [`BODY`](crate::verify::BODY).
    Body(Work),
    /// Send this form to a service, then ask again with what it answered behind the head, as
    /// [`VERDICT`](crate::turnstile::VERDICT).
    Challenge {
        /// The service's address.
        url: String,
        /// What it is sent.
        form: String,
        /// What the call that asks for it does not wait for.
        work: Work,
    },
    /// Read KV, then ask again with what it answered.
    Load(Load),
    /// Ask meters, then ask again with what they answered.
    Ask(Ask),
    /// Read a credential, tell [`Gateway::unlocked`](super::Gateway::unlocked), then ask again.
    Unlock(Read),
    /// Send this to the origin.
    Forward {
        /// The edits registered for the key and the route.
        id: u32,
        /// What differs from request to request.
        forward: Forward<'a>,
        /// What the deployment's key has to sign for the header `Signature`, where it does.
        base: Option<String>,
        /// What to do in the background.
        work: Work,
    },
}

/// An answer that the gateway gives by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case; no value is empty.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for HEAD.
    pub body: String,
    /// What to do in the background: also a refused call keeps its record fresh, or refused calls
    /// could keep an old record in use.
    pub work: Work,
    /// For how many milliseconds the answer is held back: nothing waits for it but its client.
    pub hold_ms: u32,
}

impl Response {
    /// An answer of status 204.
    pub(super) fn empty(headers: Vec<(&'static str, String)>) -> Self {
        Self {
            status: 204,
            headers,
            body: String::new(),
            work: Work::default(),
            hold_ms: 0,
        }
    }
}

/// What a call brings about in the background.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// A read of KV.
    pub refresh: Option<Load>,
    /// A read of a credential.
    pub unlock: Option<Read>,
    /// Exchanges with the meter of the key.
    pub key: [Option<Errand>; 2],
    /// Exchanges with the meter of its owner's limits.
    pub owner: [Option<Errand>; 2],
}

/// Meters to ask, at once, or a pause to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// To be given back with the answers.
    pub patience: u32,
    /// A pause, in milliseconds, where there is nothing to ask yet.
    pub pause_ms: u32,
    /// The questions: to the meter of the key, to that of its owner's limits, or to both.
    pub questions: Vec<Question>,
}

/// What a call has waited for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waited<'a> {
    /// From [`Ask::patience`]; 0 when it has not waited for meters.
    pub patience: u32,
    /// What KV answered, for [`Outcome::Load`].
    pub loaded: Option<Loaded<'a>>,
    /// Whether a credential was read, for [`Outcome::Unlock`].
    pub unlocked: bool,
    /// What the meters answered, for [`Outcome::Ask`].
    pub replies: &'a [Reply<'a>],
}
