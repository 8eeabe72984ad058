//! From what is written to what is used: every value is parsed, and everything that is wrong is
//! named at once. The build, `keyward config check` and the worker all come through here.

mod demands;
mod settings;

use std::collections::HashMap;

use self::demands::{access, key_in, require};
use self::settings::settings;
use super::cors::Cors;
use super::credential::Credential;
use super::file::{GatewayFile, RouteFile};
use super::finding::{Findings, fault};
use super::host::HostPattern;
use super::origin::Origin;
use super::path::RoutePath;
use super::proof::{self, Signature};
use super::{Route, Settings, value};

/// The path pattern of a route that names none.
const EVERY_PATH: &str = "/**";

/// Everything that is compiled; routes that are wrong are missing from it.
pub(super) fn compile(file: &GatewayFile, findings: &mut Findings<'_>) -> (Settings, Vec<Route>) {
    let settings = settings(&file.gateway, findings);
    let issuer = proof::issuer(&file.gateway, findings);
    if file.routes.is_empty() {
        findings.warn(
            "route",
            fault(
                "there is no route, so every request is answered with 404",
                "add a [[route]] with `origin`",
            ),
        );
    }
    let routes: Vec<_> = file
        .routes
        .iter()
        .enumerate()
        .filter_map(|(index, route)| {
            let asserted_by = proof::asserted_by(
                &format!("route[{index}].assertion"),
                route,
                &file.gateway,
                issuer.as_deref(),
                findings,
            );
            compile_route(index, route, asserted_by, findings)
        })
        .collect();
    refuse_twins(&routes, findings);
    (settings, routes)
}

fn compile_route(
    index: usize,
    file: &RouteFile,
    asserted_by: Option<Option<String>>,
    findings: &mut Findings<'_>,
) -> Option<Route> {
    let at = |name: &str| format!("route[{index}].{name}");
    let host = match &file.host {
        Some(text) => findings.text(&at("host"), text, HostPattern::parse),
        None => Some(HostPattern::Any),
    };
    let path = findings.text(
        &at("path"),
        file.path.as_deref().unwrap_or(EVERY_PATH),
        RoutePath::parse,
    );
    let origin = findings.text(&at("origin"), &file.origin, Origin::parse);
    if origin.as_ref().is_some_and(|origin| origin.insecure) {
        findings.warn(
            &at("origin"),
            fault(
                "calls and the credential cross the network in the clear",
                "use https",
            ),
        );
    }
    let strip_prefix = match &file.strip_prefix {
        Some(text) => findings.text(&at("strip_prefix"), text, value::prefix),
        None => Some(String::new()),
    };
    if let (Some(prefix), Some(path)) = (&strip_prefix, &path)
        && !path.begins_with(prefix)
    {
        findings.error(
            &at("strip_prefix"),
            fault(
                "`path` does not begin with this prefix",
                "write the literal first segments of `path`, as in /openai for /openai/**",
            ),
        );
    }
    let access = access(index, file, findings);
    let of_key = access.as_ref().map(|(access, _)| access);
    let key_in = key_in(&at("key_in"), file, of_key, findings);
    let credential = match &file.credential {
        Some(file) => Credential::compile(file, &at("credential"), findings).map(Some),
        None => Some(None),
    };
    if file.guard_body && file.credential.is_none() {
        findings.error(
            &at("guard_body"),
            fault(
                "the route has no credential to guard",
                "add `credential`, or remove `guard_body`",
            ),
        );
    }
    let signature = match &file.signature {
        Some(file) => Signature::compile(file, &at("signature"), findings).map(Some),
        None => Some(None),
    };
    let cost = findings.number(&at("cost"), file.cost, 1, (0, 1000));
    let timeout_ms = file
        .timeout_ms
        .map(|value| findings.number(&at("timeout_ms"), Some(value), 0, (1, 600_000)));
    let cache_origin = match &file.cache {
        Some(text) => findings.text(&at("cache"), text, value::cache),
        None => Some(false),
    };
    let cors = match &file.cors {
        Some(file) => Cors::compile(file, &at("cors"), findings),
        None => Some(Cors::default()),
    };
    let requires: Vec<_> = file
        .require
        .iter()
        .enumerate()
        .map(|(number, file)| {
            require(
                &at(&format!("require[{number}]")),
                file,
                path.as_ref(),
                findings,
            )
        })
        .collect();
    let Origin {
        origin, base_path, ..
    } = origin?;
    let key_in = key_in?;
    let (access, sessions) = access?;
    Some(Route {
        index,
        name: name(file),
        host: host?,
        path: path?,
        access,
        requires: requires.into_iter().collect::<Option<_>>()?,
        origin,
        base_path,
        strip_prefix: strip_prefix?,
        credential: credential?,
        guard_body: file.guard_body,
        sessions,
        asserted_by: asserted_by?,
        signature: signature?,
        cost,
        timeout_ms,
        cache_origin: cache_origin?,
        cookies: file.cookies,
        imported_keys: file.imported_keys,
        allow_ambiguous_paths: file.allow_ambiguous_paths,
        cors: cors?.with_key(&key_in),
        key_in,
    })
}

/// Without a host it begins with a slash, so no two routes share one.
fn name(file: &RouteFile) -> String {
    let host = file.host.as_deref().unwrap_or_default();
    format!("{host}{}", file.path.as_deref().unwrap_or(EVERY_PATH))
}

/// Two routes with the same host and path: one of them would never be used.
fn refuse_twins(routes: &[Route], findings: &mut Findings<'_>) {
    let mut seen = HashMap::new();
    for route in routes {
        let Some(earlier) = seen.insert((&route.host, &route.path), route.index) else {
            continue;
        };
        findings.error(
            &format!("route[{}].path", route.index),
            fault(
                format!("route[{earlier}] has the same host and path"),
                "make one of them more specific, or remove it",
            ),
        );
    }
}
