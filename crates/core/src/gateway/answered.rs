//! The origin's answer: what of it is changed.

use super::Gateway;
use crate::answer::{self, Asker, Edits};
use crate::kind::Kind;
use crate::rate_limit::{EXPOSED, Fields};
use crate::time::Millis;

/// An answer of the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered<'a> {
    /// [`Fixed::route`](super::Fixed::route).
    pub route: usize,
    /// [`Fixed::kind`](super::Fixed::kind).
    pub kind: Kind,
    /// [`Fixed::account`](super::Fixed::account).
    pub account: u64,
    /// [`Forward::asker`](crate::forward::Forward::asker).
    pub asker: Asker<'a>,
    /// The HTTP status.
    pub status: u16,
    /// Lines of name and value, as in [`Head`](crate::head::Head).
    pub headers: &'a str,
}

impl Gateway {
    /// Counts the origin's answer for the account of the key, and plans its edits. `None` when the
    /// route is not known any more.
    #[must_use]
    pub fn answer<'a>(&mut self, of: &Answered<'a>, now: Millis) -> Option<Edits<'a>> {
        let mut fields = Fields::default();
        let mut errand = None;
        if of.account != 0 {
            if let Some(account) = self.accounts.find(of.account) {
                account.tally.answer(Some(of.status), now);
                errand = account.remind(now);
            }
            fields = self.standing(Some(of.account), now);
        }
        let route = self.routes.get(of.route)?;
        let secret = self.credentials.get(route.index).and_then(Option::as_deref);
        let (status, headers) = (of.status, of.headers);
        let mut edits = answer::plan(route, of.kind, secret, of.asker, status, headers);
        edits.errand = errand;
        if !fields.is_empty() {
            expose(&mut edits);
            edits.set.extend(fields.headers());
        }
        Some(edits)
    }
}

/// Lets pages read how the limits stand.
fn expose(edits: &mut Edits<'_>) {
    let is = |name: &'static str| move |(own, _): &&mut (&'static str, String)| *own == name;
    if let Some((_, exposed)) = edits
        .set
        .iter_mut()
        .find(is("access-control-expose-headers"))
    {
        exposed.push_str(", ");
        exposed.push_str(EXPOSED);
    } else if edits
        .set
        .iter_mut()
        .any(|(name, _)| *name == "access-control-allow-origin")
    {
        let exposed = EXPOSED.to_owned();
        edits.set.push(("access-control-expose-headers", exposed));
    }
}
