//! The origin's answer: what of it is changed.

use super::Gateway;
use crate::answer::{self, Asker, Edits};
use crate::cors;
use crate::guard::{self, Coding};
use crate::kind::Kind;
use crate::rate_limit::{EXPOSED, Fields, Item};
use crate::refusal::Refusal;
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
    /// [`Fixed::secret`](super::Fixed::secret); empty for none.
    pub secret: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// Lines of name and value, as in [`Head`](crate::head::Head).
    pub headers: &'a str,
}

impl Gateway {
    /// Counts the origin's answer for the account of the key, and plans its edits.
    ///
    /// # Errors
    /// [`Refusal::InternalError`] when the route is not known any more, [`Refusal::AnswerUnguarded`] when
    /// its body is to be searched and cannot be read.
    pub fn answer<'a>(&mut self, of: &Answered<'a>, now: Millis) -> Result<Edits<'a>, Refusal> {
        let route = self.routes.get(of.route).ok_or(Refusal::InternalError)?;
        let coding = if route.guard_body {
            guard::coding(of.status, of.headers)?
        } else {
            Coding::None
        };
        let mut fields = Fields::default();
        let mut errand = None;
        if of.account != 0 {
            if let Some(account) = self.accounts.find(of.account) {
                account.tally.answer(Some(of.status), now);
                errand = account.remind(now);
            }
            if of.kind != Kind::Derived {
                fields = self.standing(Some(of.account), now);
            }
        }
        if let Some(own) = of.asker.own {
            fields.push(&Item::own(&own));
        }
        let route = self.routes.get(of.route).ok_or(Refusal::InternalError)?;
        let secret = match of.secret {
            "" => self.vault.fixed(route),
            secret => Some(secret),
        };
        let (status, headers) = (of.status, of.headers);
        let mut edits = answer::plan(route, of.kind, secret, of.asker, status, headers);
        edits.errand = errand;
        if coding == Coding::Runtime {
            edits.remove.extend(["content-encoding", "content-length"]);
        }
        if !fields.is_empty() {
            cors::expose(&mut edits.set, &EXPOSED);
            edits.set.extend(fields.headers());
        }
        Ok(edits)
    }
}
