//! What docs/settings.md and `.env_example` say of the settings, held against the one table of them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may end itself")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use roomcast::config::{DefaultValue, Machine, Sources, keys, load};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The settings that `.env_example` shows, in its order.
fn example() -> Vec<(String, String)> {
    let text = read(".env_example");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once('=').unwrap()).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_document_has_a_row_for_every_setting() {
    let document = read("docs/settings.md");
    let mut rows: BTreeMap<&str, &str> = BTreeMap::new();
    for line in document.lines() {
        let Some(key) = line.strip_prefix("| `").and_then(|rest| rest.split('`').next()) else { continue };
        let begins_as_a_name = key.starts_with(|c: char| c.is_ascii_uppercase());
        if begins_as_a_name && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
            assert!(rows.insert(key, line).is_none(), "{key} has two rows");
        }
    }
    let mut offences = Vec::new();
    for key in keys() {
        let old_names: Vec<_> = key.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let old_names = if old_names.is_empty() { String::new() } else { format!(" ({})", old_names.join(", ")) };
        let row = format!("| `{}`{old_names} | {} | {} |", key.name, key.default_text(), key.meaning);
        match rows.remove(key.name) {
            Some(found) if found == row => {}
            found => {
                offences.push(format!("docs/settings.md should have\n{row}\nand has\n{}", found.unwrap_or("nothing")));
            }
        }
    }
    let strangers: Vec<_> = rows.keys().collect();
    assert!(offences.is_empty() && strangers.is_empty(), "{}\nnot settings: {strangers:?}", offences.join("\n"));
}

#[test]
fn the_example_shows_every_setting_once_and_nothing_else() {
    let shown: Vec<_> = example().into_iter().map(|(key, _)| key).collect();
    let once: BTreeSet<_> = shown.iter().map(String::as_str).collect();
    assert_eq!(shown.len(), once.len(), "a setting stands twice: {shown:?}");
    let table: BTreeSet<_> = keys().iter().map(|key| key.name).collect();
    assert_eq!(once, table);
}

/// What the example sets to something else than the default, because there is no default or to show a better value.
const SHOWN_OTHERWISE: [&str; 5] =
    ["PUB_KEY_PATH", "PRIV_KEY_PATH", "TRUST_CIDR_LIST", "TRUST_ORIGIN_LIST", "WEBSOCKET_AUTH"];

#[test]
fn the_example_shows_the_defaults() {
    for (name, value) in example() {
        let key = keys().iter().find(|key| key.name == name).unwrap_or_else(|| panic!("{name} is no setting"));
        match key.default {
            _ if SHOWN_OTHERWISE.contains(&key.name) => assert!(!value.is_empty(), "{name}"),
            DefaultValue::Text(text) => assert_eq!(value, text, "{name}"),
            DefaultValue::Unset => assert_eq!(value, "", "{name} has no default"),
            DefaultValue::Derived(words) => assert!(value.is_empty() || words.starts_with(&value), "{name}: {value}"),
        }
    }
}

/// One grammar for the shell, systemd and Docker: no quotes, no comments behind values.
#[test]
fn the_example_is_read_alike_by_everybody() {
    for (key, value) in example() {
        assert!(!value.contains(['"', '\'', '#', '\\', ' ', '`']), "{key}={value}");
    }
}

#[test]
fn the_example_holds_once_the_secret_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = ["pubkey.pem", "privkey.pem"].map(|name| folder.path().join(name));
    for path in [&certificate, &key] {
        fs::write(path, "read at the start, not here").unwrap();
    }
    let flags = [
        ("WEBSOCKET_AUTH_TOKEN_SECRET", "some-nasty-secret".to_owned()),
        ("PUB_KEY_PATH", certificate.to_str().unwrap().to_owned()),
        ("PRIV_KEY_PATH", key.to_str().unwrap().to_owned()),
    ];
    let sources = Sources {
        flags: flags.map(|(key, text)| (key.to_owned(), text)).into(),
        environment: BTreeMap::new(),
        env_file: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join(".env_example")),
        default_env_file: None,
        machine: Machine { stdout_is_terminal: false, files_max: 20_000, cores: 2, memory_bytes: 8 << 30 },
    };
    let loaded = load(&sources).unwrap_or_else(|faults| panic!("{faults}"));
    let expected = ["WEBSOCKET_AUTH_TOKEN_SECRET", "PRIV_KEY_PATH"]; // on the command line; readable by others
    let warned: Vec<_> = loaded.warnings.iter().filter(|warning| !expected.contains(&warning.key.as_str())).collect();
    assert!(warned.is_empty(), "{warned:#?}");
}
