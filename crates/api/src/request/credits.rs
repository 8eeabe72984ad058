//! Changes of a balance: `{"set": 500}` or `{"add": 500}`.

use keyward_core::metering::CreditAct;
use keyward_core::spec::limits::LARGEST_LIMIT;
use keyward_core::spec::reader::Reader;
use keyward_core::spec::{FieldError, LONGEST_OWNER};
use serde_json::Value;

use super::object;

/// Reads what is done to the balance of a key.
///
/// # Errors
/// Every field that is wrong.
pub fn credits(body: &Value) -> Result<CreditAct, Vec<FieldError>> {
    object(body, ("body", "this change"), &["set", "add"], act)
}

/// A change of the balance that an owner's keys share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerCredits {
    /// Whoever keys were given to.
    pub owner: String,
    /// What is done.
    pub act: CreditAct,
}

impl OwnerCredits {
    /// Reads `owner`, and `set` or `add`.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn read(body: &Value) -> Result<Self, Vec<FieldError>> {
        let known = ["owner", "set", "add"];
        object(body, ("body", "this change"), &known, |read| {
            read.require("owner");
            Self {
                owner: read.text("owner", LONGEST_OWNER).unwrap_or_default(),
                act: act(read),
            }
        })
    }
}

/// One of the two, and not both: which of them is meant must not be guessed.
fn act(read: &mut Reader<'_>) -> CreditAct {
    let set = read.whole("set", 0..=LARGEST_LIMIT);
    let add = read.whole("add", 1..=LARGEST_LIMIT);
    match (read.has("set"), read.has("add")) {
        (true, true) => read.refuse("add", "contradicts `set`; leave out one of them"),
        (false, false) => read.refuse("set", "is missing; write `set` or `add`"),
        _ => {}
    }
    set.map_or_else(|| CreditAct::Add(add.unwrap_or_default()), CreditAct::Set)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::wrong;

    #[test]
    fn a_balance_is_set_or_added_to() {
        assert_eq!(credits(&json!({"set": 0})), Ok(CreditAct::Set(0)));
        assert_eq!(credits(&json!({"add": 5.0})), Ok(CreditAct::Add(5)));
        let owner = OwnerCredits::read(&json!({"owner": "o", "add": 5})).unwrap();
        assert_eq!(owner.act, CreditAct::Add(5));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, fields) in [
            (json!([]), vec!["body"]),
            (json!({}), vec!["set"]),
            (json!({"set": 1, "add": 1}), vec!["add"]),
            (json!({"set": null}), vec!["set"]),
            (json!({"set": -1}), vec!["set"]),
            (json!({"set": "5"}), vec!["set"]),
            (json!({"set": 1_000_000_000_000_u64}), vec!["set"]),
            (json!({"add": 0}), vec!["add"]),
            (json!({"add": 1.5}), vec!["add"]),
            (json!({"add": 1, "note": "x"}), vec!["note"]),
        ] {
            assert_eq!(wrong(credits(&body)), fields, "{body}");
        }
        assert_eq!(wrong(OwnerCredits::read(&json!({"add": 1}))), ["owner"]);
    }
}
