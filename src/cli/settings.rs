//! The settings as flags: made from the one table, and read back into sources.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgMatches, Command};

use crate::config::{Key, Kind, Sources, keys};

const HEADING: &str = "Settings";
const ENV_FILE: &str = "env-file";

/// Adds a flag for each setting, and `--env-file`.
pub fn add_to(command: Command) -> Command {
    command.arg(env_file()).args(keys().iter().flat_map(flags_of))
}

/// Adds `--env-file` alone, to a command that reads the gateway's settings and has options of its own, and to its
/// subcommands.
pub fn add_env_file_to(command: Command) -> Command {
    command.arg(env_file().global(true))
}

fn env_file() -> Arg {
    Arg::new(ENV_FILE)
        .long(ENV_FILE)
        .value_name("PATH")
        .value_parser(clap::value_parser!(PathBuf))
        .help("File of settings, a KEY=value a line; .env if it is there")
        .help_heading(HEADING)
}

/// The flags that were given, this process' environment, and the file.
pub fn sources(matches: &ArgMatches) -> Sources {
    Sources::of_process(flags(matches), matches.try_get_one::<PathBuf>(ENV_FILE).ok().flatten().cloned())
}

/// The settings that stand on the command line, by name.
fn flags(matches: &ArgMatches) -> BTreeMap<String, String> {
    let names = keys().iter().flat_map(|key| std::iter::once(key.name.to_owned()).chain(key.file_name()));
    let text = |name: &str| matches.try_get_one::<OsString>(name).ok()?.map(|text| text.to_string_lossy().into_owned());
    names.filter_map(|name| text(&name).map(|text| (name, text))).collect()
}

/// A setting's flag, and for a secret the one that names its file. A flag's id is the setting's name.
fn flags_of(key: &Key) -> impl Iterator<Item = Arg> + use<> {
    let default = key.default_text();
    let help = if default.is_empty() { key.meaning.to_owned() } else { format!("{} [{default}]", key.meaning) };
    let direct = flag(key.name.to_owned(), key.flag(), value_name(key.kind), help);
    let file = key.file_name().map(|name| {
        let help = format!("File that holds {}", key.name);
        flag(name, format!("{}-file", key.flag()), "PATH", help)
    });
    std::iter::once(direct).chain(file)
}

fn flag(name: String, long: String, value_name: &'static str, help: String) -> Arg {
    Arg::new(name)
        .long(long)
        .value_name(value_name)
        .value_parser(ValueParser::os_string())
        .allow_negative_numbers(true)
        .help(help)
        .help_heading(HEADING)
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Address => "IP",
        Kind::Listener => "IP:PORT",
        Kind::Port => "PORT",
        Kind::Switch => "0|1",
        Kind::Choice => "WORD",
        Kind::Number => "N",
        Kind::Bytes => "BYTES",
        Kind::Milliseconds => "MS",
        Kind::List => "LIST",
        Kind::Path => "PATH",
        Kind::Pattern => "REGEX",
        Kind::Text => "TEXT",
        Kind::Secret => "SECRET",
    }
}

#[cfg(test)]
mod tests;
