//! What the client receives.

use serde_json::json;
use worker::{Headers, Response, ResponseBody, Result, Url};

use crate::CONNECTION;

const SHARED_CACHE: [&str; 5] = [
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "surrogate-control",
    "x-accel-expires",
    "edge-control",
];

/// The origin's answer without what must not reach the client; for a public key also with what its
/// page needs.
pub fn cleaned(
    answer: Response,
    url: &Url,
    page: Option<&str>,
    base: &str,
    token: &str,
) -> Result<Response> {
    let headers = Headers::new();
    let (mut is_private, mut vary) = (false, String::new());
    for (name, value) in answer.headers() {
        if name.starts_with("access-control-")
            || name.starts_with("keyward-")
            || (name == "set-cookie" && page.is_some())
            || SHARED_CACHE.contains(&name.as_str())
            || CONNECTION.contains(&name.as_str())
            || value.contains(token)
        {
            continue;
        }
        let mut value = value;
        match name.as_str() {
            "cache-control" => is_private = value.contains("private") || value.contains("no-store"),
            "vary" => vary.clone_from(&value),
            "location" => {
                if let Some(path) = value.strip_prefix(base) {
                    value = format!("{}{path}", url.origin().ascii_serialization());
                }
            }
            _ => {}
        }
        headers.append(&name, &value)?;
    }
    if !is_private {
        headers.set("cache-control", "private")?;
    }
    if let Some(page) = page {
        headers.set("access-control-allow-origin", page)?;
        if !vary.to_ascii_lowercase().contains("origin") && vary != "*" {
            let separator = if vary.is_empty() { "" } else { ", " };
            headers.set("vary", &format!("{vary}{separator}Origin"))?;
        }
    }
    Ok(answer.with_headers(headers))
}

/// The answer to a preflight.
pub fn preflight(asked: &Headers, page: &str, method: &str) -> Result<Response> {
    let headers = Headers::new();
    headers.set(
        "vary",
        "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    )?;
    headers.set("cache-control", "no-store")?;
    headers.set("access-control-allow-origin", page)?;
    headers.set("access-control-allow-methods", method)?;
    if let Some(names) = asked.get("access-control-request-headers")? {
        headers.set("access-control-allow-headers", &names)?;
    }
    headers.set("access-control-max-age", "7200")?;
    Ok(Response::from_body(ResponseBody::Empty)?
        .with_status(204)
        .with_headers(headers))
}

/// A refusal with its code.
pub fn refused(status: u16, code: &str, page: Option<&str>) -> Result<Response> {
    let mut response = Response::from_json(
        &json!({ "type": format!("/errors/{code}"), "status": status, "code": code }),
    )?;
    let headers = response.headers_mut();
    headers.set("content-type", "application/problem+json")?;
    headers.set("cache-control", "no-store")?;
    headers.set("vary", "Origin")?;
    if let Some(page) = page.filter(|page| *page != "null") {
        headers.set("access-control-allow-origin", page)?;
    }
    if status == 401 {
        headers.set(
            "www-authenticate",
            "Bearer realm=\"keyward\", error=\"invalid_token\"",
        )?;
    }
    Ok(response.with_status(status))
}
