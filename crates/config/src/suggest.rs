//! "Did you mean …".

use crate::schema::{FILE, Field, Shape};

/// What to do about a field that a table does not have.
pub(crate) fn for_unknown(name: &str, table: &str, fields: &[Field]) -> String {
    if let Some(close) = closest(name, fields) {
        return format!("did you mean `{close}`?");
    }
    // In TOML a key belongs to the last header above it, which is easily overlooked.
    if let Some(home) = home_of(name, "", FILE).filter(|home| home != table) {
        return format!("`{name}` belongs to {home}; move it above the other tables there");
    }
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    format!("the fields here are {}", names.join(", "))
}

/// The field whose name differs by a slip of the finger.
pub(crate) fn closest(name: &str, fields: &[Field]) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let (distance, closest) = fields
        .iter()
        .map(|field| (strsim::damerau_levenshtein(&name, field.name), field.name))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance < closest.len() / 2).then_some(closest)
}

/// The header of the first table that has the field.
fn home_of(name: &str, path: &str, fields: &[Field]) -> Option<String> {
    fields.iter().find_map(|field| {
        let path = if path.is_empty() {
            field.name.to_owned()
        } else {
            format!("{path}.{}", field.name)
        };
        let (below, header) = match field.shape {
            Shape::Table(below) => (below, format!("[{path}]")),
            Shape::Tables(below) => (below, format!("[[{path}]]")),
            _ => return None,
        };
        let own = below.iter().any(|field| field.name == name);
        if own {
            Some(header)
        } else {
            home_of(name, &path, below)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> &'static [Field] {
        let Some(Shape::Tables(fields)) = FILE
            .iter()
            .find(|field| field.name == "route")
            .map(|field| field.shape)
        else {
            panic!("routes are tables")
        };
        fields
    }

    #[test]
    fn a_misspelt_field_is_recognised_and_a_misplaced_one_is_sent_home() {
        for (name, advice) in [
            ("orgin", "did you mean `origin`?"),
            ("Key-In", "did you mean `key_in`?"),
            (
                "expose_headers",
                "`expose_headers` belongs to [route.cors]; move it above the other tables there",
            ),
            (
                "memory_records",
                "`memory_records` belongs to [gateway]; move it above the other tables there",
            ),
        ] {
            assert_eq!(for_unknown(name, "[[route]]", route()), advice);
        }
        assert!(
            for_unknown("max_stream_s", "[[route]]", route())
                .starts_with("the fields here are host, path, origin")
        );
    }
}
