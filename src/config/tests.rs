//! Settings from their sources to the modules: what counts, what is told, and what is not.

mod example;
mod faults;
mod lookup;
mod meaning;
mod precedence;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const SECRET: &str = "WEBSOCKET_AUTH_TOKEN_SECRET";
const GOOD_SECRET: &str = "a-good-secret-of-thirty-two-bytes";

/// Sources that are sound, until a test changes them.
struct Case {
    folder: TempDir,
    sources: Sources,
}

impl Case {
    /// Certificates and a secret in the environment, and lists that warn of nothing.
    fn sound() -> Self {
        Self::bare()
            .certificates()
            .env(SECRET, GOOD_SECRET)
            .env("TRUST_CIDR_LIST", "10.0.0.0/8")
            .env("TRUST_ORIGIN_LIST", "https://example.com")
    }

    /// No setting at all.
    fn bare() -> Self {
        let machine = Machine { stdout_is_terminal: false, files_max: 65_536, cores: 4, memory_bytes: 8 << 30 };
        let sources = Sources {
            flags: Default::default(),
            environment: Default::default(),
            env_file: None,
            default_env_file: None,
            machine,
        };
        Self { folder: tempfile::tempdir().unwrap(), sources }
    }

    fn certificates(self) -> Self {
        let certificate = self.write("cert.pem", "");
        let key = self.write("key.pem", "");
        self.env("PUB_KEY_PATH", certificate.to_str().unwrap()).env("PRIV_KEY_PATH", key.to_str().unwrap())
    }

    fn env(mut self, name: &str, text: &str) -> Self {
        self.sources.environment.insert(name.to_owned(), text.to_owned());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.sources.environment.remove(name);
        self
    }

    fn flag(mut self, name: &str, text: &str) -> Self {
        self.sources.flags.insert(name.to_owned(), text.to_owned());
        self
    }

    fn file(mut self, text: &str) -> Self {
        self.sources.env_file = Some(self.write("settings.env", text));
        self
    }

    fn machine(mut self, change: impl FnOnce(&mut Machine)) -> Self {
        change(&mut self.sources.machine);
        self
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn loaded(&self) -> Loaded {
        load(&self.sources).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn config(&self) -> Config {
        self.loaded().config
    }

    /// The lines of the faults; there must be some.
    fn faults(&self) -> Vec<String> {
        let faults = load(&self.sources).expect_err("a fault").to_string();
        faults.lines().map(str::to_owned).collect()
    }

    /// The one line that the only fault is.
    fn fault(&self) -> String {
        let mut lines = self.faults();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines.remove(0)
    }

    fn warnings(&self) -> Vec<String> {
        let warnings = match load(&self.sources) {
            Ok(loaded) => loaded.warnings,
            Err(faults) => faults.warnings,
        };
        warnings.iter().map(ToString::to_string).collect()
    }

    /// The one warning there is.
    fn warning(&self) -> String {
        let mut warnings = self.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
        warnings.remove(0)
    }

    fn value(&self, key: &str) -> (String, String) {
        let values = self.loaded().values;
        let value = values.iter().find(|value| value.key == key).unwrap();
        (value.value.clone(), value.source.clone())
    }
}

#[test]
fn sound_settings_load_without_a_word() {
    let case = Case::sound();
    assert_eq!(case.warnings(), [""; 0]);
    assert_eq!(case.loaded().values.len(), keys().len());
}

#[test]
fn every_fault_is_told_at_once_and_a_line_each() {
    let case =
        Case::bare().env("HOST", "here").env("LOG_LEVEL", "loud").flag("HTTP_PORT", "x").file("PING_TIMEOUT=0\nB\n");
    let lines = case.faults();
    let file = case.path("settings.env");
    let starts = [
        format!("{file}:2: no \"=\""),
        "HOST (environment): \"here\" is no IP address; write one".to_owned(),
        "HTTP_PORT (--http-port): \"x\" is no port; write a number".to_owned(),
        "PUB_KEY_PATH: is required with TLS=1; give the path".to_owned(),
        "PRIV_KEY_PATH: is required with TLS=1; give the path".to_owned(),
        format!("PING_TIMEOUT ({file}:1): \"0\" is no whole number from 1 to"),
        "LOG_LEVEL (environment): \"loud\" is neither error".to_owned(),
    ];
    assert_eq!(lines.len(), starts.len(), "{lines:#?}");
    for start in starts {
        assert!(lines.iter().any(|line| line.starts_with(&start)), "{start}: {lines:#?}");
    }
}

#[test]
fn no_secret_is_ever_told() {
    let hidden = "hunter2-hunter2-hunter2-hunter2-hunter2";
    let secrets =
        |case: Case| keys().iter().filter(|key| key.is_secret()).fold(case, |case, key| case.env(key.name, hidden));
    let case = secrets(Case::sound()).env("WEBSOCKET_AUTH", "token,jwt").env("HTTPS_PORT", "1");
    let told = format!("{:?}", case.loaded());
    assert!(!told.contains("hunter2") && told.contains("***"));
    for key in keys().iter().filter(|key| key.is_secret()) {
        assert_eq!(case.value(key.name), ("***".to_owned(), "environment".to_owned()));
    }
    let wrong = [
        secrets(Case::bare()).env("HOST", "x").file(&format!("{SECRET}=\"{hidden}\nX={hidden} y\n{hidden}\n")),
        Case::bare().env("ADMIN_TOKEN_FILE", hidden).env("ADMIN_TOKEN", hidden),
        Case::bare().env("ADMIN_TOKEN_FILE", hidden).file(&format!("{SECRET}_FILE={hidden}\n")),
        Case::bare()
            .env("JWT_KEY", &format!("https://user:{hidden}@host/"))
            .env("BUS", &format!("redis://:{hidden}@h")),
        Case::bare()
            .flag("JWT_KEY", &format!("{{{hidden}"))
            .flag(SECRET, "hunter2")
            .env("ADMIN_TOKEN", "hunter2\u{fffd}"),
    ];
    for case in wrong {
        let faults = load(&case.sources).unwrap_err();
        let told = format!("{faults} {faults:?}");
        assert!(told.len() > 100 && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn raw_has_a_field_for_each_key_and_no_other() {
    let texts = keys().iter().map(|key| (key.name.to_owned(), key.flag()));
    let raw: raw::Raw = envy::from_iter(texts).unwrap();
    let fields = serde_json::to_value(&raw).unwrap();
    let fields = fields.as_object().unwrap();
    assert_eq!(fields.len(), keys().len());
    for key in keys() {
        assert_eq!(fields.get(&key.name.to_lowercase()).and_then(|text| text.as_str()), Some(key.flag().as_str()));
    }
}
