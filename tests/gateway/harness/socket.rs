//! A raw Socket.IO subscriber over a websocket: packets as text, nothing hidden.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::dial::{Stream, dial};
use super::http::{Answer, PATIENCE};

/// One websocket.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Stream>>,
}

impl Socket {
    /// Opens a websocket to `path` with extra headers, as far as the Engine.IO open packet; or the HTTP error.
    pub async fn open(addr: SocketAddr, query: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        Self::open_over(dial(addr).await, addr, query, headers).await.map_err(|answer| answer.status)
    }

    /// As [`Socket::open`] over a stream of one's own, with the whole answer of a refusal.
    pub async fn open_over(
        stream: impl Stream + 'static,
        addr: SocketAddr,
        query: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, Answer> {
        let uri = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket{query}");
        let mut request = uri.into_client_request().unwrap();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let stream: Box<dyn Stream> = Box::new(stream);
        match client_async(request, stream).await {
            Ok((stream, _)) => {
                let mut socket = Self { stream };
                let open = socket.packet().await.expect("an open packet");
                assert!(open.starts_with("0{"), "{open}");
                Ok(socket)
            }
            Err(Error::Http(answer)) => Err(refusal(&answer)),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens, connects with `auth` and returns the socket with the answer to CONNECT.
    pub async fn connect(addr: SocketAddr, query: &str, auth: Value) -> (Self, String) {
        let mut socket = Self::open(addr, query, &[]).await.unwrap();
        let answer = socket.authenticate(auth).await;
        (socket, answer)
    }

    /// Connects with `auth` and returns the answer.
    pub async fn authenticate(&mut self, auth: Value) -> String {
        self.send(&format!("40{auth}")).await;
        self.packet().await.unwrap_or_default()
    }

    pub async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// Sends a message if the gateway takes it: it may have closed the connection by then.
    pub async fn send_what_is_taken(&mut self, message: Message) {
        let _ = self.stream.send(message).await;
    }

    /// The next packet that is no ping; pings are answered. None when the gateway closed, by packet or without.
    pub async fn packet(&mut self) -> Option<String> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("no packet in time");
            match message {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => {
                    self.send_what_is_taken(Message::text("3")).await;
                }
                Some(Ok(Message::Text(text))) if text.as_str() == "1" => return None,
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

/// The answer that was not an upgrade.
pub fn refusal(answer: &http::Response<Option<Vec<u8>>>) -> Answer {
    let headers = answer.headers().iter();
    Answer {
        status: answer.status().as_u16(),
        headers: headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect(),
        body: String::from_utf8(answer.body().clone().unwrap_or_default()).unwrap(),
    }
}
