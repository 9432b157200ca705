//! The HTTPS API for publishers: routes, request shapes, and the one place where their errors become HTTP.

pub mod config;

pub use config::Config;
