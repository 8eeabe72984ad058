//! What the decision needs to know of a request.

use std::net::IpAddr;

use crate::restrict::path::CheckedPath;

/// Whether a method is never passed on: `TRACE` would show the origin's credential, `CONNECT` is
/// no request for a resource.
#[must_use]
pub fn is_never_proxied(method: &str) -> bool {
    ["TRACE", "CONNECT"]
        .iter()
        .any(|never| method.eq_ignore_ascii_case(never))
}

/// The facts of one request, gathered by whoever received it. Empty header values count as
/// absent; duplicated headers arrive joined by `, `, as the runtime joins them.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The method exactly as sent.
    pub method: &'a str,
    /// The path that was checked and that will be forwarded.
    pub path: &'a CheckedPath<'a>,
    /// Whether the key is only exchanged for a session key: that goes nowhere yet, so that path rules are
    /// held against the calls that it is then used for.
    pub is_exchange: bool,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Referer`.
    pub referer: Option<&'a str>,
    /// `Sec-Fetch-Site`.
    pub sec_fetch_site: Option<&'a str>,
    /// Whether this is a WebSocket handshake (`Upgrade: websocket`).
    pub websocket: bool,
    /// The client's address, when the platform vouches for one.
    pub ip: Option<IpAddr>,
    /// `X-Android-Package`.
    pub android_package: Option<&'a str>,
    /// `X-Android-Cert`: the SHA-1 of the signing certificate, in hexadecimal.
    pub android_cert: Option<&'a str>,
    /// `X-Ios-Bundle-Identifier`.
    pub ios_bundle: Option<&'a str>,
}
