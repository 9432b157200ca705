//! Settings: one table of keys, three sources, and every fault at once.
//!
//! ```text
//! flags, environment, file -> sources (precedence, old names, NAME_FILE) -> raw (texts) -> build (typed) -> Config
//! ```
//!
//! Faults and warnings are noted on the way and told together at its end. Neither ever holds a secret's text.

mod build;
mod env_file;
mod keys;
mod memory;
mod migrate;
mod near;
pub mod parse;
mod pattern;
mod raw;
mod reader;
mod report;
mod settings;
mod sources;

pub use keys::{DefaultValue, Key, Kind, keys};
pub use migrate::{Migrated, migrate};
pub use report::{Effective, Fault, Faults, Warning};
pub use sources::{Machine, Sources, bounded};

use report::Notes;

/// All settings, parsed and checked; each module owns its part.
#[derive(Clone, Debug)]
pub struct Config {
    /// Sockets and TLS.
    pub listen: crate::listen::Config,
    /// Who may speak.
    pub admission: crate::admission::Config,
    /// The publishers' API.
    pub producer: crate::producer::Config,
    /// The publish pipeline.
    pub publish: crate::publish::Config,
    /// The Socket.IO side.
    pub subscriber: crate::subscriber::Config,
    /// Worker threads.
    pub cluster: crate::cluster::Config,
    /// The admin listener.
    pub ops: crate::ops::Config,
    /// The log.
    pub log: crate::ops::LogConfig,
    /// The end of the process.
    pub lifecycle: crate::lifecycle::Config,
}

/// A configuration that holds, and what its author should know of it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// What works but is likely not meant.
    pub warnings: Vec<Warning>,
    /// Every setting in the order of the table: its value, masked if secret, and where it came from.
    pub values: Vec<Effective>,
}

/// Reads all settings: flags over the environment over the file.
///
/// # Errors
/// Every fault of every source at once.
pub fn load(sources: &Sources) -> Result<Loaded, Faults> {
    let mut notes = Notes::default();
    let file = sources.read_env_file(&mut notes);
    let mut settings = settings::collect(sources, &file, &mut notes);
    let config = build::config(&mut settings, &sources.machine, &mut notes);
    match config {
        Some(config) if notes.faults.is_empty() => {
            Ok(Loaded { config, warnings: notes.warnings, values: settings.effective() })
        }
        _ => Err(Faults { faults: notes.faults, warnings: notes.warnings }),
    }
}

/// The texts that count for some settings, and nothing else: old names, secrets in files and defaults are resolved, an empty
/// text is none, and no text is parsed. For commands that need little of what the gateway needs.
///
/// # Errors
/// The faults of these settings' texts, such as a secret's file that is missing, and of the file of settings itself.
pub fn lookup<const N: usize>(sources: &Sources, keys: [&'static str; N]) -> Result<[Option<String>; N], Faults> {
    let mut notes = Notes::default();
    let file = sources.read_env_file(&mut notes);
    let settings = settings::collect(sources, &file, &mut notes);
    notes.faults.retain(|fault| fault.key.as_deref().is_none_or(|key| keys.contains(&key)));
    if notes.faults.is_empty() {
        Ok(keys.map(|key| settings.text(key).map(str::to_owned)))
    } else {
        Err(Faults { faults: notes.faults, warnings: Vec::new() })
    }
}

#[cfg(test)]
mod tests;
