//! `EVENT_ID_REGEX_VALIDATION_PATTERN`: a JavaScript pattern, compiled by an engine that cannot be made to run long.
//!
//! vrchats compiles the pattern with `new RegExp(pattern)`, where `\d`, `\w` and `\b` know ASCII only. In Rust they know
//! Unicode, so they are spelt out; the engine's own ASCII mode would refuse `.` and `[^a]` on text. Look-around and
//! back-references are refused: no engine without them can be stalled by a long target id.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

use super::parse::shown;

/// Compiles a pattern. It matches anywhere in the target id unless it is anchored, as in JavaScript.
pub(super) fn compile(text: &str) -> Result<Regex, String> {
    translate(text)
        .and_then(|translated| compiled(&translated))
        .map_err(|problem| format!("{}: {problem}", shown(text)))
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| {
        // The message is a drawing of several lines; the last one says what is wrong.
        let message = error.to_string();
        let reason = message.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        format!("is no regular expression: {reason}; mend it, or write \\ before a character that means itself")
    })
}

/// The same pattern in the engine's words.
fn translate(text: &str) -> Result<String, String> {
    let mut translated = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => translated.push_str(&escape(&mut chars, in_class)?),
            '[' if in_class => translated.push_str("\\["), // a class holds no class in JavaScript
            '&' | '~' if in_class => translated.extend(['\\', c]), // nor sets operations
            '[' => {
                in_class = true;
                translated.push(c);
            }
            ']' => {
                in_class = false;
                translated.push(c);
            }
            '(' if !in_class => {
                refuse_look_around(&chars)?;
                translated.push(c);
            }
            _ => translated.push(c),
        }
    }
    Ok(translated)
}

fn refuse_look_around(chars: &Peekable<Chars<'_>>) -> Result<(), String> {
    let after: String = chars.clone().take(3).collect();
    let Some(opening) = ["?=", "?!", "?<=", "?<!"].into_iter().find(|opening| after.starts_with(opening)) else {
        return Ok(());
    };
    let instead = if opening.ends_with('!') { "[^x]" } else { "x" };
    Err(format!(
        "look-around, ({opening}...), is not supported; write the pattern without it, with {instead} in place of ({opening}x)"
    ))
}

/// What stands for a backslash and the character behind it.
fn escape(chars: &mut Peekable<Chars<'_>>, in_class: bool) -> Result<String, String> {
    let Some(c) = chars.next() else { return Err("ends in a backslash; write \\\\ for a backslash".to_owned()) };
    let spelt = match (c, in_class) {
        ('d', true) => "0-9",
        ('d', false) => "[0-9]",
        ('D', _) => "[^0-9]",
        ('w', true) => "0-9A-Za-z_",
        ('w', false) => "[0-9A-Za-z_]",
        ('W', _) => "[^0-9A-Za-z_]",
        ('b', true) => "\\x08",
        ('b', false) => "(?-u:\\b)",
        ('1'..='9' | 'k', false) => {
            return Err(format!("a back-reference, \\{c}, is not supported; write the pattern without it"));
        }
        _ => return Ok(format!("\\{c}")),
    };
    Ok(spelt.to_owned())
}

#[cfg(test)]
mod tests;
