//! The hot path's bindings: strings in, one string or number out, nothing asynchronous.
//!
//! The entry gathers a request's head, calls [`Hot::handle`] and does what it is told. All state
//! of the isolate is here; after a reset of the module it is gone, and `handle` asks for
//! [`Hot::start`] again.

use std::cell::RefCell;

use keyward_core::gateway::{Answered, Gateway, Outcome, Waited, refusal_response};
use keyward_core::head::Head;
use keyward_core::keyring::Keyring;
use keyward_core::kind::Kind;
use keyward_core::records::{Loaded, Stored};
use keyward_core::refusal::Refusal;
use keyward_core::route::{GatewayFile, Routes};
use keyward_core::secret::Digest;
use keyward_core::time::Millis;
use keyward_core::vault::Answer;
use keyward_core::verify::VerifyKeys;
use keyward_edge::bindings::{self, SECRET, VERIFY_KEY};
use keyward_edge::{log, recovery};
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::wire;

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::Cold) };
}

enum State {
    /// Not started: a new isolate, or a module that was reset.
    Cold,
    /// Running.
    Ready(Box<Gateway>),
    /// The configuration is not valid: nothing is ever proxied.
    Broken,
}

/// The synchronous calls of the entry.
#[wasm_bindgen]
pub struct Hot;

#[wasm_bindgen]
impl Hot {
    /// Starts the gateway of this isolate from the embedded configuration and the Worker's
    /// variables and secrets.
    pub fn start(env: &Env, config: &str, seed_high: u32, seed_low: u32) {
        recovery::prepare();
        let seed = u64::from(seed_high) << 32 | u64::from(seed_low);
        let state = match build(env, config, seed) {
            Ok(gateway) => State::Ready(Box::new(gateway)),
            Err((field, detail)) => {
                log::config_invalid(&field, &detail);
                State::Broken
            }
        };
        STATE.with(|cell| cell.replace(state));
    }

    /// Decides about a request; `wire.rs` has the form of the answer.
    pub fn handle(head: &str, now: f64) -> JsValue {
        with(head, |gateway| {
            decided(gateway.handle(head, millis(now), None))
        })
    }

    /// Decides about a request for which KV was read: `attempt` and `answer` say what came of it.
    /// `patience` is that of the last `Q`, or 0; `met` as for `waited`.
    pub fn resume(
        head: &str,
        now: f64,
        patience: u32,
        met: u8,
        attempt: u32,
        answer: u8,
        value: &str,
    ) -> JsValue {
        let waited = Waited {
            loaded: Some(loaded(attempt, answer, value)),
            ..waited(patience, met)
        };
        with(head, |gateway| {
            decided(gateway.resume(head, millis(now), waited))
        })
    }

    /// Decides about a request for which meters were asked: `replies` says what they answered.
    pub fn met(head: &str, now: f64, patience: u32, met: u8, replies: &str) -> JsValue {
        with(head, |gateway| {
            let waited = Waited {
                replies: &wire::replies(replies),
                ..waited(patience, met)
            };
            decided(gateway.resume(head, millis(now), waited))
        })
    }

    /// What to send for an exchange in the background; nothing when it is not needed any more.
    /// `total` is all the delays since the call that has brought it about, in milliseconds.
    pub fn exchange(account: f64, total: u32, now: f64) -> String {
        STATE.with(|cell| match &mut *cell.borrow_mut() {
            State::Ready(gateway) => gateway
                .exchange(whole(account), total.into(), millis(now))
                .map(|question| wire::question(&question))
                .unwrap_or_default(),
            State::Cold | State::Broken => String::new(),
        })
    }

    /// Takes in what came of an exchange. Answers in how many milliseconds another one follows; 0
    /// for none.
    pub fn exchanged(reply: &str, total: u32, now: f64) -> u32 {
        STATE.with(|cell| match &mut *cell.borrow_mut() {
            State::Ready(gateway) => {
                let delays = wire::replies(reply).into_iter();
                let delay =
                    delays.filter_map(|reply| gateway.exchanged(reply, total.into(), millis(now)));
                delay.min().map_or(0, |ms| u32::try_from(ms).unwrap_or(0))
            }
            State::Cold | State::Broken => 0,
        })
    }

    /// Takes in a background read; answers the next read to make, or nothing.
    pub fn refreshed(digest: &str, now: f64, attempt: u32, answer: u8, value: &str) -> String {
        STATE.with(|cell| match &mut *cell.borrow_mut() {
            State::Ready(gateway) => Digest::from_hex(digest)
                .and_then(|digest| {
                    gateway.refreshed(digest, loaded(attempt, answer, value), millis(now))
                })
                .map(|load| wire::load(&load))
                .unwrap_or_default(),
            State::Cold | State::Broken => String::new(),
        })
    }

    /// The edits to register for a request that is to be forwarded, as JSON; nothing when they
    /// are not known any more.
    pub fn fixed(head: &str) -> Option<String> {
        STATE.with(|cell| match &mut *cell.borrow_mut() {
            State::Ready(gateway) => gateway.fixed(head).map(|fixed| wire::fixed(&fixed)),
            State::Cold | State::Broken => None,
        })
    }

    /// The deployment's own signing keys, as `wire.rs` writes them.
    pub fn own_keys() -> String {
        STATE.with(|cell| match &*cell.borrow() {
            State::Ready(gateway) => wire::own_keys(gateway),
            State::Cold => wire::START.to_owned(),
            State::Broken => String::new(),
        })
    }

    /// What to sign for the claims of registered edits; nothing when they are none.
    pub fn assertion(claims: &str, now: f64) -> String {
        STATE.with(|cell| match &*cell.borrow() {
            State::Ready(gateway) => gateway
                .assertion(claims, millis(now))
                .map(|unsigned| wire::unsigned(&unsigned))
                .unwrap_or_default(),
            State::Cold => wire::START.to_owned(),
            State::Broken => String::new(),
        })
    }

    /// The key set of these public keys, with blanks between.
    pub fn key_set(public_keys: &str, now: f64) -> String {
        STATE.with(|cell| match &*cell.borrow() {
            State::Ready(gateway) => gateway.key_set(public_keys.split(' '), millis(now)),
            State::Cold => wire::START.to_owned(),
            State::Broken => String::new(),
        })
    }

    /// The keys under which credentials of projects are sealed, as `wire.rs` writes them.
    pub fn credential_keys() -> String {
        STATE.with(|cell| match &*cell.borrow() {
            State::Ready(gateway) => wire::credential_keys(gateway),
            State::Cold => wire::START.to_owned(),
            State::Broken => String::new(),
        })
    }

    /// Takes in what came of a read of a credential.
    pub fn unlocked(read: &str, now: f64, answer: u8, version: f64, value: &str) {
        let answer = match answer {
            1 => Answer::Value(whole(version), value),
            2 => Answer::Missing,
            4 => Answer::Unreadable,
            _ => Answer::Failed,
        };
        STATE.with(|cell| {
            if let State::Ready(gateway) = &mut *cell.borrow_mut()
                && let Some((field, detail)) = gateway.unlocked(read, answer, millis(now))
            {
                log::credential_unavailable(field, detail);
            }
        });
    }

    /// Decides about a request for which a credential was read.
    pub fn again(head: &str, now: f64, patience: u32, met: u8) -> JsValue {
        with(head, |gateway| {
            decided(gateway.resume(head, millis(now), waited(patience, met)))
        })
    }

    /// Plans the edits of the origin's answer; nothing when it is to be handed back untouched, and
    /// `?` with a code when it is not to be passed on. An instance that was made while the origin was at
    /// work asks to be started, as `handle` does. `answer` is the line of the asker that stood in the
    /// outcome, that of the registered secret or an empty one, and behind them the answer's headers;
    /// `kind` and `account` are those of the registered edits.
    pub fn answer(
        route: usize,
        kind: u8,
        account: f64,
        status: u16,
        answer: &str,
        now: f64,
    ) -> Option<String> {
        STATE.with(|cell| match &mut *cell.borrow_mut() {
            State::Ready(gateway) => {
                let (asker, rest) = answer.split_once('\n').unwrap_or((answer, ""));
                let (secret, headers) = rest.split_once('\n').unwrap_or((rest, ""));
                let answered = Answered {
                    route,
                    kind: kind_of(kind),
                    account: whole(account),
                    asker: wire::asker_of(asker),
                    secret,
                    status,
                    headers,
                };
                match gateway.answer(&answered, millis(now)) {
                    Ok(edits) => wire::edits(&edits),
                    Err(refusal) => Some(wire::refused(refusal)),
                }
            }
            State::Cold => Some(wire::START.to_owned()),
            State::Broken => Some(wire::refused(Refusal::InternalError)),
        })
    }

    /// The answer that refuses a request with a code that the entry met after it was let through.
    pub fn refuse(head: &str, code: &str, kind: u8, account: f64, now: f64) -> String {
        let refusal = Refusal::ALL
            .iter()
            .find(|refusal| refusal.code() == code)
            .copied()
            .unwrap_or(Refusal::InternalError);
        with(head, |gateway| {
            let head = Head::parse(head);
            let (account, now) = (whole(account), millis(now));
            let refused = gateway.refuse_of(head.as_ref(), refusal, kind_of(kind), account, now);
            wire::response(&refused)
        })
    }
}

fn kind_of(place: u8) -> Kind {
    let kind = wire::KINDS.get(usize::from(place));
    kind.copied().unwrap_or(Kind::Derived)
}

fn with<T: From<String>>(head: &str, act: impl FnOnce(&mut Gateway) -> T) -> T {
    STATE.with(|cell| match &mut *cell.borrow_mut() {
        State::Ready(gateway) => act(gateway),
        State::Cold => wire::START.to_owned().into(),
        State::Broken => wire::response(&refusal_response(
            Head::parse(head).as_ref(),
            Refusal::ConfigInvalid,
            "",
            "-",
        ))
        .into(),
    })
}

/// An outcome as it crosses: the ordinary one as a number, which costs no text.
fn decided(outcome: Outcome<'_>) -> JsValue {
    match wire::ordinary(&outcome) {
        Some(number) => JsValue::from_f64(number),
        None => JsValue::from_str(&wire::outcome(outcome)),
    }
}

fn build(env: &Env, config: &str, seed: u64) -> Result<Gateway, (String, String)> {
    let file = GatewayFile::read(config).ok_or_else(|| {
        (
            "gateway.toml".to_owned(),
            "the embedded configuration is not one of this version".to_owned(),
        )
    })?;
    let lookup = |name: &str| bindings::text(env, name);
    let routes = Routes::compile(&file, &lookup).map_err(|error| (error.field, error.detail))?;
    let secret = lookup(SECRET)
        .ok_or_else(|| (SECRET.to_owned(), "the Worker secret is not set".to_owned()))?;
    let keyring =
        Keyring::parse(&secret).map_err(|error| (SECRET.to_owned(), error.to_string()))?;
    let verify_keys = match lookup(VERIFY_KEY) {
        Some(text) => {
            VerifyKeys::parse(&text).map_err(|error| (VERIFY_KEY.to_owned(), error.to_string()))?
        }
        None => VerifyKeys::default(),
    };
    let stored = |name: &str| bindings::is_store(env, name);
    let gateway = Gateway::with_stores(routes, keyring, &lookup, &stored, seed);
    Ok(gateway.with_verify_keys(verify_keys))
}

fn loaded(attempt: u32, answer: u8, value: &str) -> Loaded<'_> {
    let stored = match answer {
        1 => Stored::Found(value),
        2 => Stored::Missing,
        _ => Stored::Failed,
    };
    Loaded {
        attempt: attempt as usize,
        stored,
    }
}

/// What a call has met so far, whatever it waits for next: `met` is 1 when KV has not answered it, 2 when a
/// credential was read for it, or the sum. A call that forgot one of them could wait for both in turn.
fn waited(patience: u32, met: u8) -> Waited<'static> {
    Waited {
        patience,
        loaded: (met & 1 != 0).then(|| loaded(0, 3, "")),
        unlocked: met & 2 != 0,
        ..Waited::default()
    }
}

fn millis(now: f64) -> Millis {
    Millis(whole(now))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Date.now() and account numbers are positive integers below 2^53
fn whole(number: f64) -> u64 {
    number as u64
}
