//! One text for each setting: which source wins, old names, and secrets that stand in files.

use std::collections::BTreeMap;
use std::path::Path;

use super::env_file::EnvFile;
use super::keys::{self, DefaultValue, Key, Kind, keys};
use super::near;
use super::parse;
use super::report::{Effective, Notes};
use super::sources::{Environment, Flags, Lines, Source, Sources, place_in_file, read_bounded};
use crate::types::Secret;

/// The texts that count, by name.
#[derive(Default)]
pub(super) struct Settings(BTreeMap<&'static str, Setting>);

/// The text that counts for a setting.
pub(super) struct Setting {
    pub(super) text: String,
    /// Where it stands; none for a default.
    pub(super) place: Option<String>,
}

impl Settings {
    /// The text that counts for a setting, if there is one.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        Some(self.0.get(key)?.text.as_str())
    }

    /// Where a setting stands, if it is given at all.
    pub(super) fn place(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.place.as_deref()
    }

    /// Whether somebody gave the setting.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    /// Shows what a default that depends on other things came to.
    pub(super) fn resolve(&mut self, key: &'static str, text: String) {
        self.0.entry(key).or_insert(Setting { text, place: None });
    }

    /// Name and text of everything that is set.
    pub(super) fn texts(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(key, setting)| ((*key).to_owned(), setting.text.clone()))
    }

    /// Every setting of the table as it counts, secrets masked.
    pub(super) fn effective(&self) -> Vec<Effective> {
        let show = |key: &Key| {
            let setting = self.0.get(key.name);
            let value = match setting {
                Some(_) if key.is_secret() => "***".to_owned(),
                Some(setting) => setting.text.clone(),
                None => String::new(),
            };
            let source = self.place(key.name).unwrap_or("default").to_owned();
            Effective { key: key.name, value, source }
        };
        keys().iter().map(show).collect()
    }
}

/// Finds the text of every setting; `file` is what was read of the file that `sources` name.
pub(super) fn collect(sources: &Sources, file: &EnvFile, notes: &mut Notes) -> Settings {
    near::unknown_names(sources, file, notes);
    swallowed_lines(sources, file, notes);
    let lines = Lines { sources, file };
    let places: [&dyn Source; 3] = [&Flags(&sources.flags), &Environment(&sources.environment), &lines];
    without_effect(sources, file, &places, notes);
    let mut settings = Settings::default();
    let is_one_port = is_one_port(&places);
    for key in keys() {
        let found = if is_one_port && key.kind == Kind::Port {
            one_port(key, &places, notes)
        } else {
            find(key, &places, notes)
        };
        if let Some(setting) = found {
            settings.0.insert(key.name, setting);
        }
    }
    if !is_one_port {
        standalone_port(&mut settings, &places, notes);
    }
    for key in keys() {
        if let DefaultValue::Text(text) = key.default {
            settings.resolve(key.name, text.to_owned());
        }
    }
    settings
}

/// The text of one setting, by its name, its old names, or the file that holds it.
fn find(key: &'static Key, places: &[&dyn Source], notes: &mut Notes) -> Option<Setting> {
    let names = [&[key.name], key.aliases].concat();
    let direct = pick(key, &names, places, notes);
    let Some(file_name) = key.file_name() else { return direct };
    let named = pick(key, &[&file_name], places, notes);
    match (direct, named) {
        (Some(direct), Some(named)) => {
            let other = direct.place.unwrap_or_default();
            let problem = format!("{file_name} is set, and the secret itself too ({other}); keep one");
            notes.fault(Some(key.name), named.place.as_deref(), problem);
            Some(named)
        }
        (None, Some(named)) => Some(secret_in_file(key, &file_name, named, notes)),
        (Some(direct), None) => {
            if direct.place.as_ref().is_some_and(|place| place.starts_with("--")) {
                let text = "a secret on the command line is seen by everybody who may list processes";
                notes.warn(key.name, format!("{text}; use {file_name}"));
            }
            Some(direct)
        }
        (None, None) => None,
    }
}

/// Replaces a path by what the file holds, less its line ends. No message repeats the path: it may be the secret itself,
/// given under the wrong name.
fn secret_in_file(key: &'static Key, file_name: &str, named: Setting, notes: &mut Notes) -> Setting {
    let bytes = read_bounded(Path::new(&named.text)).map_err(|error| error.to_string());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned()));
    let problem = match text.as_deref().map(Secret::from_file_text) {
        Ok(secret) if secret.expose().is_empty() => "it is empty".to_owned(),
        Ok(secret) => return Setting { text: secret.expose().to_owned(), ..named },
        Err(error) => error.clone(),
    };
    let problem =
        format!("cannot use the file that {file_name} names: {problem}; give the path of a file with the secret");
    notes.fault(Some(key.name), named.place.as_deref(), problem);
    named
}

/// The first text for any of the names, by source and then by name.
fn pick(key: &'static Key, names: &[&str], places: &[&dyn Source], notes: &mut Notes) -> Option<Setting> {
    for source in places {
        let mut given = names.iter().filter_map(|name| {
            let given = source.get(name)?;
            let text = if key.is_verbatim() { given.text } else { given.text.trim() };
            (!text.is_empty() || key.empty_counts()).then_some((*name, text.to_owned(), given.place))
        });
        let Some((name, text, mut place)) = given.next() else { continue };
        for (ignored, _, place) in given {
            notes.warn(key.name, format!("{ignored} ({place}) is ignored, as {name} stands beside it"));
        }
        if key.aliases.contains(&name) || name == keys::STANDALONE_PORT {
            notes.warn(key.name, format!("{name} ({place}) is its old name, and still read"));
        }
        if name != key.name && !place.starts_with("--") {
            place = format!("{place}, as {name}");
        }
        if text.contains(char::REPLACEMENT_CHARACTER) {
            notes.fault(Some(key.name), Some(&place), "is not valid UTF-8; write it in UTF-8");
        }
        return Some(Setting { text, place: Some(place) });
    }
    None
}

/// Whether `STANDALONE_PORT` is both ports: `CLUSTER_MODE=0` and `LEGACY_PUBLISH=1`, as in the versions that had it.
fn is_one_port(places: &[&dyn Source]) -> bool {
    let is = |name, expected| given(name, places).is_some_and(|text| parse::switch(text) == Ok(expected));
    is("CLUSTER_MODE", false) && is("LEGACY_PUBLISH", true) && given(keys::STANDALONE_PORT, places).is_some()
}

/// The first text for a name, wherever it stands.
fn given<'a>(name: &str, places: &[&'a dyn Source]) -> Option<&'a str> {
    let mut texts = places.iter().filter_map(|source| source.get(name)).map(|given| given.text.trim());
    texts.find(|text| !text.is_empty())
}

/// A port that `STANDALONE_PORT` is, unless its own name stands. In those versions the other old names said nothing then.
fn one_port(key: &'static Key, places: &[&dyn Source], notes: &mut Notes) -> Option<Setting> {
    for alias in key.aliases.iter().filter(|alias| given(alias, places).is_some()) {
        notes.warn(alias, "has no effect with CLUSTER_MODE=0 and LEGACY_PUBLISH=1: STANDALONE_PORT is both ports");
    }
    pick(key, &[key.name, keys::STANDALONE_PORT], places, notes)
}

/// `STANDALONE_PORT` is the consumer port when `CLUSTER_MODE=0` and nothing else names that.
fn standalone_port(settings: &mut Settings, places: &[&dyn Source], notes: &mut Notes) {
    let name = keys::STANDALONE_PORT;
    let Some(key) = keys().iter().find(|key| key.name == "WEBSOCKET_PORT") else { return };
    let mut unseen = Notes::default();
    let Some(setting) = pick(key, &[name], places, &mut unseen) else { return };
    let is_cluster_off = settings.0.get("CLUSTER_MODE").is_some_and(|mode| parse::switch(&mode.text) == Ok(false));
    if !is_cluster_off {
        notes.warn(name, "has no effect without CLUSTER_MODE=0; the ports are HTTP_PORT and WEBSOCKET_PORT");
    } else if settings.is_given(key.name) {
        notes.warn(name, "is ignored, as WEBSOCKET_PORT names the consumer port");
    } else {
        notes.warn(key.name, format!("{name} is an old name, and still read"));
        settings.0.insert(key.name, setting);
    }
}

/// Warns of settings that this version does not have, and tells once of those that say nothing.
fn without_effect(sources: &Sources, file: &EnvFile, places: &[&dyn Source], notes: &mut Notes) {
    for (name, off) in keys::LATER {
        let given = places.iter().find_map(|source| source.get(name).filter(|given| !given.text.trim().is_empty()));
        let Some(given) = given else { continue };
        let text = given.text.trim().to_ascii_lowercase();
        if text != *off && !matches!(text.as_str(), "0" | "off" | "false" | "none") {
            notes.warn(name, format!("has no effect in this version ({})", given.place));
        }
    }
    let names = sources.environment.keys().chain(file.entries.iter().map(|entry| &entry.name));
    let mut idle: Vec<&str> = names.map(String::as_str).filter(|name| keys::is_without_effect(name)).collect();
    idle.sort_unstable();
    idle.dedup();
    if !idle.is_empty() {
        notes.warn(&idle.join(", "), "accepted, without effect");
    }
}

/// A quote that is not closed takes the next lines into the value; their settings would be missing in silence.
fn swallowed_lines(sources: &Sources, file: &EnvFile, notes: &mut Notes) {
    for entry in &file.entries {
        let names = entry.value.lines().skip(1).filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        for name in names.filter(|name| keys::is_known(name)) {
            let place = place_in_file(sources, entry.line);
            notes.warn(&place, format!("the value spans the line of {name}; is a quote not closed?"));
        }
    }
}
