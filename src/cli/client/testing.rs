//! A gateway small enough for a unit test: it speaks Socket.IO over plain websockets, as its script tells it.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::{Dialer, Endpoint};

/// The open packet of a gateway that pings seldom.
pub(crate) const OPEN: &str =
    r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// A listener on a free port of this machine.
pub(crate) struct Gateway(TcpListener);

impl Gateway {
    /// Listens.
    pub(crate) async fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// A dialer to it.
    pub(crate) async fn dialer(&self) -> Dialer {
        let endpoint = Endpoint::local(false, "127.0.0.1", self.addr().port());
        Dialer::resolve(endpoint, || unreachable!("a plain endpoint needs no TLS")).await.unwrap()
    }

    /// The next TCP connection.
    pub(crate) async fn accept(&self) -> TcpStream {
        self.0.accept().await.unwrap().0
    }

    /// The next websocket, opened; returns its request's path and query too.
    pub(crate) async fn open(&self) -> (Peer, String) {
        Self::open_on(self.accept().await).await.unwrap()
    }

    /// A websocket on this connection, opened; none if the client asks for none.
    pub(crate) async fn open_on(tcp: TcpStream) -> Option<(Peer, String)> {
        let mut path = String::new();
        // The error's type, an answer, is the library's choice.
        #[allow(clippy::result_large_err)]
        let note = |request: &Request, response: Response| {
            path = request.uri().to_string();
            Ok(response)
        };
        let mut peer = Peer(accept_hdr_async(tcp, note).await.ok()?);
        peer.send(OPEN).await;
        Some((peer, path))
    }

    /// The next subscriber, connected; returns its CONNECT packet too.
    pub(crate) async fn subscriber(&self) -> (Peer, String) {
        let (mut peer, _) = self.open().await;
        let connect = peer.receive().await;
        peer.send(r#"40{"sid":"t"}"#).await;
        (peer, connect)
    }
}

/// The gateway's end of a websocket.
pub(crate) struct Peer(WebSocketStream<TcpStream>);

impl Peer {
    /// Sends a packet.
    pub(crate) async fn send(&mut self, packet: &str) {
        self.0.send(Message::text(packet)).await.unwrap();
    }

    /// The next packet; empty when the client closed.
    pub(crate) async fn receive(&mut self) -> String {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            _ => String::new(),
        }
    }

    /// Closes the websocket with a close frame.
    pub(crate) async fn close(mut self) {
        self.0.send(Message::Close(None)).await.unwrap();
    }
}
