//! The call that a proxy asks about, from what the proxy says of it. Read only after the proxy has
//! proven itself.
//!
//! 1. Method: `X-Forwarded-Method`, `X-Original-Method`. Target: `X-Forwarded-Uri`,
//!    `X-Original-Uri`, and `X-Original-Url`, which may be a whole address. Host and scheme:
//!    `X-Forwarded-Host` and `X-Forwarded-Proto`, or that address. Each is said once, or several
//!    times alike.
//! 2. A proxy that asks with the call's own method, host and path (Envoy) puts the path behind the
//!    endpoint's, and says none of these.
//! 3. Client address: `X-Forwarded-For`, which holds one address; or a second one behind it, where the
//!    platform has added the address that the proxy itself came from.
//! 4. The other headers are the call's own. What speaks of the way from the proxy to the gateway goes.
//!
//! Whatever is missing, contradictory or not in its form makes the whole unreadable: nothing is guessed.

use std::fmt::Write as _;

use crate::cors::is_token;
use crate::head::Head;
use crate::restrict::ip::parse_client;

/// The path of the endpoint.
pub const PATH: &str = "/_keyward/v1/forward-auth";

/// The head of the call that is asked about; none when it cannot be told for certain.
#[must_use]
pub fn head_of(head: &Head<'_>, client_ip_header: &str) -> Option<String> {
    let below = head.target.strip_prefix(PATH)?;
    let (method, base, target) = if below.starts_with('/') {
        if said(head, &["x-forwarded-method", "x-original-method"])
            || said(head, &TARGETS)
            || said(head, &["x-forwarded-host"])
        {
            return None;
        }
        (head.method, head.base.to_owned(), below)
    } else {
        let method = agreed(
            [
                head.header("x-forwarded-method"),
                head.header("x-original-method"),
            ]
            .into_iter(),
        )?;
        let (base, target) = address(head)?;
        (method, base, target)
    };
    let plain = target.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_token(method) || !target.starts_with('/') || !plain {
        return None;
    }
    let client = client(head, client_ip_header)?;
    let mut text = String::with_capacity(1024);
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "{method}\n{base}{target}\n{client_ip_header}\n{client}\n"
    );
    for (name, value) in head.headers() {
        if !is_of_the_way(name) && name != client_ip_header {
            for part in [name, "\n", value, "\n"] {
                text.push_str(part);
            }
        }
    }
    Some(text)
}

const TARGETS: [&str; 3] = ["x-forwarded-uri", "x-original-uri", "x-original-url"];

/// Base and target of the call.
fn address<'a>(head: &Head<'a>) -> Option<(String, &'a str)> {
    let [forwarded, original, url] = TARGETS.map(|name| head.header(name));
    // An address, or a target as the others are.
    let (whole, target) = match url {
        Some(url) if !url.starts_with('/') => {
            let (scheme, rest) = url.split_once("://")?;
            let (host, target) = rest.split_at_checked(rest.find('/')?)?;
            (Some((scheme, host)), Some(target))
        }
        url => (None, url),
    };
    let target = agreed([forwarded, original, target].into_iter())?;
    let host = agreed([head.header("x-forwarded-host"), whole.map(|(_, host)| host)].into_iter())?;
    let scheme = agreed(
        [
            head.header("x-forwarded-proto"),
            whole.map(|(scheme, _)| scheme),
        ]
        .into_iter(),
    )?;
    // A proxy may name the scheme of a web socket.
    let scheme = match scheme {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => return None,
    };
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_host)).then(|| (format!("{scheme}://{host}"), target))
}

/// The client's address. Where the platform says where the proxy came from and has added just that, it
/// is the one before; a proxy that is named alone has said nothing of its client.
fn client<'a>(head: &Head<'a>, client_ip_header: &str) -> Option<&'a str> {
    let list = head.header("x-forwarded-for")?;
    let proxy = head.header(client_ip_header).and_then(parse_client);
    let is_proxy = |text: &str| proxy.is_some() && parse_client(text.trim()) == proxy;
    let client = match list.rsplit_once(',') {
        None if is_proxy(list) => return None,
        None => list,
        Some((client, last)) if is_proxy(last) => client.trim(),
        Some(_) => return None,
    };
    parse_client(client).map(|_| client)
}

/// The one thing that all say who say anything.
fn agreed<'a>(said: impl Iterator<Item = Option<&'a str>>) -> Option<&'a str> {
    let mut said = said.flatten();
    let first = said.next()?;
    said.all(|other| other == first).then_some(first)
}

fn said(head: &Head<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| head.header(name).is_some())
}

/// Whether a header speaks of the way from the proxy to the gateway, or is none of the call's.
fn is_of_the_way(name: &str) -> bool {
    ["x-forwarded-", "x-original-", "keyward-", ":"]
        .iter()
        .any(|start| name.starts_with(start))
        || matches!(name, "host" | "forwarded" | "x-real-ip" | "cf-ipcountry")
}
