//! Unkey's permissions as scopes: what stands before the last dot is the resource.

use keyward_core::restrict::scope::Scope;
use keyward_core::spec::FieldError;
use serde_json::Value;

use super::error;

/// The scopes that say the same as a key's permissions.
///
/// # Errors
/// A permission that no scope says. To leave it out would break the key without a word.
pub(super) fn scopes(permissions: &Value) -> Result<Vec<String>, Vec<FieldError>> {
    let Value::Array(permissions) = permissions else {
        return Err(error("permissions", "must be a list"));
    };
    permissions
        .iter()
        .map(|permission| {
            // Listings have had objects here.
            let name = permission.get("name").or_else(|| permission.get("slug"));
            let text = name.unwrap_or(permission).as_str().unwrap_or_default();
            scope(text).ok_or_else(|| {
                error("permissions", format!("{text:?} is no scope: write it as resource:action into the file, and into the routes that ask for it"))
            })
        })
        .collect()
}

fn scope(permission: &str) -> Option<String> {
    let scope = match permission.rsplit_once('.') {
        _ if permission == "*" => "*:*".to_owned(),
        _ if permission.contains(':') => permission.to_owned(),
        Some((resource, action)) => format!("{resource}:{action}"),
        None => return None,
    };
    scope.parse::<Scope>().is_ok().then_some(scope)
}

#[cfg(test)]
mod tests {
    use super::scope;

    #[test]
    fn a_permission_becomes_the_scope_that_says_the_same_or_none() {
        for (permission, expected) in [
            ("documents.read", Some("documents:read")),
            ("api.v1.keys.read", Some("api.v1.keys:read")),
            ("documents.*", Some("documents:*")),
            ("documents:read", Some("documents:read")),
            ("*", Some("*:*")),
            ("say_hello", None),
            ("api.*.keys.read", None),
            ("a b.read", None),
            ("", None),
        ] {
            assert_eq!(scope(permission).as_deref(), expected, "{permission}");
        }
    }
}
