//! `roomcast migrate-env`: an old environment file in today's names, with a comment for each change.

use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context;

use super::{EXIT_FAULT, EXIT_OK};
use crate::config::{self, Migrated};

/// Print an old environment file with today's names, and a comment for each change
///
/// Reads an environment file, or a systemd unit with Environment= lines, of vrchats or of an older roomcast, and changes
/// nothing of it. What is printed holds the secrets of that file: redirect it to a file that only you may read.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The file, or - to read standard input
    #[arg(value_name = "OLD")]
    old: PathBuf,
}

/// Prints the new file to `out`, and what cannot be used, with its line in the old file, to `complaints`. Returns the
/// exit code: 1 if there was any of that.
///
/// # Errors
/// The file cannot be read, or the output cannot be written.
pub fn run(
    args: &Args,
    input: &mut impl Read,
    out: &mut impl Write,
    complaints: &mut impl Write,
) -> anyhow::Result<u8> {
    let (label, bytes) = if args.old.as_os_str() == "-" {
        ("standard input".to_owned(), config::bounded(input))
    } else {
        (args.old.display().to_string(), File::open(&args.old).and_then(config::bounded))
    };
    let bytes = bytes.with_context(|| format!("cannot read {label}"))?;
    let Migrated { text, faults } = config::migrate(&label, &bytes);
    out.write_all(text.as_bytes())?;
    for fault in &faults {
        writeln!(complaints, "{fault}")?;
    }
    Ok(if faults.is_empty() { EXIT_OK } else { EXIT_FAULT })
}

#[cfg(test)]
mod tests;
