//! `roomcast check`: what a configuration comes to, or everything that is wrong with it.

use std::io::{self, Write};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{EXIT_OK, EXIT_USAGE, settings};
use crate::config::{self, Effective, Fault, Faults, Loaded, Sources, Warning};
use crate::listen::{Tls, TlsError};

const JSON: &str = "json";

/// The subcommand.
pub fn command() -> Command {
    let json = Arg::new(JSON).long(JSON).action(ArgAction::SetTrue).help("Print one JSON object");
    settings::add_to(Command::new("check").about("Check the configuration and print what counts").arg(json))
}

/// Prints each setting with where it comes from and then the warnings, or every fault. Returns the exit code: 0, or 64
/// if there is a fault. The certificates are read as for a start; nothing is bound and no secret is printed.
///
/// # Errors
/// The output cannot be written.
pub fn run(matches: &ArgMatches, sources: &Sources, out: &mut impl Write) -> io::Result<u8> {
    let is_json = matches.get_flag(JSON);
    match config::load(sources).and_then(with_certificates) {
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

/// The configuration, if each port can use its certificates.
fn with_certificates(loaded: Loaded) -> Result<Loaded, Faults> {
    let Some(tls) = &loaded.config.listen.tls else { return Ok(loaded) };
    let asked = [tls.client_certificates.producer, tls.client_certificates.consumer];
    let errors = asked.into_iter().filter_map(|is_asked| Tls::load(tls, is_asked).err());
    let mut faults: Vec<Fault> = errors.map(|error| certificate_fault(error, &loaded.values)).collect();
    faults.dedup(); // both ports have the same files
    if faults.is_empty() { Ok(loaded) } else { Err(Faults { faults, warnings: loaded.warnings }) }
}

/// An error begins with the settings that it is about.
fn certificate_fault(error: TlsError, settings: &[Effective]) -> Fault {
    let text = format!("{:#}", anyhow::Error::from(error)).replace(char::is_control, " ");
    let Some((key, problem)) = text.split_once(": ") else { return Fault { key: None, place: None, problem: text } };
    let place = settings.iter().find(|setting| setting.key == key).map(|setting| setting.source.clone());
    Fault { key: Some(key.to_owned()), place, problem: problem.to_owned() }
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
