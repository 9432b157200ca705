//! Looks in from the side: health, metrics, logs. Nothing depends on it.

pub mod config;

pub use config::{Config, LogConfig, LogFormat};
