//! One log line: always a single line, never longer than a kibibyte, whatever is written into it.

use std::fmt::{self, Write};

/// The longest line, with its line feed, so that a full queue of lines has a size that is known.
pub(super) const LINE_BYTES_MAX: usize = 1024;

/// The longest value of a field or message after escaping, so that one long value leaves room for the others.
pub(super) const VALUE_BYTES_MAX: usize = 256;

/// Stands at the end of a value that was cut.
const ELLIPSIS: char = '…';

/// What fields may fill: every line keeps 32 bytes for the mark of fields left out, the brace and the line feed.
const BODY_BYTES_MAX: usize = LINE_BYTES_MAX - 32;

/// A line under construction.
#[derive(Debug, Default)]
pub(super) struct Line {
    text: String,
    cut: bool,
}

impl Line {
    /// An empty line.
    pub(super) fn new() -> Self {
        Self { text: String::with_capacity(LINE_BYTES_MAX), cut: false }
    }

    /// Appends text of our own, which is short and needs no escapes.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends a key: text of the program, so it is not cut, but a name may hold any character.
    pub(super) fn push_key(&mut self, key: &str) {
        key.chars().for_each(|ch| push_escape(&mut self.text, ch));
    }

    /// Appends `value` in quotes as a JSON string, cut to what there is room for.
    pub(super) fn push_quoted(&mut self, value: fmt::Arguments<'_>) {
        self.push("\"");
        self.push_escaped(value);
        self.push("\"");
    }

    /// Appends `value` with the escapes of a JSON string but without quotes, cut to what there is room for.
    pub(super) fn push_escaped(&mut self, value: fmt::Arguments<'_>) {
        let room = (BODY_BYTES_MAX - "\"".len()).saturating_sub(self.text.len()).min(VALUE_BYTES_MAX);
        let limit = self.text.len() + room.saturating_sub(ELLIPSIS.len_utf8());
        let mut escaper = Escaper { text: &mut self.text, limit, cut: false };
        // An error means that the value was cut, or that its own Display gave up half-way: what there is stands.
        let _ = escaper.write_fmt(value);
        if escaper.cut {
            self.text.push(ELLIPSIS);
        }
    }

    /// Appends what `write` appends, or nothing of it if the line would grow too long.
    pub(super) fn push_whole(&mut self, write: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        write(self);
        if self.text.len() > BODY_BYTES_MAX {
            self.text.truncate(before);
            self.cut = true;
        }
    }

    /// Whether something was left out because it did not fit.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The finished line.
    pub(super) fn finish(mut self) -> String {
        self.text.push('\n');
        self.text
    }
}

/// Escapes what is written through it, and stops the writer at the limit, so that no long value is ever built.
struct Escaper<'a> {
    text: &'a mut String,
    limit: usize,
    cut: bool,
}

impl Write for Escaper<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for ch in part.chars() {
            let before = self.text.len();
            push_escape(self.text, ch);
            if self.cut || self.text.len() > self.limit {
                self.text.truncate(before);
                self.cut = true;
                return Err(fmt::Error);
            }
        }
        Ok(())
    }
}

/// Escapes as JSON wants, and beyond it whatever a terminal or a line-splitting reader would act on: the C1 controls,
/// the Unicode line and paragraph separators, and the marks that turn the direction of text.
fn push_escape(text: &mut String, ch: char) {
    match ch {
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\0'..='\x1f'
        | '\x7f'..='\u{9f}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => text.push_str(&format!("\\u{:04x}", u32::from(ch))),
        _ => text.push(ch),
    }
}

#[cfg(test)]
mod tests;
