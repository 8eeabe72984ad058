//! What a route demands of a call: the keys that it takes, where they stand, and their scopes.

use crate::decide::Access;
use crate::kind::Kind;
use crate::restrict::path::PathRule;
use crate::restrict::scope::Scope;
use crate::route::file::{RequireFile, RouteFile};
use crate::route::finding::{Fault, Findings, fault};
use crate::route::path::RoutePath;
use crate::route::place::Place;
use crate::route::{Sessions, value};

/// Which keys a route takes, and what becomes of session keys.
pub(super) fn access(
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

/// Where a route takes keys from.
pub(super) fn key_in(
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

/// The scopes that some paths of a route demand beside its own.
pub(super) fn require(
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
