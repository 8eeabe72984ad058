//! CORS: what a page may learn (the Fetch standard, section 3.2).
//!
//! A preflight is answered for any origin, because it carries no key; never with credentials
//! unless the route lists the origin. The actual answer, and every refusal, echoes the `Origin`
//! so that the page can read it. `null` is never reflected.

use crate::head::Head;
use crate::request::is_never_proxied;
use crate::route::Cors;

/// What a page may read of every refusal beside the document, and of an answer that has it.
pub const EXPOSED: [&str; 4] = [
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
];

/// A response header.
pub type Header = (&'static str, String);

/// Whether a request is a CORS preflight; such a request carries no key.
#[must_use]
pub fn is_preflight(head: &Head<'_>) -> bool {
    head.method == "OPTIONS"
        && head.header("origin").is_some()
        && head.header("access-control-request-method").is_some()
}

/// The headers of a preflight's answer, which has status 204.
#[must_use]
pub fn preflight(cors: &Cors, head: &Head<'_>) -> Vec<Header> {
    const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network";
    let mut headers = vec![
        ("vary", VARY.to_owned()),
        ("cache-control", "no-store".to_owned()),
    ];
    let Some(origin) = head.page_origin() else {
        return headers;
    };
    headers.extend(shared(cors, origin));
    let method = head
        .header("access-control-request-method")
        .unwrap_or_default();
    if is_token(method) && !is_never_proxied(method) {
        headers.push(("access-control-allow-methods", method.to_owned()));
    }
    let names = match &cors.allow_headers {
        Some(names) => names.join(", "),
        None => {
            let asked = head
                .header("access-control-request-headers")
                .unwrap_or_default();
            asked
                .split(',')
                .map(str::trim)
                .filter(|name| is_token(name))
                .collect::<Vec<_>>()
                .join(", ")
        }
    };
    if !names.is_empty() {
        headers.push(("access-control-allow-headers", names));
    }
    if head.header("access-control-request-private-network") == Some("true") {
        headers.push(("access-control-allow-private-network", "true".to_owned()));
    }
    headers.push(("access-control-max-age", cors.max_age_s.to_string()));
    headers
}

/// The headers of a preflight's answer where the request behind it will be refused, whatever key it
/// brings: the browser then sends it, and the page reads why. A browser makes nothing of a preflight
/// that fails but "failed to fetch". Not remembered, because a route may come.
#[must_use]
pub fn preflight_of_a_refusal(head: &Head<'_>) -> Vec<Header> {
    preflight(
        &Cors {
            max_age_s: 0,
            ..Cors::default()
        },
        head,
    )
}

/// The headers of an answer that an allowed page receives, `Vary` aside.
#[must_use]
pub fn allowed(cors: &Cors, origin: &str) -> Vec<Header> {
    let mut headers = shared(cors, origin);
    if !cors.expose_headers.is_empty() {
        headers.push((
            "access-control-expose-headers",
            cors.expose_headers.join(", "),
        ));
    }
    headers
}

/// Lets the page that an answer is for read these of its headers too, each named once. An answer
/// for no page says nothing of them.
pub fn expose(headers: &mut Vec<Header>, names: &[&'static str]) {
    const LIST: &str = "access-control-expose-headers";
    if !headers
        .iter()
        .any(|(own, _)| *own == "access-control-allow-origin")
    {
        return;
    }
    for name in names {
        match headers.iter_mut().find(|(own, _)| *own == LIST) {
            Some((_, list)) if list.split(", ").any(|listed| listed == *name) => {}
            Some((_, list)) => {
                list.push_str(", ");
                list.push_str(name);
            }
            None => headers.push((LIST, (*name).to_owned())),
        }
    }
}

/// The headers of a refusal: readable by the page, never with credentials.
#[must_use]
pub fn refused(origin: Option<&str>) -> Vec<Header> {
    let mut headers = vec![("vary", "Origin".to_owned())];
    if let Some(origin) = origin {
        headers.push(("access-control-allow-origin", origin.to_owned()));
        headers.push(("access-control-expose-headers", EXPOSED.join(", ")));
    }
    headers
}

fn shared(cors: &Cors, origin: &str) -> Vec<Header> {
    let mut headers = vec![("access-control-allow-origin", origin.to_owned())];
    if cors.origins.iter().any(|listed| listed == origin) {
        headers.push(("access-control-allow-credentials", "true".to_owned()));
    }
    headers
}

/// A token of RFC 9110 section 5.6.2: what a method or a header name may be.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        Cors {
            origins: vec!["https://app.example".into()],
            allow_headers: None,
            expose_headers: vec!["x-total".into()],
            max_age_s: 600,
        }
    }

    fn answer(lines: &str) -> Vec<Header> {
        preflight(
            &cors(),
            &Head::parse(&format!("OPTIONS\nhttps://gate.example/x\n{lines}")).unwrap(),
        )
    }

    fn value<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
        let mut values = headers.iter().filter(|(found, _)| *found == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert_eq!(values.next(), None, "{name} doubled");
        value
    }

    #[test]
    fn a_preflight_is_answered_for_any_origin_without_credentials() {
        let headers = answer(
            "origin\nhttps://a.example\naccess-control-request-method\nPATCH\naccess-control-request-headers\nauthorization, x-a\n",
        );
        assert_eq!(
            value(&headers, "access-control-allow-origin"),
            Some("https://a.example")
        );
        assert_eq!(
            value(&headers, "access-control-allow-methods"),
            Some("PATCH")
        );
        assert_eq!(
            value(&headers, "access-control-allow-headers"),
            Some("authorization, x-a")
        );
        assert_eq!(value(&headers, "access-control-max-age"), Some("600"));
        assert_eq!(value(&headers, "access-control-allow-credentials"), None);
    }

    #[test]
    fn only_a_listed_origin_gets_credentials() {
        let headers = answer("origin\nhttps://app.example\naccess-control-request-method\nGET\n");
        assert_eq!(
            value(&headers, "access-control-allow-credentials"),
            Some("true")
        );
    }

    #[test]
    fn null_and_rubbish_are_never_reflected() {
        for origin in [
            "null",
            "https://a.example/",
            "https://a.example, https://b.example",
            "*",
            "a.example",
        ] {
            let headers = answer(&format!(
                "origin\n{origin}\naccess-control-request-method\nGET\n"
            ));
            assert_eq!(
                value(&headers, "access-control-allow-origin"),
                None,
                "{origin}"
            );
        }
    }

    #[test]
    fn names_that_are_no_tokens_are_dropped() {
        let headers = answer(
            "origin\nhttps://a.example\naccess-control-request-method\nG T\naccess-control-request-headers\nx-a, b c, ,x-d\n",
        );
        assert_eq!(value(&headers, "access-control-allow-methods"), None);
        assert_eq!(
            value(&headers, "access-control-allow-headers"),
            Some("x-a, x-d")
        );
    }

    #[test]
    fn a_method_that_is_never_proxied_is_not_allowed() {
        for method in ["TRACE", "CONNECT"] {
            let headers = answer(&format!(
                "origin\nhttps://a.example\naccess-control-request-method\n{method}\n"
            ));
            assert_eq!(value(&headers, "access-control-allow-methods"), None);
        }
    }

    #[test]
    fn what_is_exposed_is_named_once_and_to_pages_only() {
        let mut headers = allowed(&cors(), "https://a.example");
        expose(&mut headers, &["retry-after", "x-total", "retry-after"]);
        assert_eq!(
            value(&headers, "access-control-expose-headers"),
            Some("x-total, retry-after")
        );
        let mut headers = vec![("cache-control", "private".to_owned())];
        expose(&mut headers, &["retry-after"]);
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn a_refusal_is_readable_without_credentials() {
        let headers = refused(Some("https://app.example"));
        assert_eq!(
            value(&headers, "access-control-allow-origin"),
            Some("https://app.example")
        );
        assert_eq!(value(&headers, "access-control-allow-credentials"), None);
        assert_eq!(value(&refused(None), "vary"), Some("Origin"));
    }
}
