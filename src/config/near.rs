//! Names that mean nothing here: which setting was meant.
//!
//! The file is ours, so each unknown name of it is told. The environment is everybody's, so a name of it is told only if
//! it is close to one of ours and long enough not to be close by chance.

use super::env_file::EnvFile;
use super::keys::{self, keys};
use super::report::Notes;
use super::sources::{Sources, place_in_file};

/// A short name is close to many others: `HOST` to `HOSTS`, `TLS` to `TLD`.
const CHANCE_CHARS: usize = 5;
/// Names of up to so many characters may differ by one edit, longer ones by two.
const SHORT_CHARS: usize = 9;

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
        if let Some(key) = unprefixed(name).or_else(|| nearest(name, CHANCE_CHARS)) {
            notes.warn(name, format!("is not a setting, and is ignored; did you mean {key}? (environment)"));
        }
    }
}

/// What the author of an unknown name likely meant.
fn hint(name: &str) -> Option<String> {
    if name == "PORT" {
        return Some("the ports are HTTP_PORT and WEBSOCKET_PORT".to_owned());
    }
    unprefixed(name).or_else(|| nearest(name, 0)).map(|key| format!("did you mean {key}?"))
}

/// Our names have no prefix, but a reader may expect one.
fn unprefixed(name: &str) -> Option<&str> {
    name.strip_prefix("ROOMCAST_").filter(|rest| keys::is_known(rest))
}

/// The known name that is closest, if it is close enough and longer than `chance_chars`.
fn nearest(name: &str, chance_chars: usize) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let names = keys().iter().flat_map(|key| std::iter::once(&key.name).chain(key.aliases));
    names
        .filter(|known| known.len() > chance_chars)
        .map(|known| (strsim::osa_distance(&upper, known), *known))
        .filter(|(distance, known)| *distance <= edits_max(upper.len().min(known.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

fn edits_max(chars: usize) -> usize {
    if chars <= SHORT_CHARS { 1 } else { 2 }
}

#[cfg(test)]
mod tests;
