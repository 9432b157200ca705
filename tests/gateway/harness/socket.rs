//! A raw Socket.IO subscriber over a websocket: packets as text, nothing hidden.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::http::PATIENCE;

/// One websocket.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    /// Opens a websocket to `path` with extra headers, as far as the Engine.IO open packet; or the HTTP error.
    pub async fn open(addr: SocketAddr, query: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let uri = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket{query}");
        let mut request = uri.into_client_request().unwrap();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let tcp = TcpStream::connect(addr).await.unwrap();
        match client_async(request, tcp).await {
            Ok((stream, _)) => {
                let mut socket = Self { stream };
                let open = socket.packet().await.expect("an open packet");
                assert!(open.starts_with("0{"), "{open}");
                Ok(socket)
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens, connects with `auth` and returns the socket with the answer to CONNECT.
    pub async fn connect(addr: SocketAddr, query: &str, auth: Value) -> (Self, String) {
        let mut socket = Self::open(addr, query, &[]).await.unwrap();
        socket.send(&format!("40{auth}")).await;
        let answer = socket.packet().await.unwrap_or_default();
        (socket, answer)
    }

    pub async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    pub async fn send_message(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// The next packet that is no ping; pings are answered. None when the gateway closed.
    pub async fn packet(&mut self) -> Option<String> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("no packet in time");
            match message {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => self.send("3").await,
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next event: its name and argument.
    pub async fn event(&mut self) -> (String, Value) {
        let packet = self.packet().await.expect("an event, not a close");
        let json = packet.strip_prefix("42").unwrap_or_else(|| panic!("no event: {packet}"));
        let Ok(Value::Array(mut items)) = serde_json::from_str(json) else { panic!("no array: {packet}") };
        let data = items.remove(1);
        (items.remove(0).as_str().unwrap().to_owned(), data)
    }
}
