//! A file a subcommand.

pub mod bench;
pub mod client;
pub mod healthcheck;
pub mod publish;
pub mod tail;
