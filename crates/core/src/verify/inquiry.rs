//! What a back end asks about: a key, and what it knows of the call.
//!
//! A JSON object: `key`; `method` (default `GET`) and `url` of the call; `headers`, of which those
//! count that the decision reads; `ip`, the client's address; `scopes`, which the key needs beside
//! those of the route; `cost`, what the call spends. What is not said is not known, and a restriction that
//! needs it refuses.

use std::fmt::Write as _;

use super::Terms;
use crate::cors::is_token;
use crate::json::Json;
use crate::restrict::ip::parse_client;
use crate::restrict::scope::Scope;
use crate::spec::FieldError;

/// Stands for the address of a call of which none is known.
const NOWHERE: &str = "https://verify.invalid/";
/// The headers that the decision reads ([`HeadFacts`](crate::head::HeadFacts)).
const READ: [&str; 7] = [
    "origin",
    "referer",
    "sec-fetch-site",
    "upgrade",
    "x-android-package",
    "x-android-cert",
    "x-ios-bundle-identifier",
];
const MOST_SCOPES: usize = 64;
/// The most that a call costs, as in a route.
const HIGHEST_COST: u64 = 1000;

/// A question, ready to be decided. Holds a key, so it is not to be printed.
#[derive(Clone)]
pub struct Inquiry {
    /// The head of the call.
    pub head: String,
    /// How it is asked about.
    pub terms: Terms,
}

impl Inquiry {
    /// Reads a body. `project` is the one that who asks may know of.
    ///
    /// # Errors
    /// What is wrong with it, without a value of it.
    pub fn read(
        body: &str,
        project: Option<String>,
        client_ip_header: &str,
    ) -> Result<Self, FieldError> {
        let fields = Json::object(body)
            .ok_or_else(|| wrong("", "the body is not one JSON object with each name once"))?;
        let mut terms = Terms {
            is_placed: false,
            ..Terms::of_proxy(project)
        };
        let (mut method, mut url, mut lines) = ("GET", NOWHERE, String::new());
        for (name, value) in &fields {
            match name.as_str() {
                "key" => {
                    let key = value.as_text().filter(|key| !key.is_empty());
                    let key = key.ok_or_else(|| wrong(name, "the key is a text"))?;
                    terms.key = Some(key.to_owned());
                }
                "method" => {
                    let text = value.as_text().filter(|text| is_token(text));
                    method = text.ok_or_else(|| wrong(name, "no HTTP method: write POST"))?;
                }
                "url" => {
                    let text = value.as_text().filter(|text| is_address(text));
                    url = text.ok_or_else(|| {
                        wrong(name, "the whole address as it was called: write https://api.example.com/v1/x")
                    })?;
                    terms.is_placed = true;
                }
                "headers" => headers(value, &mut lines)?,
                "ip" => {
                    let text = value.as_text().filter(|text| parse_client(text).is_some());
                    let text = text.ok_or_else(|| wrong(name, "no IP address"))?;
                    let _ = write!(lines, "{client_ip_header}\n{text}\n");
                }
                "scopes" => terms.scopes = scopes(value)?,
                "cost" => {
                    terms.cost = match value {
                        Json::Number(Some(cost @ 0..=HIGHEST_COST)) => u32::try_from(*cost).ok(),
                        _ => return Err(wrong(name, "a whole number from 0 to 1000")),
                    };
                }
                _ => return Err(wrong("", "there is a field that is not known")),
            }
        }
        if terms.key.is_none() {
            return Err(wrong("key", "this field is required"));
        }
        Ok(Self {
            head: format!("{method}\n{url}\n{lines}"),
            terms,
        })
    }
}

fn headers(value: &Json, lines: &mut String) -> Result<(), FieldError> {
    let wrong = || {
        wrong(
            "headers",
            "an object of texts by names in lower case, each in one line",
        )
    };
    let Json::Object(fields) = value else {
        return Err(wrong());
    };
    for (name, value) in fields {
        let value = value.as_text().ok_or_else(wrong)?;
        if value.chars().any(char::is_control)
            || !is_token(name)
            || name.bytes().any(|b| b.is_ascii_uppercase())
        {
            return Err(wrong());
        }
        if READ.contains(&name.as_str()) {
            let _ = write!(lines, "{name}\n{value}\n");
        }
    }
    Ok(())
}

fn scopes(value: &Json) -> Result<Vec<Scope>, FieldError> {
    let wrong = || {
        wrong(
            "scopes",
            "a list of up to 64 scopes: write [\"chat:write\"]",
        )
    };
    let list = match value {
        Json::List(list) if list.len() <= MOST_SCOPES => list,
        _ => return Err(wrong()),
    };
    let scope = |one: &Json| one.as_text()?.parse().ok();
    list.iter()
        .map(|one| scope(one).ok_or_else(wrong))
        .collect()
}

/// Whether a text can stand in a head as an address. What it leads to is decided later.
fn is_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or(text.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.contains('/')) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn wrong(field: &str, detail: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        detail: detail.to_owned(),
    }
}
