//! A session whose packets are written down as they come, with the time that they take.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::driver::shown_briefly;
use super::target::Target;
use super::transcript::Port;
use crate::harness::dial::Stream;
use crate::harness::http::{Connection, PATIENCE};
use crate::harness::socket::refusal;

/// vrchats closes whom it does not know after 45 s.
const CLOSED_MAX: Duration = Duration::from_secs(120);

/// One Engine.IO session.
pub struct Session {
    pub sid: String,
    opened: Instant,
    transport: Transport,
}

enum Transport {
    Websocket(Box<WebSocketStream<Box<dyn Stream>>>),
    Polling(Connection),
}

async fn dial(target: &Target) -> Box<dyn Stream> {
    Box::new(target.dial(Port::Consumer, Ipv4Addr::LOCALHOST, false).await.expect("a handshake"))
}

async fn upgraded(
    target: &Target,
    query: &str,
    origin: Option<&str>,
) -> Result<WebSocketStream<Box<dyn Stream>>, Value> {
    let uri = format!("ws://{}/socket.io/?EIO=4&transport=websocket{query}", target.address(Port::Consumer));
    let mut request = uri.into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match client_async(request, dial(target).await).await {
        Ok((stream, _)) => Ok(stream),
        Err(Error::Http(answer)) => Err(shown_briefly(&refusal(&answer))),
        Err(error) => panic!("{error}"),
    }
}

impl Session {
    /// The session and its open packet, or the refusal.
    pub async fn websocket(target: &Target, query: &str, origin: Option<&str>) -> Result<(Self, Value), Value> {
        let stream = upgraded(target, query, origin).await?;
        let transport = Transport::Websocket(Box::new(stream));
        let mut session = Self { sid: String::new(), opened: Instant::now(), transport };
        let open = session.next().await.expect("an open packet");
        session.sid = sid_of(&open).expect("a session id");
        Ok((session, json!(without_sid(&open))))
    }

    /// The session and the answer with its open packet, or the refusal.
    pub async fn polling(target: &Target, query: &str, origin: Option<&str>) -> Result<(Self, Value), Value> {
        let mut connection = Connection::over(dial(target).await);
        let origin = origin.map(|origin| format!("\nOrigin: {origin}")).unwrap_or_default();
        let mut answer =
            connection.request(&format!("GET /socket.io/?EIO=4&transport=polling{query}{origin}"), "").await;
        let Some(sid) = sid_of(&answer.body) else { return Err(shown_briefly(&answer)) };
        answer.body = without_sid(&answer.body);
        Ok((Self { sid, opened: Instant::now(), transport: Transport::Polling(connection) }, shown_briefly(&answer)))
    }

    /// Sends a packet; over polling with the answer.
    pub async fn send(&mut self, packet: &str) -> Option<Value> {
        let head = format!("POST {}\nContent-Type: text/plain;charset=UTF-8", self.path());
        match &mut self.transport {
            Transport::Websocket(stream) => {
                let _ = stream.send(Message::text(packet)).await; // it may have been closed by then
                None
            }
            Transport::Polling(connection) => Some(shown_briefly(&connection.request(&head, packet).await)),
        }
    }

    /// The next packet that is no ping, or when the session was closed.
    pub async fn read(&mut self) -> Value {
        loop {
            match self.next().await {
                Ok(packet) if packet == "2" => {
                    self.send("3").await;
                }
                Ok(packet) => return json!(without_sid(&packet)),
                Err(closed) => return closed,
            }
        }
    }

    /// When the first ping came.
    pub async fn first_ping(&mut self) -> Value {
        match self.next().await {
            Ok(packet) if packet == "2" => json!({ "ping": self.time() }),
            Ok(packet) => json!(packet),
            Err(closed) => closed,
        }
    }

    /// All packets up to here: those before the answer to what both servers answer in order.
    pub async fn heard(&mut self) -> Value {
        self.send("40/end,").await;
        let mut heard = Vec::new();
        loop {
            let packet = self.read().await;
            if packet == r#"44/end,{"message":"Invalid namespace"}"# {
                return heard.into();
            }
            let closed = packet.is_object();
            heard.push(packet);
            if closed {
                return heard.into();
            }
        }
    }

    /// Moves from polling to a websocket, and answers what the probe is answered.
    pub async fn upgrade(&mut self, target: &Target) -> Value {
        let stream = match upgraded(target, &format!("&sid={}", self.sid), None).await {
            Ok(stream) => stream,
            Err(refusal) => return refusal,
        };
        let mut websocket = Box::new(stream);
        websocket.send(Message::text("2probe")).await.unwrap();
        let answer = timeout(PATIENCE, websocket.next()).await.expect("an answer").unwrap().unwrap();
        websocket.send(Message::text("5")).await.unwrap();
        self.transport = Transport::Websocket(websocket);
        json!(answer.to_text().unwrap())
    }

    fn path(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }

    /// How long the session has been open, as a class that a busy machine does not change.
    fn time(&self) -> &'static str {
        match self.opened.elapsed().as_secs() {
            0..5 => "at once",
            5..18 => "after 10 s",
            18..35 => "after 25 s",
            _ => "after 45 s",
        }
    }

    async fn next(&mut self) -> Result<String, Value> {
        let path = self.path();
        match &mut self.transport {
            Transport::Websocket(stream) => loop {
                match timeout(CLOSED_MAX, stream.next()).await.expect("a packet or a close in time") {
                    Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(json!({ "closed": self.time() })),
                    Some(Ok(_)) => {}
                }
            },
            Transport::Polling(connection) => {
                let answer = connection.request(&format!("GET {path}"), "").await;
                if answer.status != 200 {
                    return Err(shown_briefly(&answer));
                }
                Ok(without_pings(&answer.body))
            }
        }
    }
}

/// A payload without the pings beside its packets, which come at any time; one that is a ping alone stays.
pub fn without_pings(payload: &str) -> String {
    let packets: Vec<_> = payload.split('\u{1e}').filter(|packet| *packet != "2").collect();
    if packets.is_empty() { "2".to_owned() } else { packets.join("\u{1e}") }
}

fn sid_of(packet: &str) -> Option<String> {
    let (_, rest) = packet.split_once(r#""sid":""#)?;
    Some(rest.split('"').next()?.to_owned())
}

/// A packet with its session id blanked.
pub fn without_sid(packet: &str) -> String {
    sid_of(packet).map_or_else(|| packet.to_owned(), |sid| packet.replace(&sid, "SID"))
}
