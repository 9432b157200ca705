//! What all connections of one port have in common.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use super::Tls;
use super::stream::Stream;
use crate::lifecycle::Lifecycle;
use crate::types::stats::{Gauge, GaugeGuard};
use crate::types::{Cause, Stats};

/// A peer that vanished without a word is noticed after this, plus the write timeout.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Whom a port is for, which decides when its connections end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Backends, whose requests are answered before subscribers are closed.
    Publishers,
    /// Browsers; on a shared port backends too.
    Subscribers,
}

/// One port, the same for every worker that listens on it.
#[derive(Clone, Debug)]
pub struct Port {
    /// Who comes to it.
    pub audience: Audience,
    /// None: plain.
    pub tls: Option<Tls>,
    /// A socket that takes no byte for so long is closed.
    pub write_timeout: Duration,
    /// Sockets that are open.
    pub sockets: Arc<Gauge>,
    /// Sockets that may be open; one more is accepted and closed.
    pub sockets_max: u64,
    /// What ends the port.
    pub lifecycle: Lifecycle,
    /// What the port counts.
    pub stats: Arc<Stats>,
}

impl Port {
    /// Counts one more socket, or says that there are too many.
    pub(super) fn admit(&self) -> Option<GaugeGuard> {
        let guard = self.sockets.try_enter(self.sockets_max);
        if guard.is_none() {
            self.stats.refusals(Cause::SocketsFull).inc();
            tracing::warn!(sockets = self.sockets_max, "too many sockets: a new one was closed");
        }
        guard
    }

    /// Sets the socket's options and shakes hands.
    pub(super) async fn secure(&self, socket: TcpStream) -> io::Result<Stream> {
        self.set_options(&socket)?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(socket)) };
        let handshake = tokio::select! {
            biased;
            () = self.lifecycle.stopping.cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
            handshake = tls.accept(socket) => handshake,
        };
        match handshake {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            Err(error) => {
                self.stats.refusals(Cause::TlsHandshake).inc();
                tracing::debug!(%error, "tls handshake failed");
                Err(error)
            }
        }
    }

    fn set_options(&self, socket: &TcpStream) -> io::Result<()> {
        // Without it the second flight of a TLS handshake waits 40 ms for a delayed acknowledgement.
        socket.set_nodelay(true)?;
        let socket = SockRef::from(socket);
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL))?;
        socket.set_tcp_user_timeout(Some(self.write_timeout))
    }
}
