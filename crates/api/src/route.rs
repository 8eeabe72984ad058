//! Which operation a request is for: its path, segment by segment, on the templates of the table.

use crate::operation::{Method, Operation};
use crate::{BASE, table};

/// The operations at one path, and what its segments stand for.
#[derive(Debug)]
pub struct Place<'a> {
    operations: Vec<&'static Operation>,
    segments: Vec<&'a str>,
}

/// A path's segments under the names that the template has for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments<'a> {
    template: &'static str,
    segments: Vec<&'a str>,
}

impl<'a> Place<'a> {
    /// What stands at a path as the runtime has serialised it; none where there is no operation.
    #[must_use]
    pub fn find(path: &'a str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix(BASE)?.split('/').collect();
        let operations: Vec<_> = table::all()
            .filter(|operation| matches(operation.path, &segments))
            .collect();
        (!operations.is_empty()).then_some(Self {
            operations,
            segments,
        })
    }

    /// The operation with this method. HEAD is answered as GET is.
    #[must_use]
    pub fn operation(&self, method: &str) -> Option<&'static Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.operations
            .iter()
            .copied()
            .find(|operation| operation.method.as_str() == method)
    }

    /// The value of `Allow`.
    #[must_use]
    pub fn allow(&self) -> String {
        let has = |method: &Method| self.operations.iter().any(|one| one.method == *method);
        let mut allow: Vec<_> = Method::ALL
            .iter()
            .filter(|method| has(method))
            .map(|method| method.as_str())
            .collect();
        if has(&Method::Get) {
            allow.push("HEAD");
        }
        allow.join(", ")
    }

    /// What the segments stand for in the path of one of the operations.
    #[must_use]
    pub fn segments(self, operation: &Operation) -> Segments<'a> {
        Segments {
            template: operation.path,
            segments: self.segments,
        }
    }
}

impl<'a> Segments<'a> {
    /// The segment that stands where the template has this name in braces.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'a str> {
        self.template
            .split('/')
            .zip(&self.segments)
            .find(|(part, _)| parameter(part) == Some(name))
            .map(|(_, segment)| *segment)
    }
}

/// The name in braces, when the part of a template is one.
fn parameter(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

fn matches(template: &str, segments: &[&str]) -> bool {
    let mut segments = segments.iter();
    let parts_match = template.split('/').all(|part| {
        segments.next().is_some_and(|segment| {
            part == *segment || (parameter(part).is_some() && !segment.is_empty())
        })
    });
    parts_match && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path of an operation with its parameters filled in.
    fn example(operation: &Operation) -> String {
        let fill = |part: &str| match parameter(part) {
            Some("project") => "acme".to_owned(),
            Some(name) => format!("{name}_1"),
            None => part.to_owned(),
        };
        let parts: Vec<_> = operation.path.split('/').map(fill).collect();
        format!("{BASE}{}", parts.join("/"))
    }

    #[test]
    fn every_template_matches_its_own_example_and_nothing_else() {
        for operation in table::all() {
            let path = example(operation);
            let place = Place::find(&path).unwrap();
            let found = place.operation(operation.method.as_str()).unwrap();
            assert_eq!(found.op, operation.op, "{path}");
            for other in &place.operations {
                assert_eq!(other.path, operation.path, "{path}");
            }
            for longer in [
                format!("{path}/"),
                format!("{path}/x"),
                format!("/{path}"),
                format!("{path}:x"),
            ] {
                let same = Place::find(&longer)
                    .and_then(|place| place.operation(operation.method.as_str()))
                    .is_some_and(|found| found.op == operation.op);
                // A last segment of any value takes what is appended to it.
                let open = operation.path.ends_with('}') && longer.ends_with(":x");
                assert_eq!(same, open, "{longer}");
            }
        }
    }

    #[test]
    fn segments_are_named_as_in_the_template() {
        let path = "/_keyward/v1/projects/acme/keys/key_1/secrets/sec_1/revoke";
        let place = Place::find(path).unwrap();
        let operation = place.operation("POST").unwrap();
        let segments = place.segments(operation);
        assert_eq!(segments.named("project"), Some("acme"));
        assert_eq!(segments.named("key"), Some("key_1"));
        assert_eq!(segments.named("secret"), Some("sec_1"));
        assert_eq!(segments.named("environment"), None);
    }

    #[test]
    fn other_paths_are_no_place() {
        for path in [
            "/_keyward/v1/",
            "/_keyward/v1/projects/",
            "/_keyward/v1/Projects",
            "/_keyward/v1/projects//keys",
            "/_keyward/v1/projects/acme/keys:Import",
            "/_keyward/v1/projects/acme/keys/key_1/rotate/",
            "/_keyward/v1/projects/{project}/x",
            "/_keyward/v2/projects",
            "/projects",
        ] {
            assert!(Place::find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn head_comes_with_get() {
        let place = Place::find("/_keyward/v1/projects").unwrap();
        assert_eq!(place.allow(), "GET, POST, HEAD");
        assert!(place.operation("HEAD").is_some());
        assert!(place.operation("PUT").is_none());
        assert!(place.operation("get").is_none());
        let place = Place::find("/_keyward/v1/keys:selfRevoke").unwrap();
        assert_eq!(place.allow(), "POST");
        assert!(place.operation("HEAD").is_none());
    }
}
