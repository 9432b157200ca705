//! Both suites as they are, against the same engine with the application that they want.
//!
//! `transport` holds what both ask alike: 13 cases. Where a case does not test the heartbeat, a pong may take long: a busy
//! machine is no dead client.

mod beyond;
mod engine_io;
mod socket_io;
mod transport;

use std::time::Duration;

use roomcast::subscriber::application::{Answers, Application, Event, Message};
use serde_json::value::RawValue;

use super::{Polling, UPGRADE, Websocket, polling, polls_until_refused, probed, websocket};
use crate::harness::Gateway;

/// No case that connects, or need not, takes as long.
const LONG: Duration = Duration::from_secs(60);

/// How a server sends pings.
#[derive(Clone, Copy)]
enum Pings {
    /// As the suites want it: every 300 ms, with 200 ms for the pong.
    AsPublished,
    /// As often, with all the time for the pong.
    Often,
    /// None while a test lasts.
    None,
}

impl Pings {
    fn settings(self) -> Vec<(&'static str, &'static str)> {
        let (interval, timeout) = match self {
            Self::AsPublished => ("300", "200"),
            Self::Often => ("300", "60000"),
            Self::None => ("60000", "60000"),
        };
        vec![("WEBSOCKET_AUTH", "0"), ("PING_INTERVAL", interval), ("PING_TIMEOUT", timeout)]
    }
}

/// Sends every Engine.IO message back.
struct Echo;

impl Application for Echo {
    fn take_message(&self, message: Message<'_>, answers: &mut Answers<'_>) -> bool {
        answers.send(message);
        true
    }
}

/// Sends events back, acknowledges them, and tells who connects what its CONNECT carried; here and in `/custom`.
struct Talker;

impl Application for Talker {
    fn namespaces(&self) -> &'static [&'static str] {
        &["/custom"]
    }

    fn greet(&self, _: &str, auth: Option<&RawValue>, answers: &mut Answers<'_>) {
        let nothing = RawValue::from_string("{}".to_owned()).unwrap();
        answers.emit("auth", &[auth.unwrap_or(&nothing)], &[]);
    }

    fn listens_to(&self, _: &str, event: &str) -> bool {
        matches!(event, "message" | "message-with-ack")
    }

    fn hear(&self, event: &Event<'_>, answers: &mut Answers<'_>) {
        match event.name {
            "message" => answers.emit("message-back", event.arguments, event.attachments),
            _ => answers.acknowledge(event.arguments, event.attachments),
        }
    }
}

/// A server for Engine.IO's suite.
async fn echo(pings: Pings) -> Gateway {
    Gateway::start_hearing(Echo, LONG, &pings.settings()).await
}

/// A server for Socket.IO's suite.
async fn talker(pings: Pings) -> Gateway {
    Gateway::start_hearing(Talker, LONG, &pings.settings()).await
}

/// A websocket that is connected, and was told so.
async fn connected(server: &Gateway) -> Websocket {
    let (mut socket, _) = websocket(server).await;
    socket.send("40").await;
    assert!(socket.packet().await.unwrap().starts_with("40{"));
    assert_eq!(socket.packet().await.as_deref(), Some(r#"42["auth",{}]"#));
    socket
}
