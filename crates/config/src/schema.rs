//! Which fields each table has, and of which type: the shape of [`GatewayFile`] as data, so that
//! everything that differs from it is named at once and with its place.
//!
//! [`GatewayFile`]: keyward_core::route::GatewayFile

/// What a field holds.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Number,
    Flag,
    Texts,
    Table(&'static [Field]),
    Tables(&'static [Field]),
}

impl Shape {
    /// The words for it in a message.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a whole number",
            Self::Flag => "true or false",
            Self::Texts => "a list of strings",
            Self::Table(_) => "a table",
            Self::Tables(_) => "a list of tables",
        }
    }
}

/// A field of a table.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: false,
    }
}

const fn required(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: true,
    }
}

pub(crate) const FILE: &[Field] = &[
    optional("gateway", Shape::Table(GATEWAY)),
    optional("route", Shape::Tables(ROUTE)),
];

const GATEWAY: &[Field] = &[
    optional("client_ip_header", Shape::Text),
    optional("issuer", Shape::Text),
    optional("stale_if_error_s", Shape::Number),
    optional("memory_records", Shape::Number),
    optional("public_key_ip_limit", Shape::Number),
    optional("public_key_ip_window_s", Shape::Number),
    optional("session_ip_limit", Shape::Number),
    optional("turnstile", Shape::Table(TURNSTILE)),
];

const TURNSTILE: &[Field] = &[
    required("secret", Shape::Text),
    optional("action", Shape::Text),
    optional("url", Shape::Text),
];

const ROUTE: &[Field] = &[
    optional("host", Shape::Text),
    optional("path", Shape::Text),
    required("origin", Shape::Text),
    optional("strip_prefix", Shape::Text),
    optional("projects", Shape::Texts),
    optional("environments", Shape::Texts),
    optional("accepts", Shape::Texts),
    optional("key_in", Shape::Texts),
    optional("scopes", Shape::Texts),
    optional("credential", Shape::Table(CREDENTIAL)),
    optional("guard_body", Shape::Flag),
    optional("assertion", Shape::Flag),
    optional("signature", Shape::Table(SIGNATURE)),
    optional("cost", Shape::Number),
    optional("timeout_ms", Shape::Number),
    optional("cache", Shape::Text),
    optional("cookies", Shape::Flag),
    optional("imported_keys", Shape::Flag),
    optional("allow_ambiguous_paths", Shape::Flag),
    optional("cors", Shape::Table(CORS)),
    optional("require", Shape::Tables(REQUIRE)),
];

const CREDENTIAL: &[Field] = &[
    optional("secret", Shape::Text),
    optional("project_secret", Shape::Text),
    optional("header", Shape::Text),
    optional("query", Shape::Text),
    optional("template", Shape::Text),
];

const SIGNATURE: &[Field] = &[
    required("algorithm", Shape::Text),
    optional("secret", Shape::Text),
    optional("key_id", Shape::Text),
];

const CORS: &[Field] = &[
    optional("origins", Shape::Texts),
    optional("allow_headers", Shape::Texts),
    optional("expose_headers", Shape::Texts),
    optional("max_age_s", Shape::Number),
];

const REQUIRE: &[Field] = &[
    required("rule", Shape::Text),
    required("scopes", Shape::Texts),
];

#[cfg(test)]
mod tests {
    use keyward_core::route::GatewayFile;
    use serde::Deserialize as _;
    use toml::{Table, Value};

    use super::*;

    fn sample(shape: Shape) -> Value {
        match shape {
            Shape::Text => Value::String("x".to_owned()),
            Shape::Number => Value::Integer(1),
            Shape::Flag => Value::Boolean(true),
            Shape::Texts => Value::Array(vec![Value::String("x".to_owned())]),
            Shape::Table(fields) => Value::Table(full(fields)),
            Shape::Tables(fields) => Value::Array(vec![Value::Table(full(fields))]),
        }
    }

    /// A table with every field.
    fn full(fields: &[Field]) -> Table {
        fields
            .iter()
            .map(|field| (field.name.to_owned(), sample(field.shape)))
            .collect()
    }

    #[test]
    fn the_schema_and_the_cores_types_agree_in_both_directions() {
        let written = full(FILE);
        let file = GatewayFile::deserialize(Value::Table(written.clone())).unwrap();
        // Nothing is lost, so the types know every field; nothing is new, so the schema does.
        assert_eq!(Table::try_from(&file).unwrap(), written);
        // A struct literal with every field set breaks the build of this test when one is added.
        let keyward_core::route::RouteFile {
            host,
            path,
            origin: _,
            strip_prefix,
            projects,
            environments,
            accepts,
            key_in,
            scopes,
            credential,
            guard_body,
            assertion,
            signature,
            cost,
            timeout_ms,
            cache,
            cookies,
            imported_keys,
            allow_ambiguous_paths,
            cors,
            require,
        } = file.routes.into_iter().next().unwrap();
        assert!(host.is_some() && path.is_some() && strip_prefix.is_some() && projects.is_some());
        assert!(
            environments.is_some() && accepts.is_some() && key_in.is_some() && scopes.is_some()
        );
        assert!(cost.is_some() && assertion && signature.is_some());
        assert!(credential.is_some() && timeout_ms.is_some() && cache.is_some() && cors.is_some());
        assert!(
            guard_body && cookies && imported_keys && allow_ambiguous_paths && !require.is_empty()
        );
    }
}
