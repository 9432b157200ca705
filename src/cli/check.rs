//! `roomcast check`: what a configuration comes to, or everything that is wrong with it.

use std::io::{self, Write};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{EXIT_OK, EXIT_USAGE, settings};
use crate::config::{self, Faults, Loaded, Sources, Warning};

const JSON: &str = "json";

/// The subcommand.
pub fn command() -> Command {
    let json = Arg::new(JSON).long(JSON).action(ArgAction::SetTrue).help("Print one JSON object");
    settings::add_to(Command::new("check").about("Check the configuration and print what counts").arg(json))
}

/// Prints each setting with where it comes from and then the warnings, or every fault. Returns the exit code: 0, or 64
/// if there is a fault. Nothing is bound and no secret is printed.
///
/// # Errors
/// The output cannot be written.
pub fn run(matches: &ArgMatches, sources: &Sources, out: &mut impl Write) -> io::Result<u8> {
    let is_json = matches.get_flag(JSON);
    match config::load(sources) {
        Ok(loaded) => {
            if is_json {
                print_loaded_json(&loaded, out)?;
            } else {
                print_loaded(&loaded, out)?;
            }
            Ok(EXIT_OK)
        }
        Err(faults) => {
            if is_json {
                print_faults_json(&faults, out)?;
            } else {
                print_faults(&faults, out)?;
            }
            Ok(EXIT_USAGE)
        }
    }
}

fn print_loaded(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    for setting in &loaded.values {
        writeln!(out, "{}={} ({})", setting.key, setting.value.replace(char::is_control, " "), setting.source)?;
    }
    print_warnings(&loaded.warnings, out)
}

fn print_faults(faults: &Faults, out: &mut impl Write) -> io::Result<()> {
    for fault in &faults.faults {
        writeln!(out, "fault: {fault}")?;
    }
    print_warnings(&faults.warnings, out)
}

fn print_warnings(warnings: &[Warning], out: &mut impl Write) -> io::Result<()> {
    for warning in warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

fn print_loaded_json(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", json!({ "ok": true, "settings": loaded.values, "warnings": loaded.warnings }))
}

fn print_faults_json(faults: &Faults, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", json!({ "ok": false, "faults": faults.faults, "warnings": faults.warnings }))
}

#[cfg(test)]
mod tests;
