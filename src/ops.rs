//! Looks in from the side: health, metrics, logs. Nothing depends on it.

pub mod admin;
pub mod config;
pub mod logs;
pub mod metrics;

pub use admin::Admin;
pub use config::{Config, LogConfig, LogFormat};
pub use logs::LogGuard;
pub use metrics::Metrics;
