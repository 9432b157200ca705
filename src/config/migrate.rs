//! From an old environment file to one of this version: each setting by its present name, and a comment for each change.
//!
//! ```text
//! old file -> lines -> rewrite (names, values) -> judged as at a start -> text
//! ```
//!
//! Nothing is lost: a line is written again, or stands in a comment that says why it does not count.

mod lines;
mod rewrite;

use super::build;
use super::env_file::{self, EnvFile};
use super::keys::{Kind, STANDALONE_PORT, keys};
use super::report::{Fault, Notes};
use super::settings::collect;
use super::sources::{Machine, Sources};
use lines::Line;
use rewrite::{New, Olds};

const AUTH: &str = "WEBSOCKET_AUTH";
/// What every comment of ours begins with.
const OURS: &str = "# roomcast: ";
const HEAD: &str = "# roomcast: settings of an older file, made by `roomcast migrate-env`. Lines like this one tell what was \
                    changed.\n# roomcast: it holds the secrets of that file; let nobody else read it.\n\n";
/// Ample: what the machine lacks that the command runs on says nothing of the one that the file is for.
const MACHINE: Machine = Machine { stdout_is_terminal: false, files_max: 1 << 20, cores: 1, memory_bytes: 8 << 30 };

/// A file that was rewritten. Not `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Migrated {
    /// The new file, with the secrets of the old one.
    pub text: String,
    /// What cannot be used, with the line of the old file and in its order. A setting that is missing does not count, nor a file that is
    /// not there: this machine may not be the one that the file is for.
    pub faults: Vec<String>,
}

/// A part of the new file.
#[derive(Default)]
struct Part {
    comments: Vec<String>,
    settings: Vec<(String, String)>,
    /// The line of the old file.
    line: usize,
}

impl Part {
    fn has(&self, name: &str) -> bool {
        self.settings.iter().any(|(known, _)| known == name)
    }
}

/// Rewrites an environment file, or the `Environment=` lines of a systemd unit. `label` names the file in faults.
pub fn migrate(label: &str, bytes: &[u8]) -> Migrated {
    let lines = lines::read(bytes);
    let olds: Vec<_> =
        lines.iter().filter_map(|line| if let Line::Setting(old) = line { Some(old) } else { None }).collect();
    let olds = Olds(olds);
    let mut faults = Vec::new();
    let mut parts = Vec::new();
    let mut index = 0;
    for line in &lines {
        let mut part = Part::default();
        match line {
            Line::Text(text) => part.comments.push(text.clone()),
            Line::Foreign(text) => part.comments.push(format!("{OURS}left out, as it sets no variable: {text}")),
            Line::Unreadable { number, text, problem } => {
                faults.push((*number, format!("{label}:{number}: {problem}")));
                part.comments.extend([format!("{OURS}cannot be read: {problem}"), format!("# {text}")]);
            }
            Line::Setting(old) => {
                part.line = old.line;
                part.comments.extend(old.comment.iter().map(|comment| format!("# {comment}")));
                if let Some(New { reasons, settings }) = olds.rewrite(index) {
                    part.comments.extend(reasons.into_iter().map(|reason| format!("{OURS}{reason}")));
                    part.settings = settings;
                }
                if part.settings.is_empty() {
                    part.comments.push(commented(&old.name, &old.value));
                }
                index += 1;
            }
        }
        parts.push(part);
    }
    explicit_auth(&olds, &mut parts);
    legacy_publish(&olds, &mut parts);
    judge(label, &mut parts, &mut faults);
    faults.sort_by_key(|(line, _)| *line);
    Migrated { text: render(&parts), faults: faults.into_iter().map(|(_, fault)| fault).collect() }
}

/// Says how backends of vrchats up to v0.4, which alone had that name of the secret, are served as they are.
fn legacy_publish(olds: &Olds<'_>, parts: &mut Vec<Part>) {
    if olds.filled("AUTH_TOKEN_SECRET").is_some() && olds.filled("LEGACY_PUBLISH").is_none() {
        let text = "backends of vrchats up to v0.4 post uuid instead of target_id, and up to v0.3 to /; LEGACY_PUBLISH=1 takes that";
        let mut comments = vec![String::new(), format!("{OURS}{text}")];
        let port = olds.filled(STANDALONE_PORT).map(|port| port.value.trim());
        if let Some(port) = port.filter(|_| olds.filled("CLUSTER_MODE").is_some_and(|mode| mode.value.trim() == "0")) {
            comments.push(format!("{OURS}theirs was one port for all; HTTP_PORT={port} beside it keeps it so"));
        }
        parts.push(Part { comments, ..Part::default() });
    }
}

/// Says what `WEBSOCKET_AUTH` comes to where it is not set: versions of vrchats differ in it.
fn explicit_auth(olds: &Olds<'_>, parts: &mut Vec<Part>) {
    let Some(methods) = olds.implied_methods() else { return };
    parts.retain(|part| !part.has(AUTH));
    let reason = if methods == "0" {
        "was not set, and neither was a secret: everybody who names a room may listen"
    } else {
        "was not set. vrchats asked for a token always up to v0.7, and never without it from v0.8; here a secret turns it on"
    };
    let comments = vec![String::new(), format!("{OURS}{reason}")];
    parts.push(Part { comments, settings: vec![(AUTH.to_owned(), methods.to_owned())], line: 0 });
}

/// Notes what a start would say of the new file.
fn judge(label: &str, parts: &mut Vec<Part>, faults: &mut Vec<(usize, String)>) {
    let settings = parts.iter().flat_map(|part| part.settings.clone());
    let entry = |(line, (name, value))| env_file::Entry { name, value, line, end: line + 1, comment: None };
    let entries = (1..).zip(settings).map(entry).collect();
    let file = EnvFile { entries, ..EnvFile::default() };
    let sources = Sources {
        flags: Default::default(),
        environment: Default::default(),
        env_file: None,
        default_env_file: None,
        machine: MACHINE,
    };
    let mut notes = Notes::default();
    let mut settings = collect(&sources, &file, &mut notes);
    build::config(&mut settings, &MACHINE, &mut notes);
    let mut missing = Vec::new();
    for Fault { key, place, problem } in notes.faults {
        let key = key.unwrap_or_default();
        match place {
            None => missing.push(format!("{OURS}still to be set: {key}: {problem}")),
            // Files that are not there, or not yet.
            Some(place) if kind_of(&key) == Some(Kind::Path) || place.contains(", as ") => {}
            Some(_) => {
                let part = part_of(parts, &key);
                let line = part.as_ref().map_or(0, |part| part.line);
                faults.push((line, format!("{key} ({label}:{line}): {problem}")));
                if let Some(part) = part {
                    part.comments.push(format!("{OURS}cannot be used: {problem}"));
                }
            }
        }
    }
    for warning in notes.warnings {
        match part_of(parts, &warning.key) {
            // Of a file's mode this machine says nothing, and the line that was added says it all.
            Some(part) if part.line == 0 || kind_of(&warning.key) == Some(Kind::Path) => {}
            Some(part) if part.settings.iter().all(|(_, value)| !value.is_empty()) => {
                part.comments.push(format!("{OURS}{}", warning.text));
            }
            _ => missing.push(format!("{OURS}{warning}")),
        }
    }
    if !missing.is_empty() {
        missing.insert(0, String::new());
        parts.push(Part { comments: missing, ..Part::default() });
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    keys().iter().find(|key| key.name == name).map(|key| key.kind)
}

fn part_of<'a>(parts: &'a mut [Part], name: &str) -> Option<&'a mut Part> {
    parts.iter_mut().find(|part| part.has(name))
}

fn render(parts: &[Part]) -> String {
    let mut text = HEAD.to_owned();
    for part in parts {
        let mut lines = part.comments.clone();
        for (name, value) in &part.settings {
            let word = shell_word(value);
            if word != *value {
                lines.push(format!(
                    "{OURS}in quotes for a shell and systemd; Docker keeps quotes, so give it the file with a mount and --env-file"
                ));
            }
            lines.push(format!("{name}={word}"));
        }
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// A setting that does not count, in a comment however many lines its value has.
fn commented(name: &str, value: &str) -> String {
    format!("# {name}={}", shell_word(value).replace('\n', "\n# "))
}

/// The text as a shell reads it: as it is, if everybody reads that alike, else in quotes.
fn shell_word(text: &str) -> String {
    let mut chars = text.chars().peekable();
    let mut is_plain = true;
    while let Some(c) = chars.next() {
        is_plain &= match c {
            '$' => !env_file::is_expansion(chars.peek().copied()) && chars.peek() != Some(&'\''),
            '\\' | '"' | '\'' | '`' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '~' => false,
            _ => !c.is_whitespace() && !c.is_control(),
        };
    }
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests;
