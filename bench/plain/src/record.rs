//! What KV says of a key, with its rules taken apart once.

use serde::Deserialize;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// May be visible in a page.
    Public,
    /// For servers only.
    Private,
}

impl Kind {
    /// As the origin is told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// A key's record.
#[derive(Deserialize)]
pub struct Record {
    pub key_id: String,
    pub project: String,
    pub environment: String,
    pub status: String,
    pub kind: Kind,
    pub owner: Option<String>,
    #[serde(default)]
    not_before: u64,
    expires_at: Option<u64>,
    pub scopes: Vec<String>,
    #[serde(default)]
    pub referrers: Vec<String>,
    paths: Vec<String>,
    #[serde(skip)]
    rules: Vec<Rule>,
}

/// A path rule: methods, nothing for any, and the segments of the pattern.
struct Rule {
    methods: Option<Vec<String>>,
    segments: Vec<String>,
}

impl Record {
    /// Reads the JSON of a record.
    pub fn parse(text: &str) -> worker::Result<Self> {
        let mut record: Self = serde_json::from_str(text)?;
        let rules = record.paths.iter().filter_map(|rule| {
            let (methods, pattern) = rule.split_once(' ')?;
            Some(Rule {
                methods: (methods != "*").then(|| methods.split(',').map(Into::into).collect()),
                segments: pattern.split('/').map(Into::into).collect(),
            })
        });
        record.rules = rules.collect();
        Ok(record)
    }

    /// Whether the key may be used at a time, in milliseconds.
    pub fn is_valid_at(&self, now: u64) -> bool {
        now >= self.not_before && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether a path rule allows the request.
    pub fn covers(&self, method: &str, path: &str) -> bool {
        let asked = if method == "HEAD" { "GET" } else { method };
        self.rules.iter().any(|rule| {
            let listed =
                |methods: &Vec<String>| methods.iter().any(|one| one == asked || one == method);
            rule.methods.as_ref().is_none_or(listed) && rule.matches(path)
        })
    }
}

impl Rule {
    fn matches(&self, path: &str) -> bool {
        let mut segments = path.split('/');
        for pattern in &self.segments {
            match (pattern.as_str(), segments.next()) {
                ("**", Some(first)) => return !first.is_empty(),
                ("*", Some(segment)) if !segment.is_empty() => {}
                (literal, Some(segment)) if literal == segment => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }
}
