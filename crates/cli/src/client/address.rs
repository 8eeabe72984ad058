//! The gateway's address.

use url::{Host, Url};

/// The address without a slash at its end, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<String, &'static str> {
    let url =
        Url::parse(text).map_err(|_| "is not an address, such as https://gateway.example.com")?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err("must be https: the management key would cross the network in the clear");
        }
        _ => return Err("must begin with https://, or with http:// for a gateway on this machine"),
    }
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err("is a scheme, a host and a port, and nothing else");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_key_never_crosses_a_network_in_the_clear() {
        for (text, expected) in [
            (
                "https://gateway.example.com/",
                Some("https://gateway.example.com"),
            ),
            ("http://127.0.0.1:8787", Some("http://127.0.0.1:8787")),
            ("http://localhost:8787/", Some("http://localhost:8787")),
            ("http://[::1]:8787", Some("http://[::1]:8787")),
            ("http://gateway.example.com", None),
            ("http://127.0.0.1.evil.example", None),
            ("ftp://gateway.example.com", None),
            ("gateway.example.com", None),
            ("https://user:pw@gateway.example.com", None),
            ("https://gateway.example.com/base", None),
            ("https://gateway.example.com/?x", None),
            ("", None),
        ] {
            assert_eq!(parse(text).ok().as_deref(), expected, "{text}");
        }
    }
}
