//! What is the same for every call of one key on one route: the entry registers it once.

use super::Gateway;
use crate::assertion;
use crate::credential;
use crate::forward;
use crate::head::Head;
use crate::kind::Kind;
use crate::restrict::path::CheckedPath;

/// What is the same for every request of one key on one route: registered once with the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Names the registration; unique within one instance of the module.
    pub id: u32,
    /// The route, for [`Gateway::answer`].
    pub route: usize,
    /// The kind of the key, for [`Gateway::answer`].
    pub kind: Kind,
    /// The account of the key, for [`Gateway::answer`] and [`Gateway::refuse_of`]; 0 for none.
    pub account: u64,
    /// Scheme, host and port of the origin: in front of the target of a request whose
    /// [`Forward::url`](crate::forward::Forward::url) is none.
    pub origin: String,
    /// Headers to delete, all copies.
    pub remove: Vec<String>,
    /// Headers to set after that: the mark against loops, identity and credential.
    pub set: Vec<(String, String)>,
    /// The claims of the assertion that the origin receives; none where the route has none.
    pub assertion: Option<String>,
    /// The secret of the credential, where the answer's planning is to be given it back or the body is
    /// searched for it: one that may have changed by then.
    pub secret: Option<String>,
    /// Whether the answer's body is searched for it.
    pub guard: bool,
    /// The registration that this one takes the place of; 0 for none.
    pub replaces: u32,
    /// Milliseconds until the origin's response headers must have arrived.
    pub timeout_ms: Option<u32>,
    /// Whether the platform's cache may answer in the origin's place. It knows URLs, not keys.
    pub cache: bool,
}

/// What the gateway keeps beside a record.
#[derive(Debug, Default)]
pub(super) struct Plans {
    /// The registered edits by route.
    routes: Vec<Registered>,
    /// The number of the key's account; 0 before there is one.
    pub(super) key: u64,
    /// That of the account of its owner's limits; 0 before there is one.
    pub(super) owner: u64,
}

/// Edits that are registered for a route.
#[derive(Clone, Copy, Debug)]
struct Registered {
    route: usize,
    id: u32,
    /// Of the credential's value that is in them.
    revision: u32,
    replaces: u32,
}

impl Plans {
    /// The key's account is the one of this number: it is among what is registered.
    pub(super) fn belong_to(&mut self, account: u64) {
        if account != self.key {
            self.routes.clear();
            self.key = account;
        }
    }

    /// The edits for a route with this value of its credential; if there are none, those that follow the
    /// `last` ones, in the place of those with another value.
    pub(super) fn id(&mut self, route: usize, revision: u32, last: &mut u32) -> u32 {
        let known = self.known(route);
        if let Some(known) = known.filter(|known| known.revision == revision) {
            return known.id;
        }
        *last = last.wrapping_add(1);
        self.routes.retain(|one| one.route != route);
        self.routes.push(Registered {
            route,
            id: *last,
            revision,
            replaces: known.map_or(0, |known| known.id),
        });
        *last
    }

    fn known(&self, route: usize) -> Option<Registered> {
        self.routes.iter().find(|one| one.route == route).copied()
    }
}

impl Gateway {
    /// What to register for the key and the route of a request that [`Gateway::handle`] has just
    /// said to forward.
    #[must_use]
    pub fn fixed(&mut self, text: &str) -> Option<Fixed> {
        let head = Head::parse(text)?;
        let path =
            CheckedPath::parse(head.target).unwrap_or_else(|_| CheckedPath::unchecked(head.path()));
        let route = self.routes.find(&head.host(), &path)?;
        let digest = self
            .records
            .digest(&credential::find(&route.key_in, &head).ok()?.key);
        let derived = self.derived.peek(&digest);
        let parent = derived.map_or(digest, |derived| derived.parent);
        let entry = self.records.entry(&parent)?;
        let record = entry.record.as_ref()?;
        let (plans, terms, kind) = match derived {
            Some(derived) => (&derived.plans, Some(&derived.terms), Kind::Derived),
            None => (&entry.plans, None, record.kind),
        };
        let Registered { id, replaces, .. } = plans.known(route.index)?;
        let value = self.vault.peek(route, &record.project);
        let secret = value.map(|value| value.text.as_str());
        let changes = value.is_some_and(|value| value.revision != 0);
        Some(Fixed {
            id,
            replaces,
            secret: secret
                .filter(|_| changes || route.guard_body)
                .map(str::to_owned),
            guard: route.guard_body,
            route: route.index,
            kind,
            account: plans.key,
            origin: route.origin.clone(),
            remove: forward::removed(route).map(str::to_owned).collect(),
            set: forward::fixed(route, record, terms, secret, &self.token),
            assertion: route
                .asserted_by
                .as_ref()
                .map(|issuer| assertion::claims(issuer, &route.origin, record, terms)),
            timeout_ms: route.timeout_ms,
            cache: route.cache_origin,
        })
    }
}
