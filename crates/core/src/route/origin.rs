//! The protected upstream: scheme, host, port and base path.

use super::finding::{Fault, fault};
use super::{host, path};

/// An origin in the form in which the upstream URL is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// `scheme://host[:port]`, without a default port.
    pub(super) origin: String,
    /// Empty, or a path that begins with a slash and does not end with one.
    pub(super) base_path: String,
    /// Whether calls cross a network in the clear.
    pub(super) insecure: bool,
}

impl Origin {
    /// `https://api.example.com[:port][/base]`.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let example = "write it as in https://api.example.com/base";
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(fault("an origin begins with its scheme", example));
        };
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => ("https", 443),
            "http" => ("http", 80),
            _ => {
                return Err(fault(
                    format!("`{scheme}` is not a scheme that an origin can have"),
                    "use https or http",
                ));
            }
        };
        if rest.contains(['?', '#']) {
            return Err(fault(
                "an origin has no query and no fragment",
                "inject a parameter with `credential.query`",
            ));
        }
        let (authority, base_path) = match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
            Some((authority, base_path)) => (authority, base_path),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err(fault(
                "an origin has no user and no password",
                "send a credential with `credential.secret`",
            ));
        }
        let (name, port) = split_port(authority)?;
        let host = host::canonical(name)?;
        let port = match port {
            Some(port) if port != default_port => format!(":{port}"),
            _ => String::new(),
        };
        let base_path = match base_path.strip_suffix('/').unwrap_or(base_path) {
            "" => String::new(),
            base_path => path::literal(base_path)?,
        };
        let insecure = scheme == "http" && !host::is_loopback(&host);
        Ok(Self {
            origin: format!("{scheme}://{host}{port}"),
            base_path,
            insecure,
        })
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), Fault> {
    // The colons of an IPv6 address stand inside its brackets.
    let after_address = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority.rfind(':').filter(|colon| *colon > after_address) else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at_checked(colon).unwrap_or((authority, ""));
    let digits = port.strip_prefix(':').unwrap_or_default();
    match digits.parse::<u16>() {
        Ok(port) if port > 0 && !digits.starts_with(['0', '+']) => Ok((host, Some(port))),
        _ => Err(fault(
            format!("`{digits}` is not a port"),
            "write a number from 1 to 65535, or leave the colon out",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_canonically() {
        for (text, origin, base_path, insecure) in [
            (
                "https://api.openai.com",
                "https://api.openai.com",
                "",
                false,
            ),
            (
                "HTTPS://API.OpenAI.com:443/",
                "https://api.openai.com",
                "",
                false,
            ),
            (
                "https://api.example.com:8443/base/",
                "https://api.example.com:8443",
                "/base",
                false,
            ),
            (
                "http://127.0.0.1:80/a/%62",
                "http://127.0.0.1",
                "/a/b",
                false,
            ),
            ("http://[::1]:9000", "http://[::1]:9000", "", false),
            ("http://localhost:8080", "http://localhost:8080", "", false),
            ("http://api.example.com", "http://api.example.com", "", true),
            ("https://[2001:DB8::1]", "https://[2001:db8::1]", "", false),
        ] {
            let parsed = Origin::parse(text).unwrap();
            assert_eq!(
                (
                    parsed.origin.as_str(),
                    parsed.base_path.as_str(),
                    parsed.insecure
                ),
                (origin, base_path, insecure)
            );
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "",
            "api.example.com",
            "//api.example.com",
            "ftp://a.example",
            "https://",
            "https:///x",
            "https://a.example?x=1",
            "https://a.example#x",
            "https://user@a.example",
            "https://user:pw@a.example",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:080",
            "https://a.example:99999",
            "https://a.example:+80",
            "https://a.example//x",
            "https://a.example/../x",
            "https://a.example/*",
            "https://*.a.example",
            "https://a b.example",
            "https://bücher.example",
            "https://a.example\\@evil.example",
            "https://[::1",
            "https://::1",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }
}
