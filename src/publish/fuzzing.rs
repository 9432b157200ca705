//! What must hold of whatever a publisher sends. The function takes what a fuzzer made up, and panics where it does not
//! hold; a target in `fuzz` calls it, and the tests play it the inputs that are kept there.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what does not hold must end the fuzzer"
)]

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::TARGET;
use super::splice::{Split, split};

/// A body is split if it is a JSON object, and into what a naive reader takes it for: the last member of the target's name,
/// and the raw bytes of all others.
pub fn publish_splice(input: &[u8]) {
    let Ok(body) = str::from_utf8(input) else { return };
    let is_object = serde_json::from_str::<&RawValue>(body).is_ok_and(|json| json.get().starts_with('{'));
    let read = split(body, TARGET);
    assert_eq!(read.is_ok(), is_object, "{read:?}");
    let Ok(Split { target, payload }) = read else { return };

    let (targets, others): (Vec<_>, Vec<_>) = members(body).into_iter().partition(|(name, _)| is_target(name));
    assert_eq!(target.map(RawValue::get), targets.last().map(|(_, value)| *value));
    let others: Vec<_> = others.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    assert_eq!(payload, format!("{{{}}}", others.join(",")));
    assert!(!payload.contains('\u{1e}'), "what separates packets is in a packet");

    // Half a surrogate pair, a number beyond a float and more than 127 levels are JSON that no value can hold.
    let Ok(mut object) = serde_json::from_str::<Map<String, Value>>(body) else {
        serde_json::from_str::<&RawValue>(&payload).unwrap();
        return;
    };
    let value = |json: &str| serde_json::from_str::<Value>(json).unwrap();
    assert_eq!(target.map(|target| value(target.get())), object.remove(TARGET));
    assert_eq!(value(&payload), Value::Object(object));
}

fn is_target(name: &str) -> bool {
    serde_json::from_str::<String>(name).is_ok_and(|name| name == TARGET)
}

/// The raw names and values of an object that is known to be JSON, found by its brackets, quotes, colons and commas.
fn members(object: &str) -> Vec<(&str, &str)> {
    let (mut depth, mut is_string, mut is_escaped) = (0_u32, false, false);
    let (mut start, mut colon) = (0, 0);
    let mut members = Vec::new();
    for (at, byte) in object.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            b':' if depth == 1 => colon = at,
            b',' | b'}' if depth == 1 => {
                if colon > start {
                    members.push((trim(&object[start..colon]), trim(&object[colon + 1..at])));
                }
                start = at + 1;
                depth -= u32::from(byte == b'}');
            }
            b'{' | b'[' => {
                depth += 1;
                if depth == 1 {
                    start = at + 1;
                }
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    members
}

fn trim(json: &str) -> &str {
    json.trim_matches([' ', '\t', '\n', '\r'])
}

#[cfg(test)]
mod tests;
