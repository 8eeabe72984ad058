//! Calls that others ask about: decided as if they had come here, and answered to who asks.
//!
//! 1. Who asks proves itself; before that nothing else is read. A stranger is told nothing.
//! 2. The call that it asks about is put together as a head ([`forwarded`], [`Inquiry`]).
//! 3. That goes the way of every call, up to where it would be forwarded: it spends limits and is
//!    counted. Keys of a project that who asks may not know of are as those that do not exist.
//! 4. `verify` is answered with a document; `forward-auth` as the call would be: a refusal as it is, and
//!    otherwise 200 with the headers that the origin would receive, and the assertion if its route has one.

use super::Gateway;
use super::call::Notes;
use super::outcome::{Outcome, Response, Waited, Work};
use super::refused::No;
use crate::assertion;
use crate::derived;
use crate::forward;
use crate::head::Head;
use crate::json::Object;
use crate::kind::Kind;
use crate::rate_limit::Fields;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::route::{GatewayFile, Route, RouteFile, Routes};
use crate::time::Millis;
use crate::verify::{BODY, Form, Inquiry, Terms, VERIFY_KEY, VerifyKeys, forwarded};

/// The header that the assertion stands in.
const ASSERTION: &str = "keyward-assertion";

/// What is needed to be asked.
#[derive(Default)]
pub(super) struct Verify {
    keys: VerifyKeys,
    /// The route of calls of which no address is known: it accepts everything.
    pub(super) anywhere: Option<Route>,
}

impl Gateway {
    /// Lets those who have these keys ask about calls.
    #[must_use]
    pub fn with_verify_keys(mut self, keys: VerifyKeys) -> Self {
        let imported_keys = self.routes.iter().any(|route| route.imported_keys);
        self.verify = Verify {
            keys,
            anywhere: anywhere(imported_keys),
        };
        self
    }

    /// Answers who asks about a call.
    #[inline(never)]
    pub(super) fn asked<'a>(
        &mut self,
        form: Form,
        head: &Head<'_>,
        now: Millis,
        waited: Waited<'_>,
    ) -> Result<Outcome<'a>, No> {
        let project = match self.verify.keys.admit(head.header(VERIFY_KEY)) {
            Ok(project) => project.map(str::to_owned),
            Err(_) => return Err(Refusal::VerifyKeyInvalid.into()),
        };
        let client_ip_header = &self.routes.settings().client_ip_header;
        let (text, terms) = match form {
            Form::ForwardAuth => {
                let text = forwarded::head_of(head, client_ip_header);
                (
                    text.ok_or(Refusal::ForwardedInvalid)?,
                    Terms::of_proxy(project),
                )
            }
            Form::Verify => {
                let Some(body) = body(head)? else {
                    return Ok(Outcome::Body(Work::default()));
                };
                let Inquiry { head, terms } = Inquiry::read(body, project, client_ip_header)?;
                (head, terms)
            }
        };
        let call = Head::parse(&text).ok_or(Refusal::InternalError)?;
        let mut notes = Notes::default();
        let decided = self.step(&call, now, waited, &mut notes, Some(&terms));
        Ok(match decided {
            Ok(Outcome::Respond(approval)) => self.approved(form, approval, &notes, now),
            Ok(Outcome::Load(load)) => Outcome::Load(load),
            Ok(Outcome::Ask(ask)) => Outcome::Ask(ask),
            Ok(_) => return Err(Refusal::InternalError.into()),
            Err(no) => Outcome::Respond(self.denied(form, &call, &no, notes, now)),
        })
    }

    fn approved<'a>(
        &mut self,
        form: Form,
        mut approval: Response,
        notes: &Notes,
        now: Millis,
    ) -> Outcome<'a> {
        let limits = self.standing_of(notes, now);
        approval.headers.extend(limits.headers());
        match form {
            Form::ForwardAuth if approval.body.is_empty() => Outcome::Respond(approval),
            Form::ForwardAuth => Outcome::Vouch(approval),
            Form::Verify => {
                let verdict = self.verdict(None, notes);
                Outcome::Respond(Response {
                    work: approval.work,
                    ..document(verdict, &limits)
                })
            }
        }
    }

    fn denied(
        &mut self,
        form: Form,
        call: &Head<'_>,
        no: &No,
        notes: Notes,
        now: Millis,
    ) -> Response {
        let verdict = self.verdict(Some(no), &notes);
        let mut limits = self.standing_of(&notes, now);
        no.describe(&mut limits);
        let mut refused = self.refused(call, no, notes, now);
        match form {
            Form::ForwardAuth => {
                // A proxy that passes on no status but 401 and 403 can still tell its client.
                let status = refused.status.to_string();
                refused.headers.push(("keyward-status", status));
                if !refused.body.is_empty() {
                    let problem = refused.body.clone();
                    refused.headers.push(("keyward-problem", problem));
                }
                refused
            }
            Form::Verify => Response {
                work: refused.work,
                hold_ms: refused.hold_ms,
                ..document(verdict, &limits)
            },
        }
    }

    /// What the answer to a question says, but for the limits.
    fn verdict(&mut self, no: Option<&No>, notes: &Notes) -> Object {
        let refusal = no.map(|no| no.refusal);
        let mut verdict = Object::default();
        verdict.raw("valid", if no.is_none() { "true" } else { "false" });
        verdict.text("code", refusal.map_or("ok", Refusal::code));
        verdict.number("status", refusal.map_or(200, Refusal::status).into());
        if let Some(refusal) = refusal {
            verdict.text("detail", refusal.detail());
        }
        if let Some(retry_s) = no.and_then(|no| no.retry_s) {
            verdict.number("retry_after_s", retry_s);
        }
        let key = self.key_of(notes);
        verdict.raw("key", key.as_deref().unwrap_or("null"));
        verdict
    }

    /// Whose key a call carries; none where who asks may not know.
    fn key_of(&mut self, notes: &Notes) -> Option<String> {
        let terms = match notes.minted {
            // One that is wider than its parent is kept nowhere, and is not to be taken for that.
            Some(digest) => Some(&self.derived.peek(&digest)?.terms),
            None => None,
        };
        let record = self.records.entry(&notes.digest?)?.record.as_ref()?;
        let held = terms.map_or(&record.restrictions, |terms| {
            terms.scopes(&record.restrictions)
        });
        let kind = terms.map_or(record.kind, |_| Kind::Derived);
        let mut key = Object::default();
        key.text("id", &record.key_id);
        key.text("project", &record.project);
        key.text("environment", &record.environment);
        key.text("kind", kind.as_str());
        match &record.owner {
            Some(owner) => key.text("owner", owner),
            None => key.raw("owner", "null"),
        }
        key.texts("scopes", held.scopes.iter().map(ToString::to_string));
        if let Some(user) = terms.and_then(|terms| terms.user.as_deref()) {
            key.text("user", user);
        }
        Some(key.end())
    }
}

/// The answer to a proxy whose client is let through: what the origin is to receive. Its body are the
/// claims of the assertion, where the route has one.
pub(super) fn approval(
    route: &Route,
    record: &Record,
    narrowed: Option<&derived::Terms>,
    work: Work,
) -> Response {
    let mut headers = vec![("cache-control", "no-store".to_owned())];
    // A blank, which HTTP trims: what is empty is said all the same, so that a proxy that copies it
    // replaces what its client says (Caddy CVE-2026-30851), and leaves no placeholder.
    let said = |(name, value): (_, String)| match value.is_empty() {
        true => (name, " ".to_owned()),
        false => (name, value),
    };
    headers.extend(forward::identity(record, narrowed).map(said));
    let issuer = route.asserted_by.as_deref();
    if issuer.is_none() {
        headers.push((ASSERTION, " ".to_owned()));
    }
    let claims = |issuer| assertion::claims(issuer, &route.origin, record, narrowed);
    Response {
        status: 200,
        headers,
        body: issuer.map(claims).unwrap_or_default(),
        work,
        hold_ms: 0,
    }
}

/// The body of a question; none as long as it was not read.
fn body<'a>(head: &Head<'a>) -> Result<Option<&'a str>, Refusal> {
    if head.method != "POST" {
        return Err(Refusal::MethodNotAllowed);
    }
    let media = head.header("content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::MediaTypeUnsupported);
    }
    Ok(head.header(BODY))
}

fn document(mut verdict: Object, limits: &Fields) -> Response {
    verdict.raw("ratelimit", &limits.list());
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("cache-control", "no-store".to_owned()),
    ];
    headers.extend(limits.headers());
    Response {
        status: 200,
        headers,
        body: verdict.end() + "\n",
        work: Work::default(),
        hold_ms: 0,
    }
}

/// A route that accepts everything, and stands at no place of the file.
fn anywhere(imported_keys: bool) -> Option<Route> {
    let file = GatewayFile {
        routes: vec![RouteFile {
            origin: "https://verify.invalid".to_owned(),
            accepts: Some(
                ["public", "session", "private", "derived"]
                    .map(str::to_owned)
                    .into(),
            ),
            imported_keys,
            ..RouteFile::default()
        }],
        ..GatewayFile::default()
    };
    let routes = Routes::compile(&file, &|_| None).ok()?;
    Some(Route {
        index: usize::MAX,
        ..routes.into_first()?
    })
}
