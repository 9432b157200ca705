//! A connected client, from its handshake to its close.

pub mod config;

pub use config::Config;
