//! The layer: admits an event, turns it into a line, hands it to the writer.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use super::flood::FloodLimit;
use super::format::Format;
use crate::types::{Clock, Stats};

/// Writes every event that it sees as one line, unless its place in the code floods.
pub(super) struct LineLayer<W> {
    pub(super) format: Format,
    pub(super) clock: Clock,
    pub(super) flood: FloodLimit,
    pub(super) writer: W,
    pub(super) stats: Arc<Stats>,
}

impl<S, W> Layer<S> for LineLayer<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let Some(suppressed) = self.flood.admit(metadata.callsite(), *metadata.level(), Instant::now()) else {
            self.stats.log_lines_dropped.inc();
            return;
        };
        let line = self.format.line(event, self.clock.now(), suppressed);
        // A log that cannot be written has nobody to tell.
        let _ = self.writer.make_writer().write_all(line.as_bytes());
    }
}

/// Our own events at `level`. Of the libraries' no more than warnings at any level: what they tell below that may hold
/// headers, bodies and keys.
pub(super) fn filter(level: LevelFilter) -> Targets {
    Targets::new().with_target(env!("CARGO_CRATE_NAME"), level).with_default(level.min(LevelFilter::WARN))
}

#[cfg(test)]
mod tests;
