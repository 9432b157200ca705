//! A secret that cannot be printed by accident.

use std::fmt;

/// Bytes of a secret. `Debug` prints a mask; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret that a file holds: its text less the line ends behind it, however many. Editors and `echo` add them, and
    /// no secret ends with one. Blanks belong to the secret.
    pub fn from_file_text(text: &str) -> Self {
        Self::new(text.trim_end_matches(['\r', '\n']))
    }

    /// The secret itself, for a computation that needs it. Never for a log or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests;
