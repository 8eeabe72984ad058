//! The endpoints, by their paths.

use keyward_core::names;
use keyward_core::refusal::Refusal;

use crate::registry::message::Change;

const BASE: &str = "/_keyward/v1/";

/// What a path names. A project's id has its form; a key's id may be anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Endpoint<'a> {
    Projects,
    Project(&'a str),
    Keys(&'a str),
    Key(&'a str, &'a str),
    Change(&'a str, &'a str, Change),
}

impl<'a> Endpoint<'a> {
    /// Parses a path as the runtime has serialised it.
    ///
    /// # Errors
    /// [`Refusal::EndpointUnknown`]; [`Refusal::ProjectUnknown`] for what cannot be a project's id:
    /// nobody is asked then.
    pub(super) fn parse(path: &'a str) -> Result<Self, Refusal> {
        let segments: Vec<&str> = path
            .strip_prefix(BASE)
            .unwrap_or_default()
            .split('/')
            .collect();
        let endpoint = match *segments.as_slice() {
            ["projects"] => return Ok(Self::Projects),
            ["projects", project] if !project.is_empty() => Self::Project(project),
            ["projects", project, "keys"] => Self::Keys(project),
            ["projects", project, "keys", key] if !key.is_empty() => Self::Key(project, key),
            ["projects", project, "keys", key, word] => match Change::from_word(word) {
                Some(change) => Self::Change(project, key, change),
                None => return Err(Refusal::EndpointUnknown),
            },
            _ => return Err(Refusal::EndpointUnknown),
        };
        let (Self::Project(project)
        | Self::Keys(project)
        | Self::Key(project, _)
        | Self::Change(project, _, _)) = endpoint
        else {
            return Ok(endpoint);
        };
        if names::is_project_id(project) {
            Ok(endpoint)
        } else {
            Err(Refusal::ProjectUnknown)
        }
    }

    /// The methods that it answers; HEAD comes with GET.
    pub(super) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Projects | Self::Keys(_) => &["GET", "POST"],
            Self::Project(_) => &["GET"],
            Self::Key(..) => &["GET", "DELETE"],
            Self::Change(..) => &["POST"],
        }
    }

    /// The query parameters that it knows.
    pub(super) fn parameters(&self, method: &str) -> &'static [&'static str] {
        match self {
            Self::Projects if method == "GET" => &["limit", "cursor"],
            Self::Keys(_) if method == "GET" => &["limit", "cursor", "status", "owner", "q"],
            _ => &[],
        }
    }
}

/// The path and the query of a serialised URL, without what separates them.
pub(super) fn path_and_query(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let (_, path) = rest.split_at_checked(rest.find('/')?)?;
    Some(path.split_once('?').unwrap_or((path, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_endpoints() {
        for (path, endpoint) in [
            ("projects", Endpoint::Projects),
            ("projects/acme", Endpoint::Project("acme")),
            ("projects/acme/keys", Endpoint::Keys("acme")),
            ("projects/acme/keys/key_1", Endpoint::Key("acme", "key_1")),
            (
                "projects/acme/keys/key_1/revoke",
                Endpoint::Change("acme", "key_1", Change::Revoke),
            ),
        ] {
            assert_eq!(Endpoint::parse(&format!("{BASE}{path}")), Ok(endpoint));
        }
    }

    #[test]
    fn nothing_else_does() {
        for path in [
            "",
            "projects/",
            "Projects",
            "projects/acme/",
            "projects/acme/keys/",
            "projects//keys/k/x",
            "projects/acme/keys/k/rotate",
            "projects/acme/keys/k/revoke/",
        ] {
            assert_eq!(
                Endpoint::parse(&format!("{BASE}{path}")),
                Err(Refusal::EndpointUnknown),
                "{path}"
            );
        }
        assert_eq!(
            Endpoint::parse("/_keyward/v2/projects"),
            Err(Refusal::EndpointUnknown)
        );
        for path in ["projects/A", "projects//keys", "projects/%61cme/keys"] {
            assert_eq!(
                Endpoint::parse(&format!("{BASE}{path}")),
                Err(Refusal::ProjectUnknown),
                "{path}"
            );
        }
    }

    #[test]
    fn urls_are_cut_into_path_and_query() {
        assert_eq!(path_and_query("https://a:1/b?c?d"), Some(("/b", "c?d")));
        assert_eq!(path_and_query("https://a/b"), Some(("/b", "")));
        assert_eq!(path_and_query("about:blank"), None);
    }
}
