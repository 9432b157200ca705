//! Sockets and TLS: from a bound address to a decrypted stream whose request head arrives in time.
//!
//! The consumer port has an accept loop of its own ([`serve_subscribers`]): a gateway of long-lived sockets must bound them,
//! shed what is too much and hand streams on to websockets. The producer port is served by axum-server
//! ([`serve_publishers`]).

mod bind;
pub mod config;
mod head;
mod port;
mod publishers;
mod stream;
mod subscribers;
mod tls;

pub use bind::bind;
pub use config::{ClientCertificates, Config, TlsConfig};
pub use head::{HEAD_TIMEOUT, Phase};
pub use port::Port;
pub use publishers::serve_publishers;
pub use subscribers::serve_subscribers;
pub use tls::{HANDSHAKE_TIMEOUT, Tls, TlsError};

/// Bytes of a request head; more is answered 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests;
