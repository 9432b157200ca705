//! A file a subcommand.

pub mod bench;
pub mod cert;
pub mod client;
pub mod dev;
pub mod healthcheck;
pub mod publish;
pub mod tail;
pub mod token;
