//! Sockets and TLS: from a bound address to a decrypted stream whose request head arrives in time.
//!
//! Both ports have an accept loop of our own ([`serve_port`]): a gateway of long-lived sockets must bound them, shed what is
//! too much and hand streams on to websockets.

mod bind;
pub mod config;
mod head;
mod port;
mod raw;
mod serve;
mod stream;
mod tls;

pub use bind::bind;
pub use config::{ClientCertificates, Config, TlsConfig};
pub use head::{HEAD_TIMEOUT, Phase};
pub use port::{Audience, Port};
pub use raw::RawStream;
pub use serve::serve_port;
pub use tls::{HANDSHAKE_TIMEOUT, Tls, TlsError};

/// Bytes of a request head; more is answered 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests;
