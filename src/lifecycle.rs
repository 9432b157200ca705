//! Signals, drain, and the only place that spawns a task or a thread.

pub mod config;

pub use config::Config;
