//! A file a subcommand.

pub mod check;
pub mod settings;
