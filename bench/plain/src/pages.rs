//! Which pages may use a public key.

use worker::Url;

/// Whether a rule allows the page that `Origin` names, or `Referer` where there is none.
pub fn are_allowed(rules: &[String], origin: Option<&str>, referer: Option<&str>) -> bool {
    let referer = referer.and_then(|text| Url::parse(text).ok());
    let origin = match origin {
        Some("null") => return false,
        Some(text) => Url::parse(text).ok(),
        None => None,
    };
    if let (Some(origin), Some(referer)) = (&origin, &referer)
        && origin.origin() != referer.origin()
    {
        return false;
    }
    origin
        .or(referer)
        .is_some_and(|page| rules.iter().any(|rule| allows(rule, &page)))
}

fn allows(rule: &str, page: &Url) -> bool {
    let (scheme, rest) = match rule.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, rule),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok()),
        None => (authority, None),
    };
    let is_host = |name: &str| match host.strip_prefix('*') {
        Some(suffix) => name.ends_with(suffix),
        None => name == host,
    };
    scheme.is_none_or(|scheme| scheme == page.scheme())
        && page.host_str().is_some_and(is_host)
        && port.is_none_or(|port| page.port_or_known_default() == Some(port))
}
