//! The pipeline of a publication: check the target, keep the payload's bytes, hand it to the hub.

pub mod config;

pub use config::Config;
