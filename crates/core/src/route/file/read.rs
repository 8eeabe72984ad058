//! Reads the file as the build has embedded it: what `serde` reads too, in a tenth of the code.

use super::{
    CorsFile, CredentialFile, GatewayFile, RequireFile, RouteFile, SettingsFile, SignatureFile,
    TurnstileFile,
};
use crate::json::Json;

/// What an object has that was not read yet.
struct Fields(Vec<(String, Json)>);

/// Nothing when it is not of the form.
type Read<T> = Option<T>;

impl GatewayFile {
    /// Reads the embedded file. Nothing when it is not one of this version: a field that is not known is
    /// not passed over.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let mut file = Fields(Json::object(json)?);
        let settings = match file.table("gateway")? {
            Some(fields) => settings(fields)?,
            None => SettingsFile::default(),
        };
        let routes = file.tables("route")?;
        file.end()?;
        Some(Self {
            gateway: settings,
            routes: routes.into_iter().map(route).collect::<Option<_>>()?,
        })
    }
}

fn settings(mut fields: Fields) -> Read<SettingsFile> {
    let file = SettingsFile {
        client_ip_header: fields.text("client_ip_header")?,
        issuer: fields.text("issuer")?,
        stale_if_error_s: fields.number("stale_if_error_s")?,
        memory_records: fields.number("memory_records")?,
        public_key_ip_limit: fields.number("public_key_ip_limit")?,
        public_key_ip_window_s: fields.number("public_key_ip_window_s")?,
        session_ip_limit: fields.number("session_ip_limit")?,
        turnstile: match fields.table("turnstile")? {
            Some(fields) => Some(turnstile(fields)?),
            None => None,
        },
    };
    fields.end().map(|()| file)
}

fn turnstile(mut fields: Fields) -> Read<TurnstileFile> {
    let file = TurnstileFile {
        secret: fields.text("secret")??,
        action: fields.text("action")?,
        url: fields.text("url")?,
    };
    fields.end().map(|()| file)
}

fn route(mut fields: Fields) -> Read<RouteFile> {
    let file = RouteFile {
        host: fields.text("host")?,
        path: fields.text("path")?,
        origin: fields.text("origin")??,
        strip_prefix: fields.text("strip_prefix")?,
        projects: fields.texts("projects")?,
        environments: fields.texts("environments")?,
        accepts: fields.texts("accepts")?,
        key_in: fields.texts("key_in")?,
        scopes: fields.texts("scopes")?,
        credential: match fields.table("credential")? {
            Some(fields) => Some(credential(fields)?),
            None => None,
        },
        guard_body: fields.flag("guard_body")?,
        assertion: fields.flag("assertion")?,
        signature: match fields.table("signature")? {
            Some(fields) => Some(signature(fields)?),
            None => None,
        },
        cost: fields.number("cost")?,
        timeout_ms: fields.number("timeout_ms")?,
        cache: fields.text("cache")?,
        cookies: fields.flag("cookies")?,
        imported_keys: fields.flag("imported_keys")?,
        allow_ambiguous_paths: fields.flag("allow_ambiguous_paths")?,
        cors: match fields.table("cors")? {
            Some(fields) => Some(cors(fields)?),
            None => None,
        },
        require: (fields.tables("require")?.into_iter())
            .map(require)
            .collect::<Option<_>>()?,
    };
    fields.end().map(|()| file)
}

fn credential(mut fields: Fields) -> Read<CredentialFile> {
    let file = CredentialFile {
        secret: fields.text("secret")?,
        project_secret: fields.text("project_secret")?,
        header: fields.text("header")?,
        query: fields.text("query")?,
        template: fields.text("template")?,
    };
    fields.end().map(|()| file)
}

fn signature(mut fields: Fields) -> Read<SignatureFile> {
    let file = SignatureFile {
        algorithm: fields.text("algorithm")??,
        secret: fields.text("secret")?,
        key_id: fields.text("key_id")?,
    };
    fields.end().map(|()| file)
}

fn cors(mut fields: Fields) -> Read<CorsFile> {
    let file = CorsFile {
        origins: fields.texts("origins")?,
        allow_headers: fields.texts("allow_headers")?,
        expose_headers: fields.texts("expose_headers")?,
        max_age_s: fields.number("max_age_s")?,
    };
    fields.end().map(|()| file)
}

fn require(mut fields: Fields) -> Read<RequireFile> {
    let file = RequireFile {
        rule: fields.text("rule")??,
        scopes: fields.texts("scopes")??,
    };
    fields.end().map(|()| file)
}

impl Fields {
    fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn text(&mut self, name: &str) -> Read<Option<String>> {
        match self.take(name) {
            None => Some(None),
            Some(Json::Text(text)) => Some(Some(text)),
            Some(_) => None,
        }
    }

    fn number(&mut self, name: &str) -> Read<Option<u64>> {
        match self.take(name) {
            None => Some(None),
            Some(Json::Number(Some(number))) => Some(Some(number)),
            Some(_) => None,
        }
    }

    fn flag(&mut self, name: &str) -> Read<bool> {
        match self.take(name) {
            None => Some(false),
            Some(Json::Bool(is)) => Some(is),
            Some(_) => None,
        }
    }

    fn texts(&mut self, name: &str) -> Read<Option<Vec<String>>> {
        let Some(list) = self.take(name) else {
            return Some(None);
        };
        let Json::List(list) = list else { return None };
        let text = |one| match one {
            Json::Text(text) => Some(text),
            _ => None,
        };
        list.into_iter().map(text).collect::<Option<_>>().map(Some)
    }

    fn table(&mut self, name: &str) -> Read<Option<Self>> {
        match self.take(name) {
            None => Some(None),
            Some(Json::Object(fields)) => Some(Some(Self(fields))),
            Some(_) => None,
        }
    }

    fn tables(&mut self, name: &str) -> Read<Vec<Self>> {
        let Some(list) = self.take(name) else {
            return Some(Vec::new());
        };
        let Json::List(list) = list else { return None };
        let table = |one| match one {
            Json::Object(fields) => Some(Self(fields)),
            _ => None,
        };
        list.into_iter().map(table).collect()
    }

    /// Everything was read.
    fn end(self) -> Read<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const FULL: &str = r#"{
        "gateway": {"client_ip_header": "a", "issuer": "b", "stale_if_error_s": 1, "memory_records": 2, "public_key_ip_limit": 0,
            "public_key_ip_window_s": 4, "session_ip_limit": 5, "turnstile": {"secret": "s", "action": "a", "url": "u"}},
        "route": [{"origin": "o"}, {"host": "h", "path": "p", "origin": "o", "strip_prefix": "s", "projects": ["a", "b"], "environments": [],
            "accepts": ["public"], "key_in": ["bearer"], "scopes": ["a:b"], "credential": {"secret": "s", "project_secret": "p", "header": "h", "query": "q", "template": "t"},
            "guard_body": true, "assertion": true, "signature": {"algorithm": "a", "secret": "s", "key_id": "k"}, "cost": 7, "timeout_ms": 8, "cache": "c", "cookies": true,
            "imported_keys": true, "allow_ambiguous_paths": true,
            "cors": {"origins": ["o"], "allow_headers": ["a"], "expose_headers": ["e"], "max_age_s": 9}, "require": [{"rule": "r", "scopes": ["a:b"]}]}]
    }"#;

    /// Every document that differs from one at one place.
    fn altered(value: &Value, all: &mut Vec<Value>, whole: &dyn Fn(Value) -> Value) {
        for other in [
            Value::from(7),
            Value::from("x"),
            Value::from(true),
            Value::from(-1),
            Value::from(0.5),
            Value::Array(vec![]),
            Value::Object(serde_json::Map::new()),
        ] {
            // `serde` also reads a table from a list of its values, which nothing writes.
            if !(value.is_object() && other.is_array()) {
                all.push(whole(other));
            }
        }
        match value {
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    altered(item, all, &|other| {
                        let mut items = items.clone();
                        items[at] = other;
                        whole(Value::Array(items))
                    });
                }
            }
            Value::Object(fields) => {
                let mut more = fields.clone();
                more.insert("misspelt".to_owned(), Value::from(true));
                all.push(whole(Value::Object(more)));
                for (name, field) in fields {
                    let mut fewer = fields.clone();
                    fewer.remove(name);
                    all.push(whole(Value::Object(fewer)));
                    altered(field, all, &|other| {
                        let mut fields = fields.clone();
                        fields.insert(name.clone(), other);
                        whole(Value::Object(fields))
                    });
                }
            }
            _ => {}
        }
    }

    #[test]
    fn it_reads_what_serde_reads() {
        let full: Value = serde_json::from_str(FULL).unwrap();
        let mut all = vec![full.clone()];
        altered(&full, &mut all, &|value| value);
        let mut taken = 0;
        for value in all {
            let text = value.to_string();
            let theirs = serde_json::from_str::<GatewayFile>(&text).ok();
            taken += usize::from(theirs.is_some());
            assert_eq!(GatewayFile::read(&text), theirs, "{text}");
        }
        assert!(taken > 50, "{taken}");
        assert_eq!(GatewayFile::read("{}"), Some(GatewayFile::default()));
        assert_eq!(GatewayFile::read(""), None);
    }
}
