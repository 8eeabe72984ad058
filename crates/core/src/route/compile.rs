//! From what is written to what is used: every value is parsed, and everything that is wrong is
//! named at once. The build, `keyward config check` and the worker all come through here.

use std::collections::HashMap;

use crate::decide::Access;
use crate::kind::Kind;
use crate::restrict::path::PathRule;
use crate::restrict::scope::Scope;
use crate::turnstile::Turnstile;

use super::cors::Cors;
use super::credential::Credential;
use super::file::{GatewayFile, RequireFile, RouteFile, SettingsFile, TurnstileFile};
use super::finding::{Fault, Findings, fault};
use super::host::HostPattern;
use super::origin::Origin;
use super::path::RoutePath;
use super::place::Place;
use super::proof::{self, Signature};
use super::{Route, Sessions, Settings, header, value, variables};

/// Where Cloudflare Turnstile verifies tokens.
const SITEVERIFY: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
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

fn settings(file: &SettingsFile, findings: &mut Findings<'_>) -> Settings {
    let defaults = Settings::default();
    let client_ip_header = file
        .client_ip_header
        .as_ref()
        .and_then(|text| findings.text("gateway.client_ip_header", text, header::client_address));
    Settings {
        client_ip_header: client_ip_header.unwrap_or(defaults.client_ip_header),
        stale_if_error_s: findings.number(
            "gateway.stale_if_error_s",
            file.stale_if_error_s,
            defaults.stale_if_error_s,
            (0, 86_400),
        ),
        memory_records: findings.number(
            "gateway.memory_records",
            file.memory_records,
            defaults.memory_records,
            (1, 100_000),
        ),
        public_key_ip_limit: findings.number(
            "gateway.public_key_ip_limit",
            file.public_key_ip_limit,
            defaults.public_key_ip_limit,
            (0, 1_000_000),
        ),
        public_key_ip_window_s: findings.number(
            "gateway.public_key_ip_window_s",
            file.public_key_ip_window_s,
            defaults.public_key_ip_window_s,
            (1, 3600),
        ),
        session_ip_limit: findings.number(
            "gateway.session_ip_limit",
            file.session_ip_limit,
            defaults.session_ip_limit,
            (0, 1_000_000),
        ),
        turnstile: (file.turnstile.as_ref()).and_then(|file| turnstile(file, findings)),
    }
}

fn turnstile(file: &TurnstileFile, findings: &mut Findings<'_>) -> Option<Turnstile> {
    let secret = findings.text("gateway.turnstile.secret", &file.secret, |text| {
        variables::check_name(text).map(|()| text.to_owned())
    });
    let action = file.action.as_deref().unwrap_or("keyward");
    let action = findings.text("gateway.turnstile.action", action, value::action);
    let url = file.url.as_deref().unwrap_or(SITEVERIFY);
    let url = findings.text("gateway.turnstile.url", url, Origin::parse);
    let url = url.map(|url| format!("{}{}", url.origin, url.base_path));
    Some(Turnstile {
        secret: secret?,
        url: url?,
        action: action?,
    })
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

fn access(
    index: usize,
    file: &RouteFile,
    findings: &mut Findings<'_>,
) -> Option<(Access, Sessions)> {
    let at = |name: &str| format!("route[{index}].{name}");
    let mut names = |name: &str,
                     texts: &Option<Vec<String>>,
                     parse: fn(&str) -> Result<String, Fault>| match texts {
        Some(texts) => findings.texts(&at(name), texts, parse).map(Some),
        None => Some(None),
    };
    let projects = names("projects", &file.projects, value::project);
    let environments = names("environments", &file.environments, value::environment);
    let accepts = match &file.accepts {
        Some(texts) => findings.texts(&at("accepts"), texts, value::kind),
        // Anybody can write a derived key whose parent has to be looked for: only where it is said.
        None => Some(vec![Some(Kind::Public), Some(Kind::Private)]),
    };
    let scopes = match &file.scopes {
        Some(texts) => findings.texts(&at("scopes"), texts, value::scope),
        None => Some(Vec::new()),
    };
    let (accepts, sessions) = kinds(accepts?);
    let access = Access {
        projects: projects?,
        environments: environments?,
        accepts,
        scopes: scopes?,
    };
    Some((access, sessions))
}

/// The kinds that records have, and what becomes of session keys, which stand for public ones.
fn kinds(listed: Vec<Option<Kind>>) -> (Vec<Kind>, Sessions) {
    let sessions = match (listed.contains(&None), listed.contains(&Some(Kind::Public))) {
        (false, _) => Sessions::Refused,
        (true, true) => Sessions::Taken,
        (true, false) => Sessions::Required,
    };
    let mut kinds: Vec<Kind> = listed.into_iter().flatten().collect();
    if sessions == Sessions::Required {
        kinds.push(Kind::Public);
    }
    (kinds, sessions)
}

fn key_in(
    field: &str,
    file: &RouteFile,
    access: Option<&Access>,
    findings: &mut Findings<'_>,
) -> Option<Vec<Place>> {
    let Some(texts) = &file.key_in else {
        return Some(Place::defaults());
    };
    let places = findings.texts(field, texts, Place::parse)?;
    let public = access.is_none_or(|access| access.accepts.contains(&Kind::Public));
    for (number, place) in places.iter().enumerate() {
        let field = format!("{field}[{number}]");
        if places.iter().take(number).any(|earlier| earlier == place) {
            findings.error(&field, fault("this place is listed twice", "remove one"));
        }
        if matches!(place, Place::Query(_)) && !public {
            findings.error(
                &field,
                fault(
                    "only public keys are read from the query, and `accepts` does not list them",
                    "use \"bearer\" or \"header:<name>\"",
                ),
            );
        }
    }
    Some(places)
}

fn require(
    field: &str,
    file: &RequireFile,
    route: Option<&RoutePath>,
    findings: &mut Findings<'_>,
) -> Option<(PathRule, Vec<Scope>)> {
    let rule = findings.text(&format!("{field}.rule"), &file.rule, |text| {
        let rule: PathRule = text.parse()?;
        if route.is_some_and(|route| !route.meets(rule.pattern())) {
            return Err(fault(
                "no path of this route matches the rule, so it would require nothing",
                "write the path as clients send it, before `strip_prefix`",
            ));
        }
        Ok(rule)
    });
    let scopes = findings.texts(&format!("{field}.scopes"), &file.scopes, value::scope);
    Some((rule?, scopes?))
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
