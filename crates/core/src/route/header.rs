//! Names of headers in the configuration, and the ones that no route may touch.

use super::finding::{Fault, fault};

/// Headers that belong to one connection (RFC 9110 section 7.6.1) or frame the message.
const CONNECTION: [&str; 13] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers by which the gateway, the platform or the next hop decide something else.
const TAKEN: [&str; 14] = [
    "accept-encoding",
    "cdn-loop",
    "content-type",
    "forwarded",
    "origin",
    "range",
    "referer",
    "set-cookie",
    "signature",
    "signature-input",
    "true-client-ip",
    "user-agent",
    "via",
    "x-real-ip",
];

const TAKEN_PREFIXES: [&str; 6] = [
    "access-control-",
    "cf-",
    "keyward-",
    "proxy-",
    "sec-",
    "x-forwarded-",
];

/// A field name (RFC 9110 section 5.1) in lower case.
pub(super) fn name(text: &str) -> Result<String, Fault> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if text.is_empty() || !text.bytes().all(token) {
        return Err(fault(
            format!("`{text}` is not the name of a header"),
            "use letters, digits and hyphens, as in x-api-key",
        ));
    }
    if text == "*" {
        return Err(fault("`*` is not the name of a header", "name each header"));
    }
    Ok(text.to_ascii_lowercase())
}

/// A header that may carry a client's key or an origin's credential. Spelt with underscores it
/// would meet its twin with hyphens at many origins, so the same names are refused.
pub(super) fn carrier(text: &str) -> Result<String, Fault> {
    let name = name(text)?;
    let twin = name.replace('_', "-");
    let twin = twin.as_str();
    if CONNECTION.contains(&twin)
        || TAKEN.contains(&twin)
        || TAKEN_PREFIXES.iter().any(|prefix| twin.starts_with(prefix))
    {
        return Err(fault(
            format!("the header `{name}` has another meaning and cannot carry this"),
            "use a header of its own, such as authorization or x-api-key",
        ));
    }
    Ok(name)
}

/// The header that carries the client's address. A list that clients can begin is none.
pub(super) fn client_address(text: &str) -> Result<String, Fault> {
    let name = name(text)?;
    if matches!(name.as_str(), "x-forwarded-for" | "forwarded" | "via")
        || CONNECTION.contains(&name.as_str())
    {
        return Err(fault(
            format!("`{name}` can be written by clients"),
            "name a header that your platform overwrites, such as cf-connecting-ip",
        ));
    }
    Ok(name)
}

/// The name of a query parameter, of characters that are never percent-encoded.
pub(super) fn parameter(text: &str) -> Result<String, Fault> {
    if text.is_empty()
        || !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    {
        return Err(fault(
            format!("`{text}` is not a name that a query parameter can have here"),
            "use letters, digits and - . _ ~",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_or_credential_never_takes_a_header_with_another_meaning() {
        for text in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "connection",
            "Keyward-Key-Id",
            "keyward_key_id",
            "Content_Length",
            "X-Forwarded-For",
            "x_forwarded_host",
            "CF-Connecting-IP",
            "origin",
            "Sec-Fetch-Site",
            "Proxy-Authorization",
            "access-control-allow-origin",
            "via",
            "Signature",
            "signature_input",
            "upgrade",
            "te",
        ] {
            assert!(carrier(text).is_err(), "{text}");
        }
        assert_eq!(carrier("X-Api-Key").unwrap(), "x-api-key");
        assert_eq!(carrier("Authorization").unwrap(), "authorization");
    }

    #[test]
    fn what_is_no_field_name_is_refused() {
        for text in ["", "a b", "a:b", "a\r\nb", "ä", "*", "a,b"] {
            assert!(name(text).is_err(), "{text}");
        }
        for text in ["", "a=b", "a&b", "a%20", "ä", "a b", "a[]"] {
            assert!(parameter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_clients_address_is_never_a_list_that_clients_write() {
        assert!(client_address("X-Forwarded-For").is_err());
        assert_eq!(
            client_address("CF-Connecting-IP").unwrap(),
            "cf-connecting-ip"
        );
    }
}
