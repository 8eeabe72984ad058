//! The checks and the header work of Keyward's warm route, as a careful user of the `worker` crate
//! writes them: `Request`, `Headers` and `Fetch`, records in KV and cached in memory.

mod pages;
mod record;
mod response;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use sha2::{Digest, Sha256};
use worker::{
    Context, Date, Env, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response,
    Result, Url, event,
};

use crate::record::{Kind, Record};
use crate::response::{cleaned, preflight, refused};

const PREFIX: &str = "/v1/";
const PROJECT: &str = "acme";
const SCOPE: &str = "orders:read";
const FRESH_MS: u64 = 60_000;
const MOST_RECORDS: usize = 10_000;
const CONNECTION: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What is known of a key's digest, and since when.
type Known = (Option<Rc<Record>>, u64);

thread_local! {
    static RECORDS: RefCell<HashMap<[u8; 32], Known>> = RefCell::new(HashMap::new());
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let url = request.url()?;
    let headers = request.headers();
    let origin = headers.get("origin")?;
    let page = origin.as_deref();
    if !url.path().starts_with(PREFIX) {
        return refused(404, "route_unknown", page);
    }
    if is_ambiguous(url.path()) {
        return refused(400, "path_ambiguous", page);
    }
    if request.method() == Method::Options
        && let Some(page) = page
        && let Some(method) = headers.get("access-control-request-method")?
    {
        return preflight(headers, page, &method);
    }

    let Some(key) = key_of(headers)? else {
        return refused(401, "key_missing", page);
    };
    let Some((kind, environment)) = shape(&key) else {
        return refused(401, "key_invalid", page);
    };
    let Some(record) = record_of(&key, &env).await? else {
        return refused(401, "key_invalid", page);
    };
    if record.kind != kind || record.environment != environment || record.project != PROJECT {
        return refused(401, "key_invalid", page);
    }
    if record.status != "active" {
        return refused(401, "key_revoked", page);
    }
    if !record.is_valid_at(Date::now().as_millis()) {
        return refused(401, "key_expired", page);
    }
    if kind == Kind::Public
        && !pages::are_allowed(&record.referrers, page, headers.get("referer")?.as_deref())
    {
        return refused(403, "referrer_denied", page);
    }
    let method = request.method();
    if !record.covers(method.as_ref(), url.path()) {
        return refused(403, "path_denied", page);
    }
    if !record.scopes.iter().any(|scope| scope == SCOPE) {
        return refused(403, "scope_missing", page);
    }

    let base = env.var("ORIGIN")?.to_string();
    let token = env.var("ORIGIN_TOKEN")?.to_string();
    let answer = forwarded(&request, &url, &key, &record, &base, &token).await?;
    cleaned(
        answer,
        &url,
        page.filter(|_| kind == Kind::Public),
        &base,
        &token,
    )
}

/// Whether a path could be read in more than one way.
fn is_ambiguous(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ["%2f", "%5c", "%25", ";", "\\", "//"]
        .iter()
        .any(|part| lower.contains(part))
        || path
            .split('/')
            .any(|segment| segment == "." || segment == "..")
}

fn key_of(headers: &Headers) -> Result<Option<String>> {
    let named = headers.get("x-api-key")?;
    let authorization = headers.get("authorization")?;
    let bearer = authorization.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    });
    Ok(match (named, bearer) {
        (Some(named), Some(bearer)) if named != bearer => None,
        (named, bearer) => named.or(bearer),
    })
}

/// The kind and the environment that the key's prefix names.
fn shape(key: &str) -> Option<(Kind, &str)> {
    let (kind, rest) = key.strip_prefix("kw_")?.split_once('_')?;
    let (environment, body) = rest.split_once('_')?;
    let kind = match kind {
        "pk" => Kind::Public,
        "sk" => Kind::Private,
        _ => return None,
    };
    let characters = body.strip_prefix('1')?;
    let is_key =
        characters.len() == 32 && characters.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_key.then_some((kind, environment))
}

async fn record_of(key: &str, env: &Env) -> Result<Option<Rc<Record>>> {
    let digest: [u8; 32] = Sha256::digest(key).into();
    let now = Date::now().as_millis();
    let known = RECORDS.with_borrow(|records| records.get(&digest).cloned());
    if let Some((record, read)) = known
        && now < read + FRESH_MS
    {
        return Ok(record);
    }
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let written = env
        .kv("KEYS")?
        .get(&format!("validator/{hex}"))
        .text()
        .await?;
    let record = match written {
        Some(text) => Some(Rc::new(Record::parse(&text)?)),
        None => None,
    };
    RECORDS.with_borrow_mut(|records| {
        if records.len() >= MOST_RECORDS {
            records.clear();
        }
        records.insert(digest, (record.clone(), now));
    });
    Ok(record)
}

async fn forwarded(
    request: &Request,
    url: &Url,
    key: &str,
    record: &Record,
    base: &str,
    token: &str,
) -> Result<Response> {
    let headers = Headers::new();
    let named = request
        .headers()
        .get("connection")?
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut loops = String::new();
    for (name, value) in request.headers() {
        let plain = name.replace('_', "-");
        if name == "cdn-loop" {
            loops = value + ", ";
        } else if !(plain.starts_with("keyward-")
            || plain == "x-api-key"
            || plain == "authorization"
            || CONNECTION.contains(&name.as_str())
            || named.split(',').any(|other| other.trim() == name)
            || (name == "cookie" && record.kind == Kind::Public)
            || value.contains(key))
        {
            headers.append(&name, &value)?;
        }
    }
    headers.set("cdn-loop", &format!("{loops}keyward-0a1b2c3d"))?;
    headers.set("keyward-key-id", &record.key_id)?;
    headers.set("keyward-project", &record.project)?;
    headers.set("keyward-environment", &record.environment)?;
    headers.set("keyward-kind", record.kind.as_str())?;
    if let Some(owner) = &record.owner {
        headers.set("keyward-owner", owner)?;
    }
    if !record.scopes.is_empty() {
        headers.set("keyward-scopes", &record.scopes.join(" "))?;
    }
    headers.set("authorization", &format!("Bearer {token}"))?;

    let mut init = RequestInit::new();
    init.with_method(request.method())
        .with_headers(headers)
        .with_redirect(RequestRedirect::Manual)
        .with_body(request.inner().body().map(Into::into));
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let target = format!("{base}{}{query}", url.path());
    Fetch::Request(Request::new_with_init(&target, &init)?)
        .send()
        .await
}
