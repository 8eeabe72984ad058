//! Webhooks: what happens to keys is told to the project's own endpoints.
//!
//! 1. The transaction that makes a change writes a message for every endpoint that wants to know
//!    ([`note`]), in the table `webhook_message`.
//! 2. [`go_on`] sends what is due, one message at a time to each endpoint, in the order in which
//!    they were written; whatever becomes of this object, another instance goes on from the table.
//! 3. A message that was not taken is sent again later ([`keyward_core::webhook::retry`]), with the
//!    same id, and does not hold up those behind it. So an endpoint gets every message at least
//!    once, unless it is dropped: because all attempts failed, too many wait, or the endpoint is
//!    disabled. What is dropped is counted and shown.
//! 4. An endpoint that is gone (410), or to which nothing could be delivered for as long as a
//!    message is tried, is disabled.

mod act;
mod limits;
mod note;
mod queue;
mod row;
mod seals;
mod send;

pub(super) use self::act::{change, create, list, show, test, update};
pub(super) use self::limits::passed;
pub(super) use self::note::{about_key, expiring};
pub(super) use self::queue::next_wake;
pub(super) use self::seals::{holds, needed, reseal};
pub(super) use self::send::{Sender, go_on};
