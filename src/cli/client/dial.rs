//! From an endpoint to an open stream: resolve, connect, TLS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::{Endpoint, Error};

/// How long a TCP connect and a TLS handshake may take, each.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// A stream to a gateway, plain or in TLS.
pub(crate) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Opens streams to one endpoint, whose name it has resolved once.
#[derive(Clone)]
pub(crate) struct Dialer {
    endpoint: Arc<Endpoint>,
    addrs: Arc<[SocketAddr]>,
    tls: Option<TlsConnector>,
    source: Option<IpAddr>,
}

impl Dialer {
    /// Resolves the endpoint's name. `tls` is asked for when the endpoint speaks TLS, and only then.
    ///
    /// # Errors
    /// When the name has no address, or `tls` fails.
    pub(crate) async fn resolve(
        endpoint: Endpoint,
        tls: impl FnOnce() -> anyhow::Result<Arc<ClientConfig>>,
    ) -> anyhow::Result<Self> {
        let tls = if endpoint.tls { Some(TlsConnector::from(tls()?)) } else { None };
        let unresolved = |cause| Error::Resolve { host: endpoint.host.clone(), cause };
        let addrs: Vec<_> =
            tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port)).await.map_err(unresolved)?.collect();
        if addrs.is_empty() {
            return Err(unresolved(io::Error::new(io::ErrorKind::NotFound, "the name has no address")).into());
        }
        Ok(Self { endpoint: Arc::new(endpoint), addrs: addrs.into(), tls, source: None })
    }

    /// The endpoint that is dialled.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Keeps the one address that answers now, in TLS where it should, so that later dials try no other. Returns it.
    ///
    /// # Errors
    /// When none answers, or the TLS handshake fails.
    pub(crate) async fn pin(&mut self) -> Result<SocketAddr, Error> {
        let (tcp, addr) = self.connect().await?;
        self.secure(tcp).await?;
        self.addrs = Arc::new([addr]);
        Ok(addr)
    }

    /// The same dialer, from another of this machine's loopback addresses.
    pub(crate) fn with_source(&self, source: Ipv4Addr) -> Self {
        Self { source: Some(source.into()), ..self.clone() }
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// Names the step that failed.
    pub(crate) async fn dial(&self) -> Result<Stream, Error> {
        let (tcp, _) = self.connect().await?;
        self.secure(tcp).await
    }

    async fn secure(&self, tcp: TcpStream) -> Result<Stream, Error> {
        let Some(connector) = &self.tls else { return Ok(Either::Left(tcp)) };
        let failed = |cause| Error::Tls { host: self.endpoint.host.clone(), cause };
        let name = ServerName::try_from(self.endpoint.host.clone())
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let handshake = timeout(STEP_TIMEOUT, connector.connect(name, tcp)).await;
        let tls = handshake.map_err(|_| Error::Timeout { step: "the TLS handshake", limit: STEP_TIMEOUT })?;
        Ok(Either::Right(Box::new(tls.map_err(failed)?)))
    }

    async fn connect(&self) -> Result<(TcpStream, SocketAddr), Error> {
        let mut last = Error::Protocol("the name has no address");
        for &addr in self.addrs.iter() {
            match timeout(STEP_TIMEOUT, open(addr, self.source)).await {
                Ok(Ok(tcp)) => return Ok((tcp, addr)),
                Ok(Err(cause)) => last = Error::Connect { addr, cause },
                Err(_) => last = Error::Timeout { step: "the TCP connect", limit: STEP_TIMEOUT },
            }
        }
        Err(last)
    }
}

async fn open(addr: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(addr).await
}
