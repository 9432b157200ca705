//! What the documents tell operators, held against the program: every log line, every cause, every metric, every code.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may end itself")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::Regex;
use roomcast::admission::Refusal;
use roomcast::cli::{EXIT_FAULT, EXIT_FORCED, EXIT_OK, EXIT_USAGE};
use roomcast::config::{Machine, Sources, load};
use roomcast::ops::Metrics;
use roomcast::types::{Cause, CloseReason, Stats};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The texts between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The cells of a table's row.
fn cells(line: &str) -> Option<Vec<&str>> {
    Some(line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect())
}

/// The sources of the program, without its tests.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
                found.push(path);
            }
        }
    }
    found
}

/// A log line as the source has it, and the names of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    level: String,
    message: String,
    fields: BTreeSet<String>,
}

impl Line {
    /// Whether a document's message is this one, with a word in capitals for each placeholder.
    fn is(&self, message: &str) -> bool {
        let placeholders = Regex::new(r"\{[^{}]*\}").unwrap();
        let parts: Vec<_> = placeholders.split(&self.message).map(regex::escape).collect();
        Regex::new(&format!("^{}$", parts.join("[A-Z]+"))).unwrap().is_match(message)
    }
}

/// The text from behind an opening bracket to the one that closes it, and its arguments.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let mut parts = vec![String::new()];
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(letter);
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The string literals of a piece of code.
fn literals(code: &str) -> Vec<String> {
    Regex::new(r#""([^"\\]*)""#).unwrap().captures_iter(code).map(|found| found[1].to_owned()).collect()
}

/// The messages that a `{message}` may stand for: those of the statement before that makes it.
fn made_before(code: &str) -> Vec<String> {
    let starts = ["let message =", "let Some(message) ="].into_iter().filter_map(|start| code.rfind(start));
    let statement = &code[starts.max().unwrap()..];
    if statement.contains(".log_message()") {
        let error = read("src/producer/error.rs");
        let body = error.split("fn log_message").nth(1).unwrap().split("\n    }").next().unwrap();
        return literals(body);
    }
    literals(statement.split(";\n").next().unwrap())
}

/// Every line that a source writes.
fn lines_of(source: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for found in Regex::new(r"\b(error|warn|info|debug|trace)!\(").unwrap().captures_iter(source) {
        let whole = found.get(0).unwrap();
        let arguments = arguments(&source[whole.end()..]);
        let is_literal = |argument: &String| argument.starts_with('"');
        let name =
            |argument: &String| argument.split('=').next().unwrap().trim().trim_start_matches(['%', '?']).to_owned();
        let fields: BTreeSet<_> = arguments.iter().take_while(|argument| !is_literal(argument)).map(name).collect();
        let literal = arguments.iter().find(|argument| is_literal(argument)).unwrap().trim_matches('"');
        let messages = match literal {
            "{message}" => made_before(&source[..whole.start()]),
            "{warning}" => vec!["SETTING: {}".to_owned()],
            literal => vec![literal.to_owned()],
        };
        let line = |message| Line { level: found[1].to_owned(), message, fields: fields.clone() };
        lines.extend(messages.into_iter().map(line));
    }
    lines
}

/// The table of docs/logs.md: level, message, fields.
fn documented_lines() -> Vec<(String, String, BTreeSet<String>)> {
    let document = read("docs/logs.md");
    let levels = ["error", "warn", "info", "debug", "trace"];
    let rows = document.lines().filter_map(cells).filter(|cells| levels.contains(&cells[0]));
    rows.map(|cells| {
        let fields = quoted(cells[2]).into_iter().map(str::to_owned).collect();
        (cells[0].to_owned(), quoted(cells[1])[0].to_owned(), fields)
    })
    .collect()
}

#[test]
fn every_log_line_is_documented_and_nothing_else() {
    let mut lines: Vec<Line> = Vec::new();
    for line in sources().iter().flat_map(|path| lines_of(&fs::read_to_string(path).unwrap())) {
        match lines.iter_mut().find(|known| known.message == line.message && known.level == line.level) {
            Some(known) => known.fields.extend(line.fields),
            None => lines.push(line),
        }
    }
    assert!(lines.len() > 30, "the sources are not read as they are written: {lines:#?}");
    let mut documented = documented_lines();
    let mut missing = Vec::new();
    for line in &lines {
        let is_it = |(level, message, fields): &(String, String, BTreeSet<String>)| {
            line.is(message) && *level == line.level && *fields == line.fields
        };
        match documented.iter().position(is_it) {
            Some(at) => _ = documented.remove(at),
            None => missing.push(line),
        }
    }
    assert!(missing.is_empty() && documented.is_empty(), "not documented: {missing:#?}\nnot in src: {documented:#?}");
}

#[test]
fn lines_are_read_as_they_are_written() {
    let source = r#"
        let message = if cause == X { "one" } else { "two" };
        warn!(remoteIp = %a(b, "c"), %error, "{message}");
        tracing::info!(port = "admin", "Listening...{}", x.port());
    "#;
    let line = |level: &str, message: &str, fields: &[&str]| Line {
        level: level.to_owned(),
        message: message.to_owned(),
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
    };
    let expected = [
        line("warn", "one", &["remoteIp", "error"]),
        line("warn", "two", &["remoteIp", "error"]),
        line("info", "Listening...{}", &["port"]),
    ];
    assert_eq!(lines_of(source), expected);
    assert!(expected[2].is("Listening...PORT") && !expected[2].is("Listening...") && !expected[0].is("ones"));
}

#[test]
fn every_cause_has_its_row_and_its_answer() {
    let document = read("docs/troubleshooting.md");
    let section = document.split("\n## Causes\n").nth(1).unwrap();
    let rows = section.lines().filter_map(cells).filter(|cells| cells[0].starts_with('`'));
    let rows: Vec<_> = rows.map(|cells| (quoted(cells[0])[0].to_owned(), cells[1].to_owned())).collect();
    let labels: BTreeSet<_> = Cause::ALL.map(|cause| cause.label().to_owned()).into();
    assert_eq!(rows.iter().map(|(label, _)| label.clone()).collect::<BTreeSet<_>>(), labels);
    assert_eq!(rows.len(), labels.len(), "a cause has two rows");
    let answers: BTreeMap<_, _> = rows.into_iter().collect();
    for cause in Cause::ALL {
        let answer = &answers[cause.label()];
        let refusal = Refusal::lasting(cause);
        let expected = match cause {
            Cause::UserRate => format!("closed, or `{}`", refusal.connect_error()), // the second with LEGACY_QUIRKS
            Cause::SocketsFull | Cause::TlsHandshake => "closed".to_owned(),
            Cause::InvalidToken | Cause::InvalidRoom => format!("`{}`", refusal.connect_error()),
            Cause::InvalidBody | Cause::InvalidTarget | Cause::BadRequest => "400".to_owned(),
            Cause::BodyTooLarge => "413".to_owned(),
            Cause::UnsupportedMedia => "415".to_owned(),
            Cause::BodyTimeout => "408".to_owned(),
            Cause::NotFound => "404".to_owned(),
            Cause::Overloaded => "503".to_owned(),
            _ => refusal.status().as_u16().to_string(),
        };
        assert_eq!(*answer, expected, "{}", cause.label());
    }
}

#[test]
fn every_answer_stands_in_the_troubleshooting() {
    let document = read("docs/troubleshooting.md");
    let answers = Regex::new(r#"body: "([A-Z ]+)", etag"#).unwrap();
    let verbs = ["POST", "OK"]; // one is no refusal, the other stands with its status
    for found in answers.captures_iter(&read("src/producer/answer.rs")) {
        let text = &found[1];
        assert!(verbs.contains(&text) || document.contains(&format!(" {text}` |")), "no row for {text}");
    }
    let codes = Regex::new(r#"=> \((\d), "([^"]+)"\)"#).unwrap();
    let engine = read("src/subscriber/engine_error.rs");
    let codes: Vec<_> = codes.captures_iter(&engine).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
    assert_eq!(codes.len(), 6, "{codes:?}");
    for (code, message) in codes {
        assert!(document.contains(&format!("| `\"code\":{code}`, `{message}` |")), "no row for code {code}, {message}");
    }
    let refused = Cause::ALL.map(|cause| Refusal::lasting(cause).connect_error());
    for message in refused.into_iter().chain(["Invalid namespace"]) {
        assert!(document.contains(&format!("\n| `{message}` | no |")), "no row for connect_error {message}");
    }
}

#[test]
fn every_exit_code_is_told() {
    let document = read("docs/commands.md");
    for code in [EXIT_OK, EXIT_FAULT, EXIT_USAGE, EXIT_FORCED] {
        assert_eq!(document.matches(&format!("\n| {code} | ")).count(), 1, "exit code {code}");
    }
}

#[test]
fn every_metric_is_told_and_no_other() {
    let text = Metrics::new(Arc::new(Stats::default()), Default::default()).render().unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let series: BTreeSet<_> = samples.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    let document = read("docs/metrics.md");
    let rows = document.lines().filter_map(cells).filter(|cells| ["gauge", "counter", "info"].contains(&cells[1]));
    let rows: Vec<_> = rows.collect();
    let told: BTreeSet<_> =
        rows.iter().flat_map(|cells| quoted(cells[0])).map(|name| name.split('{').next().unwrap()).collect();
    assert_eq!(told, series);
    let closes = rows.iter().find(|cells| cells[0].contains("session_closes")).unwrap();
    let reasons: BTreeSet<_> = CloseReason::ALL.map(CloseReason::label).into();
    assert_eq!(quoted(closes[2]).into_iter().collect::<BTreeSet<_>>(), reasons);
}

/// The sessions that a limit of open files allows, and whether `MAX_CONNECTIONS`, if it is asked for, fits.
fn sessions(files_max: u64, asked_for: Option<&str>) -> (String, bool) {
    let mut flags = BTreeMap::from([("TLS".to_owned(), "0".to_owned()), ("WEBSOCKET_AUTH".to_owned(), "0".to_owned())]);
    flags.extend(asked_for.map(|number| ("MAX_CONNECTIONS".to_owned(), number.to_owned())));
    let machine = Machine { stdout_is_terminal: false, files_max, cores: 2, memory_bytes: 8 << 30 };
    let sources = Sources { flags, environment: BTreeMap::new(), env_file: None, default_env_file: None, machine };
    let loaded = load(&sources).unwrap_or_else(|faults| panic!("{faults}"));
    let value = loaded.values.iter().find(|setting| setting.key == "MAX_CONNECTIONS").unwrap().value.clone();
    (value, loaded.warnings.iter().all(|warning| warning.key != "MAX_CONNECTIONS"))
}

#[test]
fn the_files_of_the_tuning_are_those_that_it_takes() {
    let document = read("docs/tuning.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        document.contains(
            "1,048,576, which is `fs.nr_open` on most systems, gives 921,480 sessions; 600,000 need 680,153."
        )
    );
    assert_eq!(sessions(1_048_576, None), ("921480".to_owned(), true));
    assert_eq!(sessions(680_153, Some("600000")), ("600000".to_owned(), true));
    assert!(!sessions(680_152, Some("600000")).1);
}
