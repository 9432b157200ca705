//! The client's side of the wire, for the subcommands that speak to a gateway: HTTP/1.1 and Socket.IO, plain or in TLS.

pub(crate) mod backoff;
pub(crate) mod credential;
pub(crate) mod dial;
pub(crate) mod endpoint;
mod error;
pub(crate) mod http;
mod link;
pub(crate) mod packet;
mod polling;
pub(crate) mod session;
pub(crate) mod tls;

use std::fmt;
use std::io::{self, Write};

pub(crate) use credential::Credential;
pub(crate) use dial::Dialer;
pub(crate) use endpoint::Endpoint;
pub(crate) use error::Error;
pub(crate) use session::Session;

/// Writes a line to standard error. A closed standard error ends nothing, which `eprintln!` does not promise; but only
/// what is written by that can be kept out of the output of unit tests.
pub(crate) fn complain(line: impl fmt::Display) {
    if cfg!(test) {
        eprintln!("roomcast: {line}");
    } else {
        let _ = writeln!(io::stderr(), "roomcast: {line}");
    }
}

#[cfg(test)]
pub(crate) mod testing;
