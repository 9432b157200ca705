//! How an event becomes a line: vrchats' JSON keys, or a form for people.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Number;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::line::Line;

/// The keys that the format writes by itself. A field of such a name gets [`FIELD_PREFIX`], so that it cannot take the
/// key's place. (A field named `message` is the message: that is how tracing passes it.)
const RESERVED: [&str; 6] = ["level", "pid", "serverStarted", "timestamp", "suppressed", "truncated"];
const FIELD_PREFIX: &str = "field_";

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// One JSON object.
    Json,
    /// For people; with the terminal's colours or without.
    Pretty { colour: bool },
}

/// Turns events into lines. It knows what is the same in all of them.
#[derive(Debug)]
pub(super) struct Format {
    style: Style,
    pid: u32,
    server_started: String,
}

impl Format {
    /// For lines of this process, which started at `started`.
    pub(super) fn new(style: Style, started: DateTime<Utc>) -> Self {
        Self { style, pid: std::process::id(), server_started: iso(started) }
    }

    /// The line of `event`, with its line feed. `suppressed` lines of the same place were held back before it.
    pub(super) fn line(&self, event: &Event<'_>, now: DateTime<Utc>, suppressed: u64) -> String {
        let mut line = Line::new();
        match self.style {
            Style::Json => self.open_json(&mut line, event, now),
            Style::Pretty { colour } => open_pretty(&mut line, colour, event, now),
        }
        if suppressed > 0 {
            self.style.push_key(&mut line, "", "suppressed");
            line.push(&suppressed.to_string());
        }
        event.record(&mut Fields { line: &mut line, style: self.style });
        if line.is_cut() {
            self.style.push_key(&mut line, "", "truncated");
            line.push("true");
        }
        if self.style == Style::Json {
            line.push("}");
        }
        line.finish()
    }

    /// vrchats' keys, in its order.
    fn open_json(&self, line: &mut Line, event: &Event<'_>, now: DateTime<Utc>) {
        line.push("{\"level\":\"");
        line.push(level_name(*event.metadata().level()));
        line.push("\",\"message\":\"");
        event.record(&mut Message { line });
        line.push(&format!("\",\"pid\":{}", self.pid));
        line.push(&format!(",\"serverStarted\":\"{}\"", self.server_started));
        line.push(&format!(",\"timestamp\":\"{}\"", iso(now)));
    }
}

fn open_pretty(line: &mut Line, colour: bool, event: &Event<'_>, now: DateTime<Utc>) {
    let level = *event.metadata().level();
    let (start, end) = if colour { (level_colour(level), "\x1b[0m") } else { ("", "") };
    line.push(&format!("{} {start}{:<5}{end} ", iso(now), level_name(level)));
    event.record(&mut Message { line });
}

/// `2026-11-21T01:56:00.123Z`, as JavaScript's toISOString.
fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// winston's names of the levels; it has no trace, which keeps its own.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn level_colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

impl Style {
    /// The separator, and the name of the value that follows.
    fn push_key(self, line: &mut Line, prefix: &str, name: &str) {
        match self {
            Self::Json => {
                line.push(",\"");
                line.push_key(prefix);
                line.push_key(name);
                line.push("\":");
            }
            Self::Pretty { colour } => {
                let (start, end) = if colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
                line.push(" ");
                line.push(start);
                line.push_key(prefix);
                line.push_key(name);
                line.push("=");
                line.push(end);
            }
        }
    }
}

/// Writes the event's message and nothing else. tracing passes every type on to `record_debug`.
struct Message<'a> {
    line: &'a mut Line,
}

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.line.push_escaped(format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// Writes the event's other fields, flat. What does not fit is left out whole.
struct Fields<'a> {
    line: &'a mut Line,
    style: Style,
}

impl Fields<'_> {
    fn field(&mut self, field: &Field, push_value: impl FnOnce(&mut Line)) {
        if field.name() == "message" {
            return;
        }
        // tracing keeps the mark of a raw identifier.
        let name = field.name().strip_prefix("r#").unwrap_or(field.name());
        let prefix = if RESERVED.contains(&name) { FIELD_PREFIX } else { "" };
        let style = self.style;
        self.line.push_whole(|line| {
            style.push_key(line, prefix, name);
            push_value(line);
        });
    }

    /// A number or a boolean: without quotes, and never cut, because half a number is another number.
    fn plain(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.field(field, |line| line.push(&value.to_string()));
    }

    /// A text: in quotes, in either style, so that it cannot pass for another field.
    fn text(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        self.field(field, |line| line.push_quoted(value));
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no NaN and no infinity; and only serde_json's form is short for very large numbers.
        match Number::from_f64(value) {
            Some(number) => self.plain(field, format_args!("{number}")),
            None => self.text(field, format_args!("{value}")),
        }
    }
}

#[cfg(test)]
mod tests;
