//! The form in which outcomes cross to the entry: one string, a letter first, then lines.
//!
//! | letter | then |
//! |---|---|
//! | `S` | nothing: start the gateway, then ask again |
//! | `R` | status; `+` and for how many milliseconds the answer is held back, or nothing; background work behind a blank, or nothing; then name and value lines, an empty line, the body |
//! | `D` | as `R`, without the body: the OpenAPI document is the body, but for HEAD |
//! | `K` | as `R`, without the body: the key set is the body, but for HEAD |
//! | `A` | as `R`: the body are claims, whose assertion is to be the header `Keyward-Assertion` |
//! | `M` | nothing: the management API answers |
//! | `B` | background work or nothing: the body is to be read, and handed over behind the head |
//! | `C` | an address, a form, and background work or nothing, in a line each: the form is to be sent there, and what is answered handed over behind the head |
//! | `L` | a read of KV: attempt, digest and name, with blanks between |
//! | `Q` | meters to ask: the call's patience and a pause in milliseconds, with a blank between; then for each meter three lines: the account and the number of its ask, with a blank between; the object's name as a JSON string; what to send |
//! | `V` | a credential to read, as [`Read`](keyward_core::vault::Read) describes it |
//! | `F` | id of the registered edits and the length of the URL's part before the target, with a blank between; URL, or nothing where it is the registered origin and the target; background work or nothing; what the planning of the answer is given back; names to delete, joined by commas; then name and value lines to set |
//! | `G` | as `F`, then an empty line and what the own key has to sign for the header `Signature` |
//!
//! A number takes the place of an `F` whose lines are all empty, but for what the planning of the answer is
//! given back: the id, a bit that is set where that names the page that the request's `Origin` names, and in
//! 17 bits the length of the base.
//!
//! Background work is a read of KV, `V` for a read of a credential, `X` for exchanges with meters (account and delay in
//! milliseconds, with a blank between), or several of them with commas between. What meters answered
//! goes back in the form of `Q`, two lines for each: account and number, then the answer, or nothing.
//!
//! No line can hold a line break: URLs are serialised, header values come from the runtime's
//! `Headers` or are visible ASCII.

mod asker;
mod keys;

use std::fmt::Write as _;

use keyward_core::account::Question;
use keyward_core::answer::{Asker, Edits};
use keyward_core::forward::Forward;
use keyward_core::gateway::{Ask, Fixed, Outcome, Reply, Response, Work};
use keyward_core::head::MAX_HEAD;
use keyward_core::json;
use keyward_core::kind::Kind;
use keyward_core::records::Load;
use keyward_core::refusal::Refusal;

use self::asker::asker;
pub(crate) use self::asker::asker_of;
pub(crate) use self::keys::{credential_keys, own_keys, unsigned};

/// Asks the entry to start the gateway.
pub(crate) const START: &str = "S";
/// Says that an answer is not passed on; the refusal's code follows. No name of a header has it.
const REFUSED: &str = "?";
/// The kinds that routes serve, each by its place.
pub(crate) const KINDS: [Kind; 3] = [Kind::Private, Kind::Public, Kind::Derived];

/// How many lengths of a base there may be: no head is longer.
const BASES: u64 = 1 << 17;
const _: () = assert!(MAX_HEAD as u64 <= BASES);

/// The number for a call of which nothing differs from what is registered; none for any other outcome.
pub(crate) fn ordinary(outcome: &Outcome<'_>) -> Option<f64> {
    let Outcome::Forward {
        id,
        forward:
            Forward {
                url: None,
                remove,
                set,
                asker:
                    Asker {
                        base: asked,
                        page,
                        own: None,
                    },
            },
        base: None,
        work,
    } = outcome
    else {
        return None;
    };
    let empty = remove.is_empty() && set.is_empty() && *work == Work::default();
    let named = u64::from(*id) * 2 + u64::from(page.is_some());
    #[allow(clippy::cast_precision_loss)] // below 2^50
    empty.then(|| (named * BASES + asked.len() as u64) as f64)
}

/// An outcome as the entry reads it, where it is not [`ordinary`].
pub(crate) fn outcome(outcome: Outcome<'_>) -> String {
    match outcome {
        Outcome::Respond(response) => self::response(&response),
        Outcome::Document(response) => self::response(&response).replacen('R', "D", 1),
        Outcome::KeySet(response) => self::response(&response).replacen('R', "K", 1),
        Outcome::Vouch(response) => self::response(&response).replacen('R', "A", 1),
        Outcome::Management => "M".to_owned(),
        Outcome::Challenge { url, form, work } => {
            let mut text = format!("C{url}\n{form}\n");
            background(&mut text, &work);
            text
        }
        Outcome::Body(work) => {
            let mut text = "B".to_owned();
            background(&mut text, &work);
            text
        }
        Outcome::Load(read) => format!("L{}", load(&read)),
        Outcome::Ask(ask) => self::ask(&ask),
        Outcome::Unlock(read) => format!("V{}", read.0),
        Outcome::Forward {
            id,
            forward,
            base,
            work,
        } => {
            let url = forward.url.unwrap_or_default();
            let mut text = String::with_capacity(url.len() + 256);
            text.push(if base.is_some() { 'G' } else { 'F' });
            text.push_str(&id.to_string());
            text.push(' ');
            text.push_str(&forward.asker.base.len().to_string());
            text.push('\n');
            text.push_str(&url);
            text.push('\n');
            background(&mut text, &work);
            text.push('\n');
            asker(&mut text, forward.asker);
            text.push('\n');
            join(&mut text, &forward.remove);
            lines(&mut text, &forward.set);
            if let Some(base) = base {
                text.push_str("\n\n");
                text.push_str(&base);
            }
            text
        }
    }
}

/// A response as the entry reads it.
pub(crate) fn response(response: &Response) -> String {
    let mut text = String::with_capacity(response.body.len() + 512);
    text.push('R');
    text.push_str(&response.status.to_string());
    if response.hold_ms > 0 {
        let _ = write!(text, "+{}", response.hold_ms);
    }
    if response.work != Work::default() {
        text.push(' ');
        background(&mut text, &response.work);
    }
    lines(&mut text, &response.headers);
    text.push_str("\n\n");
    text.push_str(&response.body);
    text
}

/// A read of KV: attempt, digest, name.
pub(crate) fn load(load: &Load) -> String {
    format!("{} {} {}", load.attempt, load.digest.to_hex(), load.name)
}

/// Why an answer is not passed on.
pub(crate) fn refused(refusal: Refusal) -> String {
    format!("{REFUSED}{}", refusal.code())
}

/// The edits of an answer, after a line of background work if there is any; nothing when there is
/// none and it is to be handed back untouched.
pub(crate) fn edits(edits: &Edits<'_>) -> Option<String> {
    let untouched = edits.remove.is_empty() && edits.set.is_empty();
    if untouched && edits.errand.is_none() {
        return None;
    }
    let mut text = String::with_capacity(256);
    if let Some(errand) = &edits.errand {
        let _ = writeln!(text, "X{} {}", errand.account, errand.delay_ms);
    }
    if !untouched {
        join(&mut text, &edits.remove);
        lines(&mut text, &edits.set);
    }
    Some(text)
}

fn ask(ask: &Ask) -> String {
    let mut text = format!("Q{} {}", ask.patience, ask.pause_ms);
    for one in &ask.questions {
        let _ = write!(text, "\n{}", question(one));
    }
    text
}

/// What to send to a meter: three lines.
pub(crate) fn question(question: &Question) -> String {
    let Question {
        account,
        number,
        object,
        body,
    } = question;
    let mut text = format!("{account} {number}\n");
    json::quote(&mut text, object);
    text.push('\n');
    text.push_str(body);
    text
}

/// What meters answered. Lines that are not in the form are passed over.
pub(crate) fn replies(text: &str) -> Vec<Reply<'_>> {
    let mut replies = Vec::new();
    let mut lines = text.split('\n');
    while let (Some(head), Some(text)) = (lines.next(), lines.next()) {
        let numbers = head.split_once(' ');
        let parsed = numbers.map(|(account, number)| (account.parse(), number.parse()));
        if let Some((Ok(account), Ok(number))) = parsed {
            replies.push(Reply {
                account,
                number,
                text,
            });
        }
    }
    replies
}

fn background(text: &mut String, work: &Work) {
    let mut separate = "";
    if let Some(read) = &work.refresh {
        text.push_str(&load(read));
        separate = ",";
    }
    if let Some(read) = &work.unlock {
        let _ = write!(text, "{separate}V{}", read.0);
        separate = ",";
    }
    for errand in work.key.iter().chain(&work.owner).flatten() {
        let _ = write!(text, "{separate}X{} {}", errand.account, errand.delay_ms);
        separate = ",";
    }
}

/// What is registered once for a key and a route, as JSON.
pub(crate) fn fixed(fixed: &Fixed) -> String {
    let is = |is: bool| if is { "true" } else { "false" };
    let mut object = json::Object::default();
    object.number("id", fixed.id.into());
    object.text("origin", &fixed.origin);
    object.number("route", fixed.route as u64);
    let kind = KINDS.iter().position(|kind| *kind == fixed.kind);
    object.number("kind", kind.unwrap_or_default() as u64);
    object.number("account", fixed.account);
    let mut set = String::new();
    for (name, value) in &fixed.set {
        set.push_str(if set.is_empty() { "[" } else { ",[" });
        json::quote(&mut set, name);
        set.push(',');
        json::quote(&mut set, value);
        set.push(']');
    }
    object.raw("set", &format!("[{set}]"));
    let mut remove = String::new();
    for name in &fixed.remove {
        remove.push_str(if remove.is_empty() { "" } else { "," });
        json::quote(&mut remove, name);
    }
    object.raw("remove", &format!("[{remove}]"));
    match &fixed.assertion {
        Some(claims) => object.text("assertion", claims),
        None => object.raw("assertion", "null"),
    }
    match &fixed.secret {
        Some(secret) => object.text("secret", secret),
        None => object.raw("secret", "null"),
    }
    object.raw("guard", is(fixed.guard));
    object.number("replaces", fixed.replaces.into());
    match fixed.timeout_ms {
        Some(timeout_ms) => object.number("timeout", timeout_ms.into()),
        None => object.raw("timeout", "null"),
    }
    object.raw("cache", is(fixed.cache));
    object.end()
}

fn join(text: &mut String, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(name);
    }
}

fn lines(text: &mut String, headers: &[(&'static str, String)]) {
    for (name, value) in headers {
        text.push('\n');
        text.push_str(name);
        text.push('\n');
        text.push_str(value);
    }
}
