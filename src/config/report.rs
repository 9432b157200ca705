//! What the reading of settings has to say: faults, warnings, and the values that count.

use std::fmt;

/// A setting that cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The setting's name; none for a line of the file that names none.
    pub key: Option<String>,
    /// Where the value stands: a flag, `environment`, or file and line. None when the value is missing.
    pub place: Option<String>,
    /// What is wrong and how to mend it, in one line.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.place) {
            (Some(key), Some(place)) => write!(f, "{key} ({place}): ")?,
            (Some(only), None) | (None, Some(only)) => write!(f, "{only}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.problem)
    }
}

/// Every fault of a configuration. `Display` prints a line for each.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The faults, at least one.
    pub faults: Vec<Fault>,
    /// What was noticed beside them; a misspelt name may be the cause of a missing value.
    pub warnings: Vec<Warning>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Something that works, but is likely not meant.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// The setting's name, or the place that is spoken of.
    pub key: String,
    /// What to know of it, in one line.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

/// A setting as it counts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Effective {
    /// The setting's name.
    pub key: &'static str,
    /// Its value; `***` for a secret, empty when it is not set.
    pub value: String,
    /// A flag, `environment`, file and line, or `default`.
    pub source: String,
}

/// Faults and warnings, in the order in which they were found.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Warning>,
}

impl Notes {
    pub(super) fn fault(&mut self, key: Option<&str>, place: Option<&str>, problem: impl Into<String>) {
        let fault =
            Fault { key: key.map(str::to_owned), place: place.map(str::to_owned), problem: one_line(problem.into()) };
        self.faults.push(fault);
    }

    /// Whether something is wrong with a setting already.
    pub(super) fn is_faulty(&self, key: &str) -> bool {
        self.faults.iter().any(|fault| fault.key.as_deref() == Some(key))
    }

    pub(super) fn warn(&mut self, key: &str, text: impl Into<String>) {
        self.warnings.push(Warning { key: key.to_owned(), text: one_line(text.into()) });
    }
}

/// A message never breaks the line it is printed on.
fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    text.replace(char::is_control, " ")
}
