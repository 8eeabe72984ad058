//! A call of a route, with a key, and what is found out about it on its way.

use super::outcome::Work;
use crate::credential::Credential;
use crate::head::Head;
use crate::refusal::Refusal;
use crate::restrict::path::CheckedPath;
use crate::route::Route;
use crate::secret::Digest;
use crate::throttle::OwnStanding;
use crate::time::Millis;
use crate::verify::Terms;

/// What is found out about a call on its way, whatever becomes of it.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) work: Work,
    /// The key's account, once it is clear that the caller may know of the key.
    pub(super) account: Option<u64>,
    /// Whether the meter has told of a newer record than that of the call.
    pub(super) outdated: bool,
    /// Whether the key is a derived one: its answer says nothing of its parent's limits.
    pub(super) derived: bool,
    /// The id of a private key's secret that a page has sent.
    pub(super) sent_by_page: Option<String>,
    /// The secret that the call carries, once it is clear that the caller may know of the key.
    pub(super) digest: Option<Digest>,
    /// The derived key itself, where the call carries one.
    pub(super) minted: Option<Digest>,
    /// How the limit stands that it brings along, once something of that is spent for who asks.
    pub(super) own: Option<OwnStanding>,
    /// Whether nothing of the call is counted.
    pub(super) uncounted: bool,
}

/// What a key was sent as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SentAs {
    /// The secret itself.
    Secret,
    /// A derived key. The digest is that of its parent's secret.
    Derived,
    /// A session key. The digest is that of the public key.
    Session,
}

/// A call of a route, with a key.
pub(super) struct Call<'c, 'a> {
    pub(super) head: &'c Head<'a>,
    pub(super) path: &'c CheckedPath<'a>,
    pub(super) route: &'c Route,
    pub(super) credential: &'c Credential<'a>,
    pub(super) digest: Digest,
    /// What it was sent as.
    pub(super) sent_as: SentAs,
    /// Why the session key that it was sent as does not hold.
    pub(super) ended: Option<Refusal>,
    /// What it spends of the limits of its key.
    pub(super) cost: u32,
    /// On what terms it is asked about; none for one that is to be forwarded.
    pub(super) terms: Option<&'c Terms>,
    pub(super) now: Millis,
}
