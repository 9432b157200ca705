//! Signals, drain, and the only place that spawns a task or a thread.

pub mod config;
pub mod readiness;

pub use config::Config;
pub use readiness::{Phase, Readiness};
