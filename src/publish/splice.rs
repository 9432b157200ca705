//! Takes the target out of a body and keeps the bytes of everything else.
//!
//! What a publisher wrote is what a subscriber gets: numbers of any size, the order of keys, duplicate keys and escapes
//! pass unchanged, because no value is ever built from them. JSON text is safe inside both transports: valid JSON holds
//! no raw control character but blanks, so never 0x1e, which separates the packets of an Engine.IO polling payload.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::PublishError;

/// A body taken apart.
#[derive(Debug)]
pub(super) struct Split<'a> {
    /// The value of the last member of the target's name, as `JSON.parse` would have it.
    pub(super) target: Option<&'a RawValue>,
    /// The object without any such member; `{}` if nothing else was there.
    pub(super) payload: String,
}

/// Splits a JSON object whose members of the name `target` are the target, in one pass and without recursion.
///
/// # Errors
/// When `body` is no JSON object.
pub(super) fn split<'a>(body: &'a str, target: &str) -> Result<Split<'a>, PublishError> {
    // Looked at first, because the parser's own words for another kind of value would repeat it.
    match body.trim_start_matches([' ', '\t', '\n', '\r']).as_bytes().first() {
        Some(b'{') => {}
        Some(b'[') => {
            serde_json::from_str::<&RawValue>(body)?;
            return Err(PublishError::NotAnObject);
        }
        None if body.is_empty() => return Err(PublishError::NotAnObject),
        _ => return Err(PublishError::NoMembers),
    }
    let mut parser = serde_json::Deserializer::from_str(body);
    let split = parser.deserialize_map(Splicer { target, payload: String::with_capacity(body.len()) })?;
    parser.end()?;
    Ok(split)
}

/// Writes the payload member by member.
struct Splicer<'t> {
    target: &'t str,
    payload: String,
}

impl<'de> Visitor<'de> for Splicer<'_> {
    type Value = Split<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut payload = self.payload;
        let mut target = None;
        payload.push('{');
        while let Some((key, value)) = members.next_entry::<&RawValue, &RawValue>()? {
            if text(key).is_some_and(|name| name == self.target) {
                target = Some(value);
                continue;
            }
            if payload.len() > 1 {
                payload.push(',');
            }
            payload.push_str(key.get());
            payload.push(':');
            payload.push_str(value.get());
        }
        payload.push('}');
        Ok(Split { target, payload })
    }
}

/// The text of a JSON string; none if it is no string, or holds half of a surrogate pair.
pub(super) fn text(string: &RawValue) -> Option<Cow<'_, str>> {
    let quoted = string.get();
    if quoted.contains('\\') {
        return serde_json::from_str(quoted).ok().map(Cow::Owned);
    }
    quoted.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

#[cfg(test)]
mod tests;
