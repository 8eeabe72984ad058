//! Lines of JSON, a key or an owner each: Keyward's own form, in which it exports.

use serde_json::Value;

use super::super::owner_line::OwnerLine;
use super::record::{Reading, error};

const NEITHER: &str = "an owner's line has `\"type\": \"owner\"`; a key's line has no `type`, and one of `secret`, `sha256` and `secrets`";

/// Reads the lines; blank ones are passed over.
pub(super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let key = match keyward_api::json::parse(line.as_bytes()) {
            Ok(Value::Object(line)) if OwnerLine::is_one(&line) => {
                reading.owners.add(number, &line);
                continue;
            }
            Ok(Value::Object(line)) if OwnerLine::may_be_one(&line) => {
                reading.owners.doubt(number, Some(&line));
                Err(error("type", NEITHER))
            }
            Ok(Value::Object(key)) => Ok(key),
            Ok(_) => {
                reading.owners.doubt(number, None);
                Err(error("key", "a line is a JSON object with a key's fields"))
            }
            Err(wrong) => {
                reading.owners.doubt(number, None);
                Err(error("key", format!("is not strict JSON: {wrong}")))
            }
        };
        reading.add(number, key);
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_refuses_itself_only() {
        let reading = read(
            "{\"secret\":\"a\"}\r\n\n{\"secret\":\n[1]\n{\"name\":\"last\"}\n{\"name\":1,\"name\":2}",
        );
        let lines: Vec<_> = reading
            .records
            .iter()
            .map(|record| (record.line, record.key.is_ok()))
            .collect();
        assert_eq!(
            lines,
            [(1, true), (3, false), (4, false), (5, true), (6, false)]
        );
    }
}
