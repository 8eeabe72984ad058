//! The request that the origin receives: read first, then strip, then add.
//!
//! 1. The key goes from every place where it stood, named or not; every copy and spelling.
//! 2. `Keyward-*`, the key's own places and the credential's target go, also under their
//!    underscore twins (oauth2-proxy CVE-2025-64484, Caddy CVE-2026-52845).
//!    So do signatures, where the route signs.
//! 3. Hop-by-hop headers and what `Connection` names go, before ours are added (Traefik
//!    CVE-2024-45410).
//! 4. The URL is rebuilt from the checked path: what was matched is what is forwarded. The query
//!    stays byte for byte, but for a stripped key.
//! 5. Identity and the credential are added; an absent value leaves no header.

mod url;

use std::fmt::Write as _;

use crate::answer::{Asker, shows};
use crate::credential::bearer_token;
use crate::derived::Terms;
use crate::guard;
use crate::head::Head;
use crate::kind::Kind;
use crate::record::Record;
use crate::restrict::path::CheckedPath;
use crate::route::{Place, Route, Target};
use crate::signature::{DIGEST, IDENTITY};

use self::url::url;

/// The deployments that a call has come by (RFC 8586).
const LOOPS: &str = "cdn-loop";

/// Whether a header belongs to one connection and is never passed on (RFC 9110 section 7.6.1).
#[must_use]
pub fn is_hop_by_hop(name: &str) -> bool {
    is_of_runtime(name) || is_of_proxies(name)
}

/// Whether a header belongs to the runtime's own connection. It shows those of the other side to
/// scripts, and never passes them on.
pub(crate) fn is_of_runtime(name: &str) -> bool {
    matches!(
        name,
        "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade"
    )
}

/// Whether a header belongs to a connection with a proxy: the runtime knows nothing of these.
pub(crate) fn is_of_proxies(name: &str) -> bool {
    matches!(
        name,
        "proxy-authenticate" | "proxy-authorization" | "proxy-connection"
    )
}

/// What differs from request to request. What a key and a route fix is in [`fixed`], and comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward<'a> {
    /// The upstream URL; none where it is the route's origin and, behind it, the target as the request
    /// has it.
    pub url: Option<String>,
    /// Headers to delete, all copies, beside those that [`Fixed::remove`] names or that are set.
    ///
    /// [`Fixed::remove`]: crate::gateway::Fixed::remove
    pub remove: Vec<&'a str>,
    /// Headers to set after that.
    pub set: Vec<(&'static str, String)>,
    /// What the planning of the answer is to be given back.
    pub asker: Asker<'a>,
}

/// Plans one request's way to the origin. `secret` is the route's resolved credential, `token`
/// the deployment's name in `CDN-Loop`.
#[must_use]
pub fn plan<'a>(
    route: &Route,
    head: &Head<'a>,
    path: &CheckedPath<'_>,
    key: &str,
    kind: Kind,
    secret: Option<&str>,
    token: &str,
) -> Forward<'a> {
    let websocket = head
        .header("upgrade")
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let dropped = named_by_connection(head.header("connection").unwrap_or_default());
    let mut remove: Vec<&'a str> = Vec::new();
    let mut set = Vec::new();
    for (name, value) in head.headers() {
        if is_removed_by_plan(route, name, secret.is_some()) {
            continue;
        }
        let copy = shows(value, key);
        if name == LOOPS {
            // Without a chain, or with a key in it, the mark that is registered stands alone.
            if !copy && !value.is_empty() {
                set.push((LOOPS, format!("{value}, {token}")));
            }
            continue;
        }
        let page = if copy && name == "referer" {
            origin_of(value)
        } else {
            ""
        };
        if !page.is_empty() && !shows(page, key) {
            set.push(("referer", format!("{page}/")));
        } else if copy
            || is_ours(route, name, value)
            || (route.guard_body && guard::REMOVED.contains(&name))
            || (is_hop_by_hop(name) && !(websocket && name == "upgrade"))
            || (dropped
                .binary_search_by(|token| token.as_str().cmp(name))
                .is_ok()
                && !(websocket && name == "upgrade"))
            || (name == "cookie" && kind.is_for_pages() && !route.cookies)
        {
            remove.push(name);
        }
    }
    if route.guard_body {
        set.push(("accept-encoding", "identity".to_owned()));
    }
    Forward {
        url: url(route, head, path, key, secret),
        remove,
        set,
        asker: Asker {
            base: head.base,
            page: page_of(head, kind),
            own: None,
        },
    }
}

/// The page that may read the answer: no page has a private key.
fn page_of<'a>(head: &Head<'a>, kind: Kind) -> Option<&'a str> {
    kind.is_for_pages().then(|| head.page_origin()).flatten()
}

/// The headers that `Connection` names, sorted: a client may name thousands.
fn named_by_connection(value: &str) -> Vec<String> {
    let mut names: Vec<_> = value
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names
}

/// The headers of a route that carry nothing but a key: what is deleted of every request.
pub(crate) fn removed(route: &Route) -> impl Iterator<Item = &str> {
    route.key_in.iter().filter_map(|place| match place {
        Place::Header(name) => Some(name.as_str()),
        Place::Bearer | Place::Query(_) => None,
    })
}

/// Whether what is registered for the key and the route deletes or replaces a header already.
/// `has_secret`: whether the route's credential is known.
pub(crate) fn is_removed_by_plan(route: &Route, name: &str, has_secret: bool) -> bool {
    removed(route).any(|removed| removed == name)
        || (has_secret && credential_header(route) == Some(name))
}

/// The header that carries the route's own credential.
fn credential_header(route: &Route) -> Option<&str> {
    match &route.credential.as_ref()?.target {
        Target::Header(name) => Some(name),
        Target::Query(_) => None,
    }
}

/// Whether a header, its underscores read as hyphens, is one that only Keyward may set, or a
/// place of the key.
fn is_ours(route: &Route, name: &str, value: &str) -> bool {
    name.get(..IDENTITY.len())
        .is_some_and(|start| reads_as(start, IDENTITY))
        || (route.signature.is_some() && is_signature(name))
        || route.key_in.iter().any(|place| match place {
            Place::Bearer => reads_as(name, "authorization") && bearer_token(value).is_some(),
            Place::Header(place) => reads_as(name, place),
            Place::Query(_) => false,
        })
        || credential_header(route).is_some_and(|carrier| reads_as(name, carrier))
}

/// Whether a header would be taken for a part of our signature: a client's own signature, or the
/// twin of a header that ours covers.
fn is_signature(name: &str) -> bool {
    reads_as(name, "signature")
        || reads_as(name, "signature-input")
        || (reads_as(name, DIGEST) && name != DIGEST)
}

/// Whether two names are the same to a reader who takes underscores for hyphens.
fn reads_as(name: &str, other: &str) -> bool {
    let hyphen = |byte| if byte == b'_' { b'-' } else { byte };
    name.len() == other.len() && name.bytes().map(hyphen).eq(other.bytes().map(hyphen))
}

/// Scheme, host and port of a URL that contains a key somewhere behind them; empty when the key
/// may be within them.
fn origin_of(url: &str) -> &str {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "";
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if rest
        .get(..end)
        .is_none_or(|authority| authority.contains('@'))
    {
        return "";
    }
    url.get(..scheme.len() + 3 + end).unwrap_or_default()
}

/// The headers that a key and a route fix: that the call came by this deployment (`token`), who is
/// calling, and the origin's own credential. `terms`: those of the key that is derived from the record's.
#[must_use]
pub fn fixed(
    route: &Route,
    record: &Record,
    terms: Option<&Terms>,
    secret: Option<&str>,
    token: &str,
) -> Vec<(String, String)> {
    let mut set = vec![(LOOPS.to_owned(), token.to_owned())];
    set.extend(
        identity(record, terms)
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value)),
    );
    if let (Some(credential), Some(secret)) = (&route.credential, secret)
        && let Target::Header(name) = &credential.target
    {
        set.push((name.clone(), credential.fill(secret)));
    }
    set
}

/// The headers that say whose key a call carries; empty where the key has nothing to say.
pub(crate) fn identity(record: &Record, terms: Option<&Terms>) -> [(&'static str, String); 7] {
    let held = terms.map_or(&record.restrictions, |terms| {
        terms.scopes(&record.restrictions)
    });
    let kind = terms.map_or(record.kind, |_| Kind::Derived);
    let user = terms.and_then(|terms| terms.user.as_deref());
    let scopes = held
        .scopes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ");
    [
        ("keyward-key-id", record.key_id.as_str()),
        ("keyward-project", &record.project),
        ("keyward-environment", &record.environment),
        ("keyward-kind", kind.as_str()),
        ("keyward-owner", record.owner.as_deref().unwrap_or_default()),
        ("keyward-scopes", &scopes),
        ("keyward-user", user.unwrap_or_default()),
    ]
    .map(|(name, value)| (name, visible(value)))
}

/// A value that any HTTP library reads back: what is not visible ASCII (and `%`) is
/// percent-encoded, and so are blanks at its ends, which would be trimmed.
fn visible(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let trimmed =
        value.len() - value.trim_start_matches(' ').len()..value.trim_end_matches(' ').len();
    for (at, byte) in value.bytes().enumerate() {
        if (byte.is_ascii_graphic() && byte != b'%') || (byte == b' ' && trimmed.contains(&at)) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
