//! What a person at a terminal sees while a run goes on. Without a terminal nothing is drawn.

use std::fmt::Display;

use indicatif::{ProgressBar, ProgressStyle};

/// One bar on standard error, which the phases of a run share.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// An empty bar.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix:10} [{bar:32}] {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// Draws a phase's progress; `done` of `all`.
    pub(crate) fn show(&self, phase: &'static str, done: u64, all: u64, message: &dyn Display) {
        if self.0.is_hidden() {
            return;
        }
        self.0.set_prefix(phase);
        self.0.set_length(all);
        self.0.set_position(done.min(all));
        self.0.set_message(message.to_string());
    }

    /// Takes the bar away, so that the report stands alone.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
