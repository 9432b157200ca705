//! The lines of an old file: settings, and what stands between them. An environment file, or a systemd unit.

use crate::config::env_file;

/// A line, or several that belong together.
pub(super) enum Line {
    /// An empty line or a comment.
    Text(String),
    /// A setting.
    Setting(Old),
    /// A line of a unit that sets no variable.
    Foreign(String),
    /// A line that cannot be read, and why.
    Unreadable { number: usize, text: String, problem: String },
}

/// A setting as it stood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Old {
    pub(super) name: String,
    pub(super) value: String,
    /// Its line, from 1.
    pub(super) line: usize,
    /// The comment behind its value.
    pub(super) comment: Option<String>,
}

/// Reads a file. Bytes that are no UTF-8 become U+FFFD.
pub(super) fn read(bytes: &[u8]) -> Vec<Line> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_unit = text.lines().map(str::trim).any(|line| line.starts_with("Environment=") || line == "[Service]");
    if is_unit { unit(text) } else { environment_file(text) }
}

fn environment_file(text: &str) -> Vec<Line> {
    let file = env_file::parse(text.as_bytes());
    let mut entries = file.entries.into_iter().peekable();
    let mut faults = file.faults.into_iter().peekable();
    let mut covered = 0;
    let mut lines = Vec::new();
    for (number, text) in (1..).zip(text.lines()) {
        if let Some(entry) = entries.next_if(|entry| entry.line == number) {
            let env_file::Entry { name, value, line, end, comment } = entry;
            covered = end;
            lines.push(Line::Setting(Old { name, value, line, comment }));
        } else if let Some((number, problem)) = faults.next_if(|(line, _)| *line == number) {
            lines.push(Line::Unreadable { number, text: text.to_owned(), problem });
        } else if number >= covered {
            lines.push(Line::Text(text.trim().to_owned()));
        }
    }
    lines
}

const OTHER_FILE: &str = "its variables are not here; migrate the file that it names too";

fn unit(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for (number, line) in whole_lines(text) {
        let unreadable = |problem: &str| Line::Unreadable { number, text: line.clone(), problem: problem.to_owned() };
        if let Some(assignments) = line.strip_prefix("Environment=") {
            match variables(assignments, number) {
                Ok(variables) => lines.extend(variables.into_iter().map(Line::Setting)),
                Err(problem) => lines.push(unreadable(problem)),
            }
        } else if line.strip_prefix("EnvironmentFile=").is_some_and(|path| !path.is_empty()) {
            lines.push(unreadable(OTHER_FILE));
        } else if line.is_empty() || is_comment(&line) {
            lines.push(Line::Text(line.replacen(';', "#", usize::from(line.starts_with(';')))));
        } else {
            lines.push(Line::Foreign(line));
        }
    }
    lines
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['#', ';'])
}

/// The lines of a unit with the number of their first. As systemd reads them, a backslash at the end of one joins it with
/// the next, and comments between the two come before it.
fn whole_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if is_comment(line) {
            lines.push((number, line.to_owned()));
            continue;
        }
        let (number, before) = begun.take().unwrap_or((number, String::new()));
        match line.strip_suffix('\\') {
            Some(part) => begun = Some((number, format!("{before}{part} "))),
            None => lines.push((number, before + line)),
        }
    }
    lines.extend(begun.map(|(number, line)| (number, line.trim_end().to_owned())));
    lines
}

/// The variables of one `Environment=` line.
fn variables(assignments: &str, line: usize) -> Result<Vec<Old>, &'static str> {
    let words = words(assignments)?;
    let variable = |word: String| {
        let (name, value) = word.split_once('=').ok_or("a word without \"=\"; write Environment=NAME=value")?;
        Ok(Old { name: name.to_owned(), value: value.replace("%%", "%"), line, comment: None })
    };
    words.into_iter().map(variable).collect()
}

/// Words as systemd reads them: blanks part them, quotes hold them together, a backslash makes its next character plain.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("a backslash with nothing behind it"),
            },
            '"' | '\'' if quote.is_none() => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            _ if quote == Some(c) => quote = None,
            ' ' | '\t' if quote.is_none() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote that is not closed");
    }
    words.extend(word);
    Ok(words)
}
