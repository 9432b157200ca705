//! A file a subcommand.

pub mod cert;
pub mod dev;
pub mod token;
