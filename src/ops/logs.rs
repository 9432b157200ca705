//! The log: one line an event on standard output, with the keys of vrchats. No line is longer than a kibibyte, no text
//! from outside can shape one, no flood can drown the others, and no slow reader can stop the gateway.

mod flood;
mod format;
mod layer;
mod line;
mod writer;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal};
use std::os::fd::AsFd;
use std::sync::Arc;

use tracing::subscriber::{SetGlobalDefaultError, set_global_default};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use crate::ops::{LogConfig, LogFormat};
use crate::types::{Clock, Stats};
use flood::FloodLimit;
use format::{Format, Style};
use layer::LineLayer;
pub use writer::LogGuard;

/// The log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Standard output cannot be opened a second time.
    #[error("standard output cannot be used for the log")]
    Output(#[source] io::Error),
    /// The process has a log already.
    #[error("the log is set up already")]
    AlreadySet(#[source] SetGlobalDefaultError),
}

/// Sets up the log of the process. Lines that are held back or find no room count in `stats.log_lines_dropped`.
///
/// # Errors
/// When the process has a log already, or standard output cannot be used.
pub fn init(config: LogConfig, stats: Arc<Stats>) -> Result<LogGuard, InitError> {
    // A descriptor of our own: the lock of std's stdout would be held while a stalled reader blocks the log's thread.
    let output = io::stdout().as_fd().try_clone_to_owned().map_err(InitError::Output)?;
    let (writer, guard) = writer::queue(BufWriter::new(File::from(output)), Arc::clone(&stats));
    let style = match config.format {
        LogFormat::Json => Style::Json,
        LogFormat::Pretty => Style::Pretty { colour: io::stdout().is_terminal() },
    };
    let clock = Clock::system();
    let format = Format::new(style, clock.now());
    let lines = LineLayer { format, clock, flood: FloodLimit::default(), writer, stats };
    set_global_default(registry().with(layer::filter(config.level)).with(lines)).map_err(InitError::AlreadySet)?;
    log_panics();
    Ok(guard)
}

/// A panic ends one task, and is told as every other error is: in one line.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a task ended by a panic")));
}

#[cfg(test)]
mod tests;
