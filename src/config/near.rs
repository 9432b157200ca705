//! Names that mean nothing here: which setting was meant.
//!
//! The file is ours, so each unknown name of it is told. The environment is everybody's, so a name of it is told only if
//! it is close to one of ours and long enough not to be close by chance.

use super::env_file::EnvFile;
use super::keys::{self, keys};
use super::report::Notes;
use super::sources::{Sources, place_in_file};

/// How close a name must be to one of ours.
struct Closeness {
    /// A shorter name of ours is close to many others: `HOST` to `HOSTS`, `TLS` to `TLD`.
    chars_min: usize,
    /// From so many characters on the names may differ by two edits, else by one.
    two_edits_from: usize,
}

const IN_FILE: Closeness = Closeness { chars_min: 1, two_edits_from: 6 };
const IN_ENVIRONMENT: Closeness = Closeness { chars_min: 6, two_edits_from: 14 };

/// Warns of unknown names in the file, and of misspelt ones in the environment.
pub(super) fn unknown_names(sources: &Sources, file: &EnvFile, notes: &mut Notes) {
    // A file with faults may show pieces of a secret as names.
    if file.faults.is_empty() {
        for entry in file.entries.iter().filter(|entry| !keys::is_known(&entry.name)) {
            let mut text = "is not a setting, and is ignored".to_owned();
            if let Some(meant) = hint(&entry.name) {
                text = format!("{text}; {meant}");
            }
            notes.warn(&entry.name, format!("{text} ({})", place_in_file(sources, entry.line)));
        }
    }
    for name in sources.environment.keys().filter(|name| !keys::is_known(name)) {
        if let Some(key) = unprefixed(name).or_else(|| nearest(name, &IN_ENVIRONMENT)) {
            notes.warn(name, format!("is not a setting, and is ignored; did you mean {key}? (environment)"));
        }
    }
}

/// What the author of an unknown name likely meant.
pub(super) fn hint(name: &str) -> Option<String> {
    if name == "PORT" {
        return Some("the ports are HTTP_PORT and WEBSOCKET_PORT".to_owned());
    }
    unprefixed(name).or_else(|| nearest(name, &IN_FILE)).map(|key| format!("did you mean {key}?"))
}

/// Our names have no prefix, but a reader may expect one.
fn unprefixed(name: &str) -> Option<&str> {
    name.strip_prefix("ROOMCAST_").filter(|rest| keys::is_known(rest))
}

/// The known name that is closest, if it is close enough.
fn nearest(name: &str, closeness: &Closeness) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let names = keys().iter().flat_map(|key| std::iter::once(&key.name).chain(key.aliases));
    names
        .filter(|known| known.len() >= closeness.chars_min)
        .map(|known| (strsim::osa_distance(&upper, known), *known))
        .filter(|(edits, known)| *edits <= 1 + usize::from(upper.len().min(known.len()) >= closeness.two_edits_from))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests;
