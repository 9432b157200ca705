//! Whether the gateway takes work: starting, ready, draining, and never back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where the process stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Not all of the workers listen yet.
    Starting,
    /// The ports take work.
    Ready,
    /// The process is on its way out.
    Draining,
}

impl Phase {
    /// One lower-case word, for `/readyz` and the log.
    pub fn label(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
        }
    }
}

/// The phase of the process, shared by all who hold a clone.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicU8>);

impl Readiness {
    /// The ports take work. Without effect once the drain has begun.
    pub fn set_ready(&self) {
        self.advance(Phase::Ready);
    }

    /// The drain has begun.
    pub fn set_draining(&self) {
        self.advance(Phase::Draining);
    }

    /// The phase now.
    pub fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// A late "ready" must not undo a drain, so the phase only grows.
    fn advance(&self, phase: Phase) {
        self.0.fetch_max(phase as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
