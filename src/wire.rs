//! The form in which outcomes cross to the entry: one string, a letter first, then lines.
//!
//! | letter | then |
//! |---|---|
//! | `S` | nothing: start the gateway, then ask again |
//! | `R` | status; `+` and for how many milliseconds the answer is held back, or nothing; background work behind a blank, or nothing; then name and value lines, an empty line, the body |
//! | `D` | as `R`, without the body: the OpenAPI document is the body, but for HEAD |
//! | `M` | nothing: the management API answers |
//! | `L` | a read of KV: attempt, digest and name, with blanks between |
//! | `F` | id of the registered edits; URL; background work or nothing; names to delete, joined by commas; then name and value lines to set |
//!
//! Background work is a read of KV, `U` to begin a collection of the keys that were used, or both with
//! a comma between.
//!
//! No line can hold a line break: URLs are serialised, header values come from the runtime's
//! `Headers` or are visible ASCII.

use std::fmt::Write as _;

use keyward_core::answer::Edits;
use keyward_core::gateway::{Fixed, Outcome, Response};
use keyward_core::kind::Kind;
use keyward_core::last_use::Message;
use keyward_core::records::Load;
use serde_json::json;

/// Asks the entry to start the gateway.
pub(crate) const START: &str = "S";

/// An outcome as the entry reads it.
pub(crate) fn outcome(outcome: Outcome<'_>) -> String {
    match outcome {
        Outcome::Respond(response) => self::response(&response),
        Outcome::Document(response) => self::response(&response).replacen('R', "D", 1),
        Outcome::Management => "M".to_owned(),
        Outcome::Load(read) => format!("L{}", load(&read)),
        Outcome::Forward {
            id,
            forward,
            refresh,
            collect,
        } => {
            let mut text = format!("F{id}\n{}\n", forward.url);
            if let Some(read) = &refresh {
                text.push_str(&load(read));
            }
            if collect {
                text.push_str(if refresh.is_some() { ",U" } else { "U" });
            }
            text.push('\n');
            join(&mut text, &forward.remove);
            lines(&mut text, &forward.set);
            text
        }
    }
}

/// A response as the entry reads it.
pub(crate) fn response(response: &Response) -> String {
    let mut text = format!("R{}", response.status);
    if response.hold_ms > 0 {
        let _ = write!(text, "+{}", response.hold_ms);
    }
    if let Some(read) = &response.refresh {
        let _ = write!(text, " {}", load(read));
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

/// The edits of an answer; empty when it is to be handed back untouched.
pub(crate) fn edits(edits: &Edits<'_>) -> String {
    let mut text = String::new();
    if edits.remove.is_empty() && edits.set.is_empty() {
        return text;
    }
    join(&mut text, &edits.remove);
    lines(&mut text, &edits.set);
    text
}

/// The keys that were used, a line for each project: its id, then the keys' ids, with blanks
/// between.
pub(crate) fn used(messages: &[Message]) -> String {
    let mut text = String::new();
    for Message { project, keys } in messages {
        let _ = writeln!(text, "{project} {}", keys.join(" "));
    }
    text
}

/// What is registered once for a key and a route, as JSON.
pub(crate) fn fixed(fixed: &Fixed) -> String {
    json!({
        "id": fixed.id.to_string(),
        "route": fixed.route,
        "public": fixed.kind == Kind::Public,
        "set": fixed.set,
        "timeout": fixed.timeout_ms,
        "cache": fixed.cache,
    })
    .to_string()
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
        let _ = write!(text, "\n{name}\n{value}");
    }
}
