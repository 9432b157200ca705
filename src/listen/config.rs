//! What the listeners need to know.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The settings of both ports.
#[derive(Clone, Debug)]
pub struct Config {
    /// `HOST`: the address both ports bind to. `::` takes IPv4 too.
    pub host: IpAddr,
    /// `HTTP_PORT`: the producer port. 0 takes a free one.
    pub producer_port: u16,
    /// `WEBSOCKET_PORT`: the consumer port. The same number as `producer_port`, unless 0, serves both on one port.
    pub consumer_port: u16,
    /// None with `TLS=0`: plain, behind a proxy that ends TLS.
    pub tls: Option<TlsConfig>,
    /// `CLIENT_WRITE_TIMEOUT_MS`: a socket that takes no byte for so long is closed (TCP_USER_TIMEOUT).
    pub write_timeout: Duration,
    /// Sockets of the consumer port; one more is accepted and closed.
    pub sockets_max: u64,
    /// Sockets of the producer port, so that strangers there cannot take every file from subscribers.
    pub publisher_sockets_max: u64,
}

/// Paths of PEM files, and who must show a client certificate.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// `PUB_KEY_PATH`: the certificate chain, leaf first.
    pub certificates: PathBuf,
    /// `PRIV_KEY_PATH`: the leaf's private key.
    pub private_key: PathBuf,
    /// `CA_PATH`: who signs client certificates; required when they are asked for.
    pub client_ca: Option<PathBuf>,
    /// `VERIFY_ORIGIN`: the ports that require a client certificate.
    pub client_certificates: ClientCertificates,
}

/// The ports that require a client certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificates {
    /// The producer port.
    pub producer: bool,
    /// The consumer port.
    pub consumer: bool,
}
