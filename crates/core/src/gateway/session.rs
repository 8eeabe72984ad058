//! `POST /_keyward/v1/session`: a page exchanges its public key for a session key.
//!
//! 1. The key stands in `Authorization: Bearer` or `X-API-Key`, and is a public one of this
//!    deployment. A session key is exchanged for nothing.
//! 2. It is decided about as on any route, its path rules aside: what it may be used for is decided when
//!    it is used. The page must be one that it allows, and must say so by `Origin`.
//! 3. So many exchanges of a key from a client address, and no more.
//! 4. Where the deployment has a [challenge](crate::turnstile), the page has to have met it. Without a
//!    verdict nothing is given.

use std::mem;

use super::Gateway;
use super::call::Notes;
use super::outcome::{Outcome, Response, Waited, Work};
use super::refused::No;
use crate::cors;
use crate::head::Head;
use crate::json::{Json, Object, field};
use crate::kind::Kind;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::route::{Cors, Place};
use crate::secret::{Digest, Shape};
use crate::session::{LIFE_MS, LONGEST_ORIGIN, is_one, mint};
use crate::spec::FieldError;
use crate::throttle::Network;
use crate::time::Millis;
use crate::turnstile::{LONGEST_TOKEN, Turnstile, VERDICT};
use crate::verify::{BODY, Terms};

/// What the limit of exchanges is called in an answer.
const LIMIT: &str = "session";

impl Gateway {
    /// Exchanges a public key.
    #[inline(never)]
    pub(super) fn session<'a>(
        &mut self,
        head: &Head<'_>,
        now: Millis,
        waited: Waited<'_>,
        notes: &mut Notes,
    ) -> Result<Outcome<'a>, No> {
        if cors::is_preflight(head) {
            return Ok(answer(
                204,
                cors::preflight(&Cors::default(), head),
                String::new(),
                Work::default(),
            ));
        }
        if head.method != "POST" {
            return Err(Refusal::MethodNotAllowed.into());
        }
        let credential = crate::credential::find(&Place::defaults(), head)?;
        if is_one(&credential.key) {
            return Err(Refusal::KindNotAccepted.into());
        }
        // Nothing is read for a key that cannot be one: its tag says so. A private key is looked at all the
        // same, to name the page that has sent it.
        let shape = Shape::parse(&credential.key).ok_or(Refusal::KeyInvalid)?;
        if !matches!(shape.kind(), Kind::Public | Kind::Private) {
            return Err(Refusal::KindNotAccepted.into());
        }
        if !self.records.keyring().verifies_tag(&shape) {
            return Err(Refusal::KeyInvalid.into());
        }
        let terms = Terms {
            key: Some(credential.key.into_owned()),
            cost: Some(0),
            is_placed: false,
            is_exchange: true,
            ..Terms::of_proxy(None)
        };
        let decided = self.step(head, now, waited, notes, Some(&terms));
        // An exchange is no call of the key, but one that is refused is counted, and a page that has sent a
        // private key is named.
        notes.uncounted = false;
        match decided? {
            Outcome::Respond(approval) => notes.work = approval.work,
            Outcome::Load(load) => return Ok(Outcome::Load(load)),
            Outcome::Ask(ask) => return Ok(Outcome::Ask(ask)),
            _ => return Err(Refusal::InternalError.into()),
        }
        let digest = notes.digest.ok_or(Refusal::InternalError)?;
        let origin = head.page_origin();
        let origin = origin.filter(|origin| origin.len() <= LONGEST_ORIGIN);
        let origin = origin.ok_or(Refusal::ReferrerDenied)?;
        if let Some(challenge) = self.challenge(head, &digest, origin, now, notes)? {
            return Ok(challenge);
        }
        let expires_at = now.plus(LIFE_MS);
        let key = mint(
            self.records.keyring().current(),
            &digest,
            origin,
            expires_at,
        );
        let mut text = Object::default();
        text.text("session_key", &key);
        text.text("expires_at", &expires_at.to_string());
        text.number("expires_in", LIFE_MS / 1000);
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
            ("vary", "Origin".to_owned()),
        ];
        headers.extend(cors::allowed(&Cors::default(), origin));
        let work = mem::take(&mut notes.work);
        Ok(answer(200, headers, text.end() + "\n", work))
    }

    /// What has to be done before a key is given, or nothing more.
    fn challenge<'a>(
        &mut self,
        head: &Head<'_>,
        digest: &Digest,
        origin: &str,
        now: Millis,
        notes: &mut Notes,
    ) -> Result<Option<Outcome<'a>>, No> {
        if let Some(verdict) = head.header(VERDICT) {
            let turnstile = self.routes.settings().turnstile.as_ref();
            let met = turnstile.is_some_and(|turnstile| turnstile.accepts(verdict, origin));
            return if met {
                Ok(None)
            } else {
                Err(Refusal::ChallengeFailed.into())
            };
        }
        let challenged = self.routes.settings().turnstile.is_some();
        let body = head.header(BODY);
        if challenged && body.is_none() {
            return Ok(Some(Outcome::Body(mem::take(&mut notes.work))));
        }
        self.spend_exchange(head, digest, now)?;
        let Some(turnstile) = &self.routes.settings().turnstile else {
            return Ok(None);
        };
        let token = token(body.unwrap_or_default())?;
        let secret = self.turnstile_secret.as_deref();
        let secret = secret.ok_or(Refusal::CredentialUnavailable)?;
        let facts = head.facts(&self.routes.settings().client_ip_header);
        Ok(Some(Outcome::Challenge {
            url: turnstile.url.clone(),
            form: Turnstile::question(secret, &token, facts.client_ip),
            work: mem::take(&mut notes.work),
        }))
    }

    /// Counts an exchange of a key from an address, if there is room for it.
    fn spend_exchange(&mut self, head: &Head<'_>, digest: &Digest, now: Millis) -> Result<(), No> {
        let network: Network = self.network(head);
        let Some(throttle) = &mut self.exchanges else {
            return Ok(());
        };
        let entry = self.records.entry(digest);
        let record = entry.and_then(|entry| entry.record.as_ref());
        let Record {
            project, key_id, ..
        } = record.ok_or(Refusal::InternalError)?;
        match throttle.room(project, key_id, network, now) {
            Ok(room) => room.spend(),
            Err(over) => {
                return Err(No {
                    over: Some((LIMIT.to_owned(), over)),
                    retry_s: Some(over.wait_s),
                    ..Refusal::RateLimited.into()
                });
            }
        }
        Ok(())
    }
}

/// The token of a body, `{"turnstile":"…"}`.
fn token(body: &str) -> Result<String, No> {
    let wrong = || FieldError {
        field: "turnstile".to_owned(),
        detail: "the token of the challenge that the page has met".to_owned(),
    };
    let fields = Json::object(body).ok_or_else(wrong)?;
    let token = field(&fields, "turnstile").and_then(Json::as_text);
    let token = token.filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN);
    Ok(token.ok_or_else(wrong)?.to_owned())
}

fn answer<'a>(
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    work: Work,
) -> Outcome<'a> {
    Outcome::Respond(Response {
        status,
        headers,
        body,
        work,
        hold_ms: 0,
    })
}
