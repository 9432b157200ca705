//! The splice keeps every byte but `target_id`'s, and refuses exactly what JSON.parse refuses.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::publish::TARGET;

/// The raw target, if any, and the payload.
fn split_ok(body: &str) -> (Option<&str>, String) {
    let split = split(body, TARGET).unwrap_or_else(|error| panic!("{body}: {error}"));
    (split.target.map(RawValue::get), split.payload)
}

#[test]
fn the_payload_is_the_body_without_its_target() {
    for (body, target, payload) in [
        (r#"{"target_id":"a"}"#, r#""a""#, "{}"),
        (r#"{"target_id":"a","b":1}"#, r#""a""#, r#"{"b":1}"#),
        (r#"{"b":1,"target_id":"a"}"#, r#""a""#, r#"{"b":1}"#),
        (r#"{"b":1,"target_id":"a","c":[ 2 ]}"#, r#""a""#, r#"{"b":1,"c":[ 2 ]}"#),
        (" \r\n\t{ \"b\" : { } , \"target_id\" : null } \n", "null", r#"{"b":{ }}"#),
        (r#"{"deep":{"target_id":"kept"},"target_id":{"a":[1]}}"#, r#"{"a":[1]}"#, r#"{"deep":{"target_id":"kept"}}"#),
        (r#"{"":1,"target_id":"","Target_ID":2}"#, r#""""#, r#"{"":1,"Target_ID":2}"#),
    ] {
        assert_eq!(split_ok(body), (Some(target), payload.to_owned()), "{body}");
    }
    assert_eq!(split_ok("{}"), (None, "{}".to_owned()));
    assert_eq!(split_ok(r#"{"a":1}"#), (None, r#"{"a":1}"#.to_owned()));
}

#[test]
fn values_that_a_parser_would_change_arrive_as_sent() {
    let kept = concat!(
        r#""id":9007199254740993,"big":1e400,"one":1.0,"minus":-0,"b":1,"10":2,"9":3,"b":4,"#,
        r#""escape":"\u0041\/\ud800","__proto__":{"x":1},"_placeholder":true,"toJSON":null,"line":"#,
        "\"\u{2028}\u{1f600}\u{7f}\""
    );
    let body = format!(r#"{{"target_id":"a",{kept}}}"#);
    assert_eq!(split_ok(&body), (Some(r#""a""#), format!("{{{kept}}}")));
}

#[test]
fn the_last_of_several_targets_wins_and_none_of_them_stays() {
    let body = r#"{"target_id":"a","x":1,"target_id":2,"y":2,"target_id":"c"}"#;
    assert_eq!(split_ok(body), (Some(r#""c""#), r#"{"x":1,"y":2}"#.to_owned()));
}

#[test]
fn a_target_whose_key_is_escaped_is_the_target() {
    for key in [r"target\u005fid", r"\u0074arget_id", r"t\u0061rget\u005Fid"] {
        let body = format!(r#"{{"target_id":"a","x":1,"{key}":"b"}}"#);
        assert_eq!(split_ok(&body), (Some(r#""b""#), r#"{"x":1}"#.to_owned()), "{key}");
    }
    for key in [r"target\u005f", r"target_id\ud800", r"target_id\u0000", r"target\\u005fid"] {
        let body = format!(r#"{{"{key}":1}}"#);
        assert_eq!(split_ok(&body), (None, body.clone()), "{key}");
    }
}

#[test]
fn what_is_no_object_is_told_apart_from_what_is_no_json() {
    for body in ["", "[]", " [5]\n"] {
        assert_eq!(split(body, TARGET).err(), Some(PublishError::NotAnObject), "{body}");
    }
    for body in [" \n", "5", "null", "true", r#""secret""#, "NaN", "x", "\u{a0}{}", "\u{feff}{}", "\u{a0}[]"] {
        assert_eq!(split(body, TARGET).err(), Some(PublishError::NoMembers), "{body}");
    }
    for body in [
        "[",
        "[] []",
        "[x]",
        "{",
        "{}x",
        "{}{}",
        "{} null",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{a:1}"#,
        r#"{1:1}"#,
        r#"{'a':1}"#,
        r#"{"a":NaN}"#,
        r#"{"a":-Infinity}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":+1}"#,
        r#"{"a":.5}"#,
        r#"{"a":"\x41"}"#,
        r#"{"a":"\u00g0"}"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\u{0}\"}",
        "{\"a\u{1e}\":1}",
        r#"{"a":[1,]}"#,
        r#"{"a":[1}"#,
        r#"{"a":undefined}"#,
        r#"{"a":1} // comment"#,
        "{\u{c}\"a\":1}",
    ] {
        assert!(matches!(split(body, TARGET), Err(PublishError::Malformed { .. })), "{body}");
    }
}

#[test]
fn nesting_costs_no_stack() {
    let body = format!(r#"{{"target_id":"a","x":{}{}}}"#, "[".repeat(500_000), "]".repeat(500_000));
    assert_eq!(split_ok(&body).1.len(), 1_000_006);
}

#[test]
fn the_text_of_a_string_is_decoded_only_if_it_is_text() {
    let text_of = |json: &str| text(serde_json::from_str::<&RawValue>(json).unwrap()).map(Cow::into_owned);
    assert_eq!(text_of(r#""plain""#).as_deref(), Some("plain"));
    assert_eq!(text_of(r#""\u00e9\ud83d\ude00\n""#).as_deref(), Some("é😀\n"));
    assert_eq!(text_of(r#""\ud83d""#), None);
    assert_eq!(text_of(r#""\ude00x""#), None);
    assert_eq!(text_of("5"), None);
}

/// Blanks between tokens.
fn blanks() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,3}"
}

/// A JSON string of the given characters, each written raw or escaped at random.
fn string(pattern: &'static str) -> impl Strategy<Value = String> {
    (pattern, any::<u64>()).prop_map(|(text, escapes)| {
        let mut json = String::from("\"");
        for (index, letter) in text.chars().enumerate() {
            if (escapes >> (index % 64)) & 1 == 1 {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    json.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                let quoted = serde_json::to_string(&letter).unwrap();
                json.push_str(&quoted[1..quoted.len() - 1]);
            }
        }
        json.push('"');
        json
    })
}

/// Any JSON value as text, numbers small enough to compare.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,3})\\.[0-9]{1,4}([eE][+-]?[0-9])?",
        string("(?s).{0,8}"),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec((blanks(), inner.clone(), blanks()), 0..4)
            .prop_map(|items| format!("[{}]", joined(items.iter().map(|(a, value, b)| format!("{a}{value}{b}")))));
        let object = members(string("[a-c]{0,2}"), inner).prop_map(|(object, _)| object);
        prop_oneof![list, object]
    })
}

/// An object as text, and how many members it has.
fn members(
    key: impl Strategy<Value = String>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = (String, usize)> {
    prop::collection::vec((blanks(), key, blanks(), value, blanks()), 0..5).prop_map(|members| {
        let count = members.len();
        (
            format!("{{{}}}", joined(members.iter().map(|(a, key, b, value, c)| format!("{a}{key}{b}:{value}{c}")))),
            count,
        )
    })
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// A body: an object with some targets among its members, duplicates and escaped keys included.
fn body() -> impl Strategy<Value = String> {
    let key = prop_oneof![string("[a-c]{0,2}"), string("target_id"), string("(?s).{0,8}")];
    (blanks(), members(key, value()), blanks()).prop_map(|(before, (object, _), after)| before + &object + &after)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_splice_is_the_body_minus_its_target(body in body()) {
        let mut expected: Value = serde_json::from_str(&body).unwrap();
        let target = expected.as_object_mut().unwrap().remove("target_id");
        let split = split(&body, TARGET).unwrap();
        prop_assert_eq!(split.target.map(|raw| serde_json::from_str::<Value>(raw.get()).unwrap()), target);
        prop_assert_eq!(serde_json::from_str::<Value>(&split.payload).unwrap(), expected);
        prop_assert!(split.payload.len() <= body.len());
        prop_assert_eq!(split.payload.find('\u{1e}'), None);
    }

    #[test]
    fn a_body_with_one_byte_changed_is_refused_or_still_agrees(body in body(), at: prop::sample::Index, byte: u8) {
        let mut bytes = body.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let Ok(body) = String::from_utf8(bytes) else { return Ok(()) };
        let parsed = serde_json::from_str::<serde_json::Map<String, Value>>(&body);
        match (split(&body, TARGET), parsed) {
            (Ok(split), Ok(mut expected)) => {
                expected.remove("target_id");
                prop_assert_eq!(serde_json::from_str::<Value>(&split.payload).unwrap(), Value::Object(expected));
            }
            // Half a surrogate pair and numbers out of a float's range are JSON, which a `Value` cannot hold.
            (Ok(split), Err(_)) => prop_assert!(serde_json::from_str::<&RawValue>(&split.payload).is_ok()),
            (Err(_), parsed) => prop_assert!(parsed.is_err(), "{:?}", parsed),
        }
    }

    #[test]
    fn any_text_is_split_or_refused(text in "(?s).{0,64}", json_like in r#"[\[\]{}":,\\ntrue0-9_targetid ]{0,64}"#) {
        for text in [text, json_like] {
            let valid = serde_json::from_str::<&RawValue>(&text).is_ok_and(|raw| raw.get().starts_with('{'));
            prop_assert_eq!(split(&text, TARGET).is_ok(), valid, "{}", text);
        }
    }
}
