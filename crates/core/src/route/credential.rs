//! The origin's own credential, attached by the gateway and never seen by a client.

use super::file::CredentialFile;
use super::finding::{Fault, Findings, fault};
use super::{header, variables};
use crate::names;

/// What stands for the secret in a template.
const MARK: &str = "{secret}";

/// A credential to attach. Holds the name of the secret, not the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where the secret comes from.
    pub source: Source,
    /// Where it goes.
    pub target: Target,
    /// The value, with `{secret}` in it.
    pub template: String,
}

/// Where the secret of a credential comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The Worker secret, or the binding of a Secrets Store, of this name.
    Secret(String),
    /// The value of this name that the project of the calling key has.
    Project(String),
}

/// Where a credential goes in the upstream request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A header, in lower case; what the client sent in it is removed.
    Header(String),
    /// A query parameter; what the client sent in it is removed.
    Query(String),
}

impl Credential {
    /// The value to send. Header values must be checked by whoever sends them: a secret may
    /// hold what a header cannot.
    #[must_use]
    pub fn fill(&self, secret: &str) -> String {
        self.template.replace(MARK, secret)
    }

    pub(super) fn compile(
        file: &CredentialFile,
        field: &str,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let source = source(file, field, findings);
        let target = match (&file.header, &file.query) {
            (Some(name), None) => findings.text(&format!("{field}.header"), name, |text| {
                header::carrier(text).map(Target::Header)
            }),
            (None, Some(name)) => {
                let field = format!("{field}.query");
                findings.warn(
                    &field,
                    fault(
                        "a credential in the query ends up in the origin's logs",
                        "use `header` if the origin reads one",
                    ),
                );
                findings.text(&field, name, |text| {
                    header::parameter(text).map(Target::Query)
                })
            }
            (Some(_), Some(_)) => {
                findings.error(
                    field,
                    fault(
                        "a credential goes into one place",
                        "keep either `header` or `query`",
                    ),
                );
                None
            }
            (None, None) => {
                findings.error(
                    field,
                    fault(
                        "the credential has no place to go to",
                        "add `header = \"authorization\"`",
                    ),
                );
                None
            }
        };
        let template = match &file.template {
            Some(text) => findings.text(&format!("{field}.template"), text, template),
            None => Some(MARK.to_owned()),
        };
        Some(Self {
            source: source?,
            target: target?,
            template: template?,
        })
    }
}

fn source(file: &CredentialFile, field: &str, findings: &mut Findings<'_>) -> Option<Source> {
    match (&file.secret, &file.project_secret) {
        (Some(name), None) => findings.text(&format!("{field}.secret"), name, |text| {
            variables::check_name(text).map(|()| Source::Secret(text.to_owned()))
        }),
        (None, Some(name)) => findings.text(&format!("{field}.project_secret"), name, |text| {
            if names::is_credential(text) {
                return Ok(Source::Project(text.to_owned()));
            }
            Err(fault(
                format!("`{text}` is not the name of a project's credential"),
                "use a capital letter, then capital letters, digits and `_`, at most 64",
            ))
        }),
        (Some(_), Some(_)) => {
            findings.error(
                field,
                fault(
                    "a credential comes from one place",
                    "keep either `secret` or `project_secret`",
                ),
            );
            None
        }
        (None, None) => {
            findings.error(
                field,
                fault(
                    "the credential comes from nowhere",
                    "add `secret = \"NAME\"`, the name of a Worker secret",
                ),
            );
            None
        }
    }
}

fn template(text: &str) -> Result<String, Fault> {
    let fix = "write it as in \"Bearer {secret}\"";
    if !text.contains(MARK) {
        return Err(fault("the template has no `{secret}`", fix));
    }
    if text.replace(MARK, "").contains(['{', '}']) {
        return Err(fault("the template has braces other than `{secret}`", fix));
    }
    if !text.bytes().all(|b| matches!(b, b' '..=b'~')) || text.trim() != text {
        return Err(fault(
            "the template cannot be a header's value",
            "use printable ASCII without blanks around it",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_holds_the_secret_and_fits_a_header() {
        for text in ["Bearer {secret}", "{secret}", "a={secret};b={secret}"] {
            assert!(template(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "Bearer",
            "Bearer {SECRET}",
            "{secret} {key}",
            "{secret}\r\nX: y",
            " {secret}",
            "{{secret}}",
            "ü{secret}",
        ] {
            assert!(template(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_filled_in_and_never_read_as_a_template() {
        let target = Target::Header("authorization".to_owned());
        let credential = Credential {
            source: Source::Secret("S".to_owned()),
            target,
            template: "Bearer {secret}".to_owned(),
        };
        assert_eq!(credential.fill("{secret}x"), "Bearer {secret}x");
    }
}
