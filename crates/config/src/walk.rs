//! Compares a TOML document with the [`schema`](crate::schema), table by table.
//!
//! What is wrong is noted, and what is left out or wrong is replaced by a reference to a
//! variable: the core then cannot check that value, but everything around it.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::{DeArray, DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::schema::{FILE, Field, Shape};
use crate::suggest;

/// A text of which the core knows nothing before a deployment.
const UNKNOWN: &str = "${UNKNOWN}";

/// A difference between the document and the schema.
pub(crate) struct Error {
    pub(crate) span: Range<usize>,
    pub(crate) field: String,
    pub(crate) message: String,
    pub(crate) fix: String,
}

/// One pass over a document.
#[derive(Default)]
pub(crate) struct Walk {
    pub(crate) errors: Vec<Error>,
    spans: HashMap<String, Range<usize>>,
}

impl Walk {
    /// The document with known fields of the right types only.
    pub(crate) fn file(&mut self, document: &Spanned<DeTable<'_>>) -> Table {
        self.table(
            "",
            "the top of the file",
            document.get_ref(),
            document.span(),
            FILE,
        )
    }

    /// Where a field stands; for one that is not written, where its table begins.
    pub(crate) fn span_of(&self, field: &str) -> Range<usize> {
        let mut field = field;
        loop {
            if let Some(span) = self.spans.get(field) {
                return span.clone();
            }
            match field.rfind(['.', '[']).and_then(|end| field.get(..end)) {
                Some(parent) => field = parent,
                None => return 0..0,
            }
        }
    }

    fn table(
        &mut self,
        path: &str,
        header: &str,
        table: &DeTable<'_>,
        span: Range<usize>,
        fields: &'static [Field],
    ) -> Table {
        let at = |name: &str| {
            if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            }
        };
        let mut known = Table::new();
        let mut meant = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let path = at(name);
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                meant.extend(suggest::closest(name, fields));
                let fix = suggest::for_unknown(name, header, fields);
                self.error(
                    key.span(),
                    path,
                    format!("there is no field `{name}` in {header}"),
                    fix,
                );
                continue;
            };
            self.spans.insert(path.clone(), value.span());
            if let Some(value) = self.value(&path, value, field.shape) {
                known.insert(name.to_owned(), value);
            }
        }
        for field in fields
            .iter()
            .filter(|field| field.required && !table.contains_key(field.name))
        {
            if !meant.contains(&field.name) {
                let message = format!("`{}` is missing", field.name);
                self.error(
                    span.clone(),
                    at(field.name),
                    message,
                    format!("add {}", example(field.name)),
                );
            }
            known.extend(unknown(field.shape).map(|value| (field.name.to_owned(), value)));
        }
        known
    }

    fn value(&mut self, path: &str, value: &Spanned<DeValue<'_>>, shape: Shape) -> Option<Value> {
        match (shape, value.get_ref()) {
            (Shape::Text, DeValue::String(text)) => Some(Value::String(text.to_string())),
            (Shape::Flag, DeValue::Boolean(flag)) => Some(Value::Boolean(*flag)),
            (Shape::Number, DeValue::Integer(number)) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                match parsed.ok().filter(|number| *number >= 0) {
                    Some(number) => Some(Value::Integer(number)),
                    None => {
                        let fix = "write a whole number that is not negative".to_owned();
                        self.error(
                            value.span(),
                            path.to_owned(),
                            format!("{} is out of range", number.as_str()),
                            fix,
                        );
                        None
                    }
                }
            }
            (Shape::Texts, DeValue::Array(items)) => Some(self.items(path, items, Shape::Text)),
            (Shape::Tables(fields), DeValue::Array(items)) => {
                Some(self.items(path, items, Shape::Table(fields)))
            }
            (Shape::Table(fields), DeValue::Table(table)) => {
                let header = header(path);
                Some(Value::Table(self.table(
                    path,
                    &header,
                    table,
                    value.span(),
                    fields,
                )))
            }
            (shape, found) => {
                let message = format!("expected {}, found {}", shape.words(), found.type_str());
                self.error(
                    value.span(),
                    path.to_owned(),
                    message,
                    advice(shape, found, path),
                );
                unknown(shape)
            }
        }
    }

    fn items(&mut self, path: &str, items: &DeArray<'_>, shape: Shape) -> Value {
        let each = items.iter().enumerate().filter_map(|(index, item)| {
            let path = format!("{path}[{index}]");
            self.spans.insert(path.clone(), item.span());
            self.value(&path, item, shape).or_else(|| stand_in(shape))
        });
        Value::Array(each.collect())
    }

    fn error(&mut self, span: Range<usize>, field: String, message: String, fix: String) {
        self.errors.push(Error {
            span,
            field,
            message,
            fix,
        });
    }
}

/// What takes the place of a table in a list, so that its neighbours keep their numbers.
fn stand_in(shape: Shape) -> Option<Value> {
    let Shape::Table(fields) = shape else {
        return None;
    };
    let required = fields.iter().filter(|field| field.required);
    Some(Value::Table(
        required
            .filter_map(|field| Some((field.name.to_owned(), unknown(field.shape)?)))
            .collect(),
    ))
}

/// What takes the place of a text that is missing or wrong. Other values are left out.
fn unknown(shape: Shape) -> Option<Value> {
    let text = || Value::String(UNKNOWN.to_owned());
    match shape {
        Shape::Text => Some(text()),
        Shape::Texts => Some(Value::Array(vec![text()])),
        Shape::Number | Shape::Flag | Shape::Table(_) | Shape::Tables(_) => None,
    }
}

fn advice(shape: Shape, found: &DeValue<'_>, path: &str) -> String {
    match (shape, found) {
        (Shape::Texts, DeValue::String(text)) => format!("write [\"{text}\"]"),
        (Shape::Flag, DeValue::String(text)) if text == "true" || text == "false" => {
            format!("write {text} without quotes")
        }
        (Shape::Number, DeValue::String(text)) if text.parse::<u32>().is_ok() => {
            format!("write {text} without quotes")
        }
        (Shape::Tables(_), DeValue::Table(_)) => format!("write [[{path}]] with two brackets"),
        (Shape::Table(_), DeValue::Array(_)) => "write one table, with single brackets".to_owned(),
        _ => String::new(),
    }
}

/// `route[0].cors` as the document writes it: `[route.cors]`.
fn header(path: &str) -> String {
    let mut name = String::new();
    for part in path.split('.') {
        let part = part.split_once('[').map_or(part, |(part, _)| part);
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(part);
    }
    if path.ends_with(']') {
        format!("[[{name}]]")
    } else {
        format!("[{name}]")
    }
}

fn example(name: &str) -> &'static str {
    match name {
        "origin" => "origin = \"https://api.example.com\"",
        "secret" => "secret = \"NAME_OF_THE_WORKER_SECRET\"",
        "rule" => "rule = \"POST /v1/items/**\"",
        _ => "scopes = [\"items:write\"]",
    }
}
