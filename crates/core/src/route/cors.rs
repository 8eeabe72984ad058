//! What a route lets pages of other websites do, beyond what the key decides.

use crate::restrict::referrer::serialized_origin;

use super::file::CorsFile;
use super::finding::{Fault, Findings, fault};
use super::header;
use super::place::Place;

/// A route's CORS settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// Origins that get `Access-Control-Allow-Credentials`, as browsers serialise them.
    pub origins: Vec<String>,
    /// Request headers that a page may send, in lower case, the key's own among them. None: what
    /// the preflight asks for.
    pub allow_headers: Option<Vec<String>>,
    /// Response headers that a page may read, in lower case.
    pub expose_headers: Vec<String>,
    /// Seconds for which a browser may remember a preflight.
    pub max_age_s: u32,
}

impl Default for Cors {
    fn default() -> Self {
        // Two hours: the longest that Chromium remembers a preflight.
        Self {
            origins: Vec::new(),
            allow_headers: None,
            expose_headers: Vec::new(),
            max_age_s: 7200,
        }
    }
}

impl Cors {
    pub(super) fn compile(
        file: &CorsFile,
        field: &str,
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let mut list = |name: &str,
                        texts: &Option<Vec<String>>,
                        parse: fn(&str) -> Result<String, Fault>| match texts
        {
            Some(texts) => findings
                .texts(&format!("{field}.{name}"), texts, parse)
                .map(Some),
            None => Some(None),
        };
        let origins = list("origins", &file.origins, origin);
        let allow_headers = list("allow_headers", &file.allow_headers, header::name);
        let expose_headers = list("expose_headers", &file.expose_headers, header::name);
        let max_age_s = findings.number(
            &format!("{field}.max_age_s"),
            file.max_age_s,
            Self::default().max_age_s,
            (0, 86_400),
        );
        Some(Self {
            origins: origins?.unwrap_or_default(),
            allow_headers: allow_headers?,
            expose_headers: expose_headers?.unwrap_or_default(),
            max_age_s,
        })
    }

    /// Lets pages send the key itself: with a list that leaves out the key's own header, no call
    /// of a page would ever arrive.
    pub(super) fn with_key(mut self, places: &[Place]) -> Self {
        if let Some(names) = &mut self.allow_headers {
            for place in places {
                let name = match place {
                    Place::Bearer => "authorization",
                    Place::Header(name) => name,
                    Place::Query(_) => continue,
                };
                if !names.iter().any(|listed| listed == name) {
                    names.push(name.to_owned());
                }
            }
        }
        self
    }
}

/// An origin as browsers serialise it.
fn origin(text: &str) -> Result<String, Fault> {
    match text {
        "*" => {
            return Err(fault(
                "credentials are never allowed to every website",
                "leave `origins` out, or list each origin",
            ));
        }
        "null" => {
            return Err(fault(
                "`null` is any sandboxed page",
                "list the origins of your own pages",
            ));
        }
        _ => {}
    }
    let Some(origin) = serialized_origin(text) else {
        return Err(fault(
            format!("`{text}` is not an origin"),
            "write it as a browser sends it, as in https://app.example.com",
        ));
    };
    let scheme = origin.scheme().to_ascii_lowercase();
    let host = origin.host().to_ascii_lowercase();
    Ok(match (scheme.as_str(), origin.port()) {
        ("https", Some(443)) | ("http", Some(80)) | (_, None) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_headers_never_shuts_out_the_key() {
        let places = [
            Place::Bearer,
            Place::Header("x-api-key".into()),
            Place::Query("key".into()),
        ];
        let allowed = |listed: Option<&[&str]>| {
            let allow_headers =
                listed.map(|names| names.iter().map(|&name| name.to_owned()).collect());
            let cors = Cors {
                allow_headers,
                ..Cors::default()
            };
            cors.with_key(&places)
                .allow_headers
                .map(|names| names.join(" "))
        };
        assert_eq!(
            allowed(Some(&["content-type", "x-api-key"])).as_deref(),
            Some("content-type x-api-key authorization")
        );
        assert_eq!(allowed(None), None);
    }

    #[test]
    fn credentials_are_for_listed_origins_only() {
        for text in [
            "*",
            "null",
            "https://*.example.com",
            "https://a.example/",
            "https://a.example/x",
            "a.example",
            "",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
        for (text, serialised) in [
            ("HTTPS://App.example.com:443", "https://app.example.com"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(origin(text).unwrap(), serialised);
        }
    }
}
