//! A websocket of which everything is seen: pings too, and that it was closed.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::dial::dial;
use super::http::{Answer, PATIENCE};
use super::socket::refusal;

/// One websocket.
pub struct Websocket {
    stream: WebSocketStream<TcpStream>,
    /// That a close frame came, and the code in it.
    pub close_code: Option<Option<u16>>,
}

impl Websocket {
    /// Makes the handshake; or tells how it was refused.
    pub async fn open(addr: SocketAddr, query: &str) -> Result<Self, Answer> {
        Self::open_over(dial(addr).await, addr, query).await
    }

    /// The same over a stream of one's own.
    pub async fn open_over(stream: TcpStream, addr: SocketAddr, query: &str) -> Result<Self, Answer> {
        let uri = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket{query}");
        match client_async(uri, stream).await {
            Ok((stream, _)) => Ok(Self { stream, close_code: None }),
            Err(Error::Http(answer)) => Err(refusal(&answer)),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a message if the gateway takes it: it may have closed the connection by then.
    pub async fn send(&mut self, message: impl Into<Message>) {
        let _ = self.stream.send(message.into()).await;
    }

    /// The next packet; none when the gateway closed.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("no packet in time") {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(frame))) => {
                    self.close_code = Some(frame.map(|frame| frame.code.into()));
                    return None;
                }
                Some(Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next packet that is no ping; pings are answered. None when the gateway closed.
    pub async fn packet(&mut self) -> Option<String> {
        loop {
            let packet = self.next().await;
            if packet.as_deref() != Some("2") {
                return packet;
            }
            self.send("3").await;
        }
    }

    /// The next packet that is no ping, which must be binary; pings are answered.
    pub async fn binary(&mut self) -> Vec<u8> {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("no packet in time") {
                Some(Ok(Message::Binary(bytes))) => return bytes.to_vec(),
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => self.send("3").await,
                other => panic!("no binary packet: {other:?}"),
            }
        }
    }

    /// Waits until the gateway has closed, without answering a ping.
    pub async fn closed(&mut self) {
        while self.next().await.is_some() {}
    }
}
