//! Reading and writing agree with `serde_json`, but for what is refused on purpose.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What `serde_json` reads, in this form.
fn theirs(text: &str) -> Option<Json> {
    fn of(value: Value) -> Json {
        match value {
            Value::Null => Json::Null,
            Value::Bool(is) => Json::Bool(is),
            Value::Number(number) => Json::Number(whole(&number)),
            Value::String(text) => Json::Text(text),
            Value::Array(items) => Json::List(items.into_iter().map(of).collect()),
            Value::Object(fields) => Json::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, of(value)))
                    .collect(),
            ),
        }
    }
    serde_json::from_str::<Value>(text).ok().map(of)
}

fn whole(number: &serde_json::Number) -> Option<u64> {
    let fraction = number
        .as_f64()
        .filter(|one| one.is_sign_positive() && one.fract() == 0.0);
    let below = fraction.filter(|one| *one < 9e15);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and below 2^53"
    )]
    number.as_u64().or(below.map(|one| one as u64))
}

fn ours(text: &str) -> Option<Json> {
    Json::object(text).map(Json::Object)
}

fn agree(text: &str) {
    let theirs = theirs(text).filter(|value| matches!(value, Json::Object(_)));
    assert_eq!(sorted(ours(text)), sorted(theirs), "{text}");
}

fn sorted(value: Option<Json>) -> Option<Json> {
    fn sort(value: &mut Json) {
        match value {
            Json::List(items) => items.iter_mut().for_each(sort),
            Json::Object(fields) => {
                fields.sort_by(|a, b| a.0.cmp(&b.0));
                fields.iter_mut().for_each(|(_, value)| sort(value));
            }
            _ => {}
        }
    }
    value.map(|mut value| {
        sort(&mut value);
        value
    })
}

#[test]
fn documents_are_read_as_others_read_them() {
    for value in [
        "{}",
        " {\t}\r\n",
        "[]",
        "null",
        "",
        "{",
        "}",
        "{}{}",
        "{} x",
        "\u{feff}{}",
        "{\u{a0}}",
        r#"{"a":1}"#,
        r#"{"a" : 1 , "b":[ ] }"#,
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{a:1}"#,
        r#"{'a':1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[,1]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"":""}"#,
        r#"{"a":"\""}"#,
        r#"{"a":"\\"}"#,
        r#"{"a":"\"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\/\b\f\n\r\t"}"#,
        r#"{"a":"\u0041\u00e9\uD83D\uDE00"}"#,
        r#"{"a":"\ud83d"}"#,
        r#"{"a":"\ude00\ud83d"}"#,
        r#"{"a":"\ud83d\u0041"}"#,
        r#"{"a":"\ud83dx"}"#,
        r#"{"a":"\u00"}"#,
        r#"{"a":"\u+041"}"#,
        r#"{"a":"\u00g0"}"#,
        r#"{"a":"\u0000"}"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\0\"}",
        "{\"a\":\"\u{7f}é😀\"}",
        r#"{"a":0}"#,
        r#"{"a":-0}"#,
        r#"{"a":-1}"#,
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":1.5}"#,
        r#"{"a":1e}"#,
        r#"{"a":1e-}"#,
        r#"{"a":1-2}"#,
        r#"{"a":-}"#,
        r#"{"a":--1}"#,
        r#"{"a":1e5.5}"#,
        r#"{"a":18446744073709551615}"#,
        r#"{"a":18446744073709551616}"#,
        r#"{"a":NaN}"#,
        r#"{"a":0x1}"#,
        r#"{"a":true,"b":false,"c":null}"#,
        r#"{"a":True}"#,
        r#"{"a":truex}"#,
        r#"{"a":nul}"#,
    ] {
        agree(value);
    }
}

#[test]
fn a_number_with_an_exponent_is_one_whose_value_is_not_known() {
    for number in [
        "1e2",
        "1E+2",
        "1.0e0",
        "1e999",
        "0.5",
        "-1",
        "-0",
        "18446744073709551616",
    ] {
        let read = Json::object(&format!("{{\"a\":{number}}}")).unwrap();
        assert_eq!(field(&read, "a"), Some(&Json::Number(None)), "{number}");
    }
    let read = Json::object(r#"{"a":534.00}"#).unwrap();
    assert_eq!(field(&read, "a"), Some(&Json::Number(Some(534))));
}

#[test]
fn what_could_be_read_in_two_ways_or_is_without_measure_is_refused() {
    assert_eq!(ours(r#"{"a":1,"a":1}"#), None);
    assert_eq!(ours(r#"{"b":{"a":1,"\u0061":2}}"#), None);
    let nested = |deep: usize| format!("{}{}", "{\"a\":".repeat(deep), "0") + &"}".repeat(deep);
    assert!(ours(&nested(DEEPEST)).is_some());
    assert_eq!(ours(&nested(DEEPEST + 1)), None);
    assert_eq!(ours(&"{\"a\":[".repeat(100_000)), None);
    let names = |many: usize| {
        let fields: Vec<_> = (0..many).map(|name| format!("\"{name}\":0")).collect();
        format!("{{{}}}", fields.join(","))
    };
    assert!(ours(&names(MOST_NAMES)).is_some());
    assert_eq!(ours(&names(MOST_NAMES + 1)), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics_and_none_is_read_otherwise(text in r#"\{"a":("[a-f0-9\\u"/ é]{0,12}"|[-+.0-9eE]{1,8}|[\[\]{},:"a1 ]{0,12})\}"#) {
        let exponent = text.contains(['e', 'E']);
        match (ours(&text), theirs(&text)) {
            (own @ Some(_), theirs @ Some(_)) => prop_assert!(exponent || sorted(own) == sorted(theirs), "{}", text),
            // For others a number can be out of range.
            (Some(_), None) => prop_assert!(exponent, "{}", text),
            // A name that stands twice, beside the first.
            (None, Some(_)) => prop_assert!(text.matches('"').count() >= 6, "{}", text),
            (None, None) => {}
        }
    }

    #[test]
    fn what_is_written_is_read_back(one in any::<String>(), list in prop::collection::vec(any::<String>(), 0..4), number in any::<u64>()) {
        let mut object = Object::default();
        object.text("one", &one);
        object.texts("list", list.iter().cloned());
        object.number("number", number);
        object.raw("raw", "[{}]");
        let text = object.end();
        let expected = serde_json::json!({"one": one, "list": list, "number": number, "raw": [{}]});
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        agree(&text);
    }

    #[test]
    fn any_text_can_be_quoted(text in any::<String>()) {
        let mut quoted = String::new();
        quote(&mut quoted, &text);
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    }
}
