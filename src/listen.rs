//! Sockets and TLS: from a bound address to a decrypted stream whose request head arrives in time.

pub mod config;

pub use config::{ClientCertificates, Config, TlsConfig};
