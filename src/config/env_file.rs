//! The environment file, read as a shell that sources it would, without expanding anything.
//!
//! A line is `KEY=value`, with `export` before it if need be. Quotes, backslashes and ` #` comments mean what they mean
//! to `sh`; quoted values may span lines. What `sh` would expand (`$NAME`, backticks, `~`) or take as the end of a
//! word or command (a blank, `;`, `|`) stays as it is written, and is warned of. No message repeats what a line holds: it may be secret.

use std::str::Chars;

/// A file as it was read.
#[derive(Debug, Default)]
pub(super) struct EnvFile {
    /// The settings in the order of the lines. A later one wins over an earlier one of the same name.
    pub(super) entries: Vec<Entry>,
    /// Lines that cannot be read.
    pub(super) faults: Vec<(usize, String)>,
    /// Lines that a shell would read otherwise, and names that stand twice.
    pub(super) warnings: Vec<(usize, String)>,
}

/// A setting of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// The first line after it.
    pub(super) end: usize,
    /// The comment behind the value, without its `#`.
    pub(super) comment: Option<String>,
}

impl EnvFile {
    /// The entry that counts for a name.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.name == name)
    }
}

/// Reads a file. Bytes that are no UTF-8 become U+FFFD.
pub(super) fn parse(bytes: &[u8]) -> EnvFile {
    let text = String::from_utf8_lossy(bytes);
    let mut cursor = Cursor { rest: text.strip_prefix('\u{feff}').unwrap_or(&text).chars(), line: 1 };
    let mut file = EnvFile::default();
    while cursor.peek().is_some() {
        let start = cursor.clone();
        match statement(&mut cursor) {
            Ok(Some(statement)) => {
                // The last line of a file may lack its end.
                let is_cut = cursor.peek().is_none() && !text.ends_with('\n');
                file.add(start.line, cursor.line + usize::from(is_cut), statement);
            }
            Ok(None) => {}
            Err(problem) => {
                file.faults.push((start.line, problem.to_owned()));
                // The next line is read for its own sake: one missing quote must not hide the faults behind it.
                cursor = start;
                cursor.skip_line();
            }
        }
    }
    file
}

impl EnvFile {
    fn add(&mut self, line: usize, end: usize, Statement { name, value }: Statement) {
        if let Some(earlier) = self.get(&name) {
            self.warnings.push((line, format!("the name stands on line {} too; the last one counts", earlier.line)));
        }
        if let Some(special) = value.special {
            let text = format!(
                "a shell would not take {special:?} as it is written, and here nothing is expanded; put the value in \
                 single quotes"
            );
            self.warnings.push((line, text));
        }
        self.entries.push(Entry { name, value: value.text, line, end, comment: value.comment });
    }
}

struct Statement {
    name: String,
    value: Value,
}

#[derive(Default)]
struct Value {
    text: String,
    /// The first character that means more to a shell.
    special: Option<char>,
    comment: Option<String>,
}

impl Value {
    fn push_special(&mut self, c: char) {
        self.special.get_or_insert(c);
        self.text.push(c);
    }
}

/// One setting, or none for an empty line or a comment.
fn statement(cursor: &mut Cursor<'_>) -> Result<Option<Statement>, &'static str> {
    cursor.skip_blanks();
    if matches!(cursor.peek(), None | Some('\n' | '#')) {
        cursor.skip_line();
        return Ok(None);
    }
    let name = name(cursor)?;
    let value = value(cursor)?;
    Ok(Some(Statement { name, value }))
}

/// The name before `=`, which is consumed too.
fn name(cursor: &mut Cursor<'_>) -> Result<String, &'static str> {
    let mut text = String::new();
    loop {
        match cursor.next() {
            Some('=') => break,
            None | Some('\n') => return Err("no \"=\" in this line; write KEY=value, or begin a comment with #"),
            Some(c) => text.push(c),
        }
    }
    let name = match text.strip_prefix("export") {
        Some(exported) if exported.starts_with([' ', '\t']) => exported.trim_start_matches([' ', '\t']),
        _ => &text,
    };
    if name.ends_with([' ', '\t']) {
        return Err("a blank before \"=\"; write KEY=value");
    }
    let is_identifier = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_identifier {
        Ok(name.to_owned())
    } else {
        Err("what stands before \"=\" is no name; use letters, digits and _, with no digit first")
    }
}

/// The value after `=`, and all of its last line.
fn value(cursor: &mut Cursor<'_>) -> Result<Value, &'static str> {
    let mut value = Value::default();
    loop {
        let at_line_end = cursor.is_at_return();
        match cursor.next() {
            None | Some('\n') => return Ok(value),
            Some('\r') if at_line_end => {}
            Some(blank @ (' ' | '\t')) => {
                if is_end_of_line(cursor) {
                    value.comment = cursor.comment();
                    return Ok(value);
                }
                value.special.get_or_insert(blank);
                if !value.text.is_empty() {
                    value.text.push(blank);
                }
            }
            Some('\'') => single_quoted(cursor, &mut value)?,
            Some('"') => double_quoted(cursor, &mut value)?,
            Some('\\') => escaped(cursor, &mut value),
            Some('$') if is_expansion(cursor.peek()) || cursor.peek() == Some('\'') => value.push_special('$'),
            Some('~') if value.text.is_empty() => value.push_special('~'),
            Some(c @ ('`' | ';' | '&' | '|' | '<' | '>' | '(' | ')')) => value.push_special(c),
            Some(c) => value.text.push(c),
        }
    }
}

/// Whether what follows a value and a blank is nothing, or a comment. Anything else belongs to the value: dotenv and
/// systemd read it so, and lists are often written with blanks after the commas.
fn is_end_of_line(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    ahead.skip_blanks();
    matches!(ahead.peek(), None | Some('\n' | '#'))
}

fn single_quoted(cursor: &mut Cursor<'_>, value: &mut Value) -> Result<(), &'static str> {
    loop {
        match cursor.next() {
            Some('\'') => return Ok(()),
            Some(c) => value.text.push(c),
            None => return Err("a single quote (') that is not closed"),
        }
    }
}

fn double_quoted(cursor: &mut Cursor<'_>, value: &mut Value) -> Result<(), &'static str> {
    loop {
        match cursor.next() {
            Some('"') => return Ok(()),
            Some('\\') => match cursor.peek() {
                Some('$' | '"' | '\\' | '`' | '\n') => escaped(cursor, value),
                _ => value.text.push('\\'),
            },
            Some('$') if is_expansion(cursor.peek()) => value.push_special('$'),
            Some('`') => value.push_special('`'),
            Some(c) => value.text.push(c),
            None => return Err("a double quote (\") that is not closed"),
        }
    }
}

/// Whether a shell would expand a `$` before this.
pub(super) fn is_expansion(next: Option<char>) -> bool {
    next.is_some_and(|c| c.is_ascii_alphanumeric() || "_{(*@#?$!-".contains(c))
}

/// What follows a backslash: itself; a line's end joins two lines; at the file's end the backslash stays.
fn escaped(cursor: &mut Cursor<'_>, value: &mut Value) {
    let at_line_end = cursor.is_at_return();
    match cursor.next() {
        Some('\n') => {}
        Some('\r') if at_line_end => {
            cursor.next();
        }
        Some(c) => value.text.push(c),
        None => value.text.push('\\'),
    }
}

/// The text that is still to be read, and the line on which it begins.
#[derive(Clone)]
struct Cursor<'a> {
    rest: Chars<'a>,
    line: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    /// Whether a carriage return stands here that belongs to the line's end.
    fn is_at_return(&self) -> bool {
        self.rest.as_str().starts_with("\r\n") || self.rest.as_str() == "\r"
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) || self.is_at_return() {
            self.next();
        }
    }

    /// The comment that ends this line, if there is one; the line is consumed.
    fn comment(&mut self) -> Option<String> {
        self.skip_blanks();
        let line: String = self.rest.clone().take_while(|c| *c != '\n').collect();
        self.skip_line();
        line.strip_prefix('#').map(|comment| comment.trim().to_owned())
    }

    fn skip_line(&mut self) {
        while !matches!(self.next(), None | Some('\n')) {}
    }
}

#[cfg(test)]
mod tests;
