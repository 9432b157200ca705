//! The keys are vrchats', the fixed ones are ours alone, and no line leaves its bounds.

use std::sync::{Arc, Mutex};

use chrono::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};
use tracing::Subscriber;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, registry};

use super::super::line::{LINE_BYTES_MAX, VALUE_BYTES_MAX};
use super::*;

struct Capture {
    format: Format,
    suppressed: u64,
    lines: Arc<Mutex<Vec<String>>>,
}

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        self.lines.lock().unwrap().push(self.format.line(event, time(1_700_000_000_123), self.suppressed));
    }
}

fn time(ms: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(ms).unwrap()
}

/// The one line that `emit` logs.
fn line_of(style: Style, suppressed: u64, emit: impl FnOnce()) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let capture = Capture { format: Format::new(style, time(1_600_000_000_000)), suppressed, lines: lines.clone() };
    tracing::subscriber::with_default(registry().with(capture), emit);
    let mut lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn json_of(emit: impl FnOnce()) -> Value {
    parse(&line_of(Style::Json, 0, emit))
}

fn parse(line: &str) -> Value {
    assert_eq!(line.find('\n'), Some(line.len() - 1), "one line: {line:?}");
    serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"))
}

#[test]
fn a_line_has_the_keys_of_vrchats_in_its_order() {
    let line = line_of(Style::Json, 0, || {
        tracing::info!(remoteIp = %"192.0.2.1", forwardedIp = "198.51.100.7", uniqueUserId = "u1", "connected");
    });
    let pid = std::process::id();
    let expected =
        format!(r#"{{"level":"info","message":"connected","pid":{pid},"serverStarted":"2020-09-13T12:26:40.000Z","#)
            + r#""timestamp":"2023-11-14T22:13:20.123Z","remoteIp":"192.0.2.1","forwardedIp":"198.51.100.7","#
            + "\"uniqueUserId\":\"u1\"}\n";
    assert_eq!(line, expected);
}

#[test]
fn levels_have_the_names_of_winston() {
    assert_eq!(json_of(|| tracing::error!("x"))["level"], "error");
    assert_eq!(json_of(|| tracing::warn!("x"))["level"], "warn");
    assert_eq!(json_of(|| tracing::info!("x"))["level"], "info");
    assert_eq!(json_of(|| tracing::debug!("x"))["level"], "debug");
    assert_eq!(json_of(|| tracing::trace!("x"))["level"], "trace");
}

#[test]
fn fields_keep_their_types() {
    let line = json_of(|| {
        tracing::info!(
            yes = true, small = -1_i64, large = u64::MAX, float = 1.5, huge = 1e300, nan = f64::NAN,
            none = None::<u64>, debug = ?["a"], r#type = "t", dotted.name = 1, "x"
        );
    });
    let mut fields = line.as_object().unwrap().clone();
    for key in ["level", "message", "pid", "serverStarted", "timestamp"] {
        assert!(fields.remove(key).is_some(), "{key}");
    }
    let expected = json!({
        "yes": true, "small": -1, "large": u64::MAX, "float": 1.5, "huge": 1e300, "nan": "NaN",
        "debug": "[\"a\"]", "type": "t", "dotted.name": 1,
    });
    assert_eq!(Value::Object(fields), expected);
}

#[test]
fn v_15_a_field_named_as_a_fixed_key_cannot_shape_the_line() {
    let line = line_of(Style::Json, 3, || {
        tracing::info!(
            level = "error",
            pid = 1,
            serverStarted = "never",
            timestamp = "later",
            suppressed = 0,
            truncated = true,
            "the message"
        );
    });
    let value = parse(&line);
    assert_eq!((&value["level"], &value["message"]), (&json!("info"), &json!("the message")));
    assert_eq!((&value["pid"], &value["suppressed"]), (&json!(std::process::id()), &json!(3)));
    assert_eq!(value["timestamp"], "2023-11-14T22:13:20.123Z");
    assert_eq!((&value["field_level"], &value["field_truncated"]), (&json!("error"), &json!(true)));
    assert_eq!(line.matches("\"level\":").count(), 1);
    assert!(value.get("truncated").is_none());
}

#[test]
fn v_15_a_received_value_of_a_megabyte_is_cut() {
    let received = "é".repeat(500_000);
    let line = line_of(Style::Json, 0, || tracing::warn!(tokenReceived = %received, remoteIp = "192.0.2.1", "x"));
    let value = parse(&line);
    assert!(line.len() <= LINE_BYTES_MAX);
    assert!(value["tokenReceived"].as_str().unwrap().ends_with("é…"));
    assert_eq!(value["remoteIp"], "192.0.2.1", "a long value leaves room for the others");
}

#[test]
fn a_line_whose_fields_do_not_fit_says_so() {
    let long = "x".repeat(1000);
    let line = line_of(Style::Json, u64::MAX, || {
        tracing::info!(a = %long, b = %long, c = %long, d = %long, e = 1, "{long}");
    });
    let value = parse(&line);
    assert!(line.len() <= LINE_BYTES_MAX, "{}", line.len());
    assert_eq!(value["truncated"], true);
    assert_eq!(value["suppressed"], u64::MAX);
    assert_eq!(value["a"].as_str().unwrap().chars().next_back(), Some('…'));
}

#[test]
fn a_number_that_meets_the_end_of_the_line_is_whole_or_absent() {
    let long = "x".repeat(300);
    let (mut whole, mut absent) = (0, 0);
    for length in 0..VALUE_BYTES_MAX {
        let filler = "y".repeat(length);
        let line = line_of(Style::Json, 0, || {
            tracing::info!(a = %long, b = %long, filler, number = i64::MIN, yes = true, "{long}");
        });
        let value = parse(&line);
        assert!(line.len() <= LINE_BYTES_MAX);
        match value.get("number") {
            Some(number) => whole += usize::from(*number == i64::MIN),
            None => absent += usize::from(value["truncated"] == true),
        }
    }
    assert!(whole > 0 && absent > 0 && whole + absent == VALUE_BYTES_MAX, "{whole} {absent}");
}

#[test]
fn the_form_for_people_is_one_line_with_colour_on_a_terminal_only() {
    let emit = || tracing::warn!(origin = "https://a\n b=\"c\"", n = 3, "foreign\torigin");
    assert_eq!(
        line_of(Style::Pretty { colour: false }, 2, emit),
        "2023-11-14T22:13:20.123Z warn  foreign\\torigin suppressed=2 origin=\"https://a\\n b=\\\"c\\\"\" n=3\n"
    );
    let coloured = line_of(Style::Pretty { colour: true }, 0, emit);
    assert!(coloured.contains("\x1b[33mwarn \x1b[0m foreign"), "{coloured:?}");
    assert_eq!(coloured.matches('\x1b').count(), 6, "the level and two keys, each with an end: {coloured:?}");
}

proptest! {
    #[test]
    fn any_text_gives_one_line_of_valid_json_whose_fixed_keys_are_ours(
        message in any::<String>(), first in any::<String>(), second in "\\PC{0,400}", suppressed in any::<u64>(),
    ) {
        let line = line_of(Style::Json, suppressed, || {
            tracing::info!(level = %first, origin = second, timestamp = ?second, debug = ?first, "{message}");
        });
        let value = parse(&line);
        prop_assert!(line.len() <= LINE_BYTES_MAX);
        prop_assert_eq!(&value["level"], "info");
        prop_assert_eq!(&value["pid"], std::process::id());
        prop_assert_eq!(&value["serverStarted"], "2020-09-13T12:26:40.000Z");
        prop_assert_eq!(&value["timestamp"], "2023-11-14T22:13:20.123Z");
        let shown = value["message"].as_str().unwrap();
        prop_assert!(shown == message || message.starts_with(shown.trim_end_matches('…')));
        for key in ["\"level\":", "\"message\":", "\"pid\":", "\"serverStarted\":", "\"timestamp\":"] {
            prop_assert_eq!(line.matches(key).count(), 1);
        }
    }

    #[test]
    fn any_text_gives_one_line_for_people(message in any::<String>(), field in any::<String>()) {
        let line = line_of(Style::Pretty { colour: false }, 0, || tracing::info!(a = %field, b = field, "{message}"));
        prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
        prop_assert!(line.len() <= LINE_BYTES_MAX && !line.contains('\x1b'));
    }
}
