//! The protocols' own suites, and the engine beside socketioxide's.
//!
//! `engine_io` and `socket_io` hold the cases of the published suites of Engine.IO 4 (25) and Socket.IO 5 (32), under the
//! names that they have there. Those run against a server whose application sends back what it hears, acknowledges it,
//! tells in an event `auth` what CONNECT carried, and has a namespace `/custom`. `conformance` holds all of the cases, as
//! they are, against the same engine with such an application. A gateway has none: it reads what clients send, and ignores
//! it. The cases that need one are these; each stands here with the nearest that a gateway does, and says so:
//!
//! - Messages that come back (Engine.IO: `message`, text and binary on both transports, and the last line of each upgrade;
//!   Socket.IO: "should send a plain-text packet", "should send a packet with binary attachments"): what the client sends
//!   is taken without harm, and what is published is received. Nothing that is published holds binary data, so no client
//!   is ever sent any.
//! - Acknowledgements ("should send a plain-text packet with an ack", "should send a packet with binary attachments and
//!   an ack"): they are read, and nobody acknowledges.
//! - The event `auth` (both connects to the main namespace): there is none; what comes next is what is published.
//! - `/custom` (both connects to a custom namespace, and the disconnect from one): it is answered like any namespace that is
//!   not there.

mod conformance;
mod differential;
mod engine_io;
mod oracle;
pub mod script;
mod socket_io;

use serde_json::{Value, json};

use crate::harness::Gateway;
use crate::harness::http::Answer;
use crate::harness::polling::Polling;
use crate::harness::websocket::Websocket;

/// As in the suites. A pong may take longer here: a busy machine is no dead client.
const SHORT_PINGS: [(&str, &str); 2] = [("WEBSOCKET_AUTH", "0"), ("PING_INTERVAL", "300")];

/// What makes a GET a websocket's handshake.
pub const UPGRADE: &str = "\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

const ROOM: &str = "&uniqueUserId=room-1";

/// A gateway that pings often, and lets everybody in.
async fn gateway() -> Gateway {
    Gateway::start(&SHORT_PINGS).await
}

/// One whose clients must answer a ping as soon as the suites say.
async fn impatient_gateway() -> Gateway {
    Gateway::start(&[SHORT_PINGS[0], SHORT_PINGS[1], ("PING_TIMEOUT", "200")]).await
}

/// One that does not ping while a test lasts.
async fn calm_gateway() -> Gateway {
    Gateway::start(&SHORT_PINGS[..1]).await
}

/// A session over polling that has not connected.
async fn polling(gateway: &Gateway) -> Polling {
    Polling::open(gateway.consumer(), ROOM).await.ok().unwrap().0
}

/// A session over polling that is connected, in room-1.
async fn polling_subscriber(gateway: &Gateway) -> Polling {
    let mut session = polling(gateway).await;
    assert!(session.authenticate(json!({})).await.starts_with("40{"));
    session
}

/// A session over a websocket that has not connected, and its open packet.
async fn websocket(gateway: &Gateway) -> (Websocket, Value) {
    let mut socket = Websocket::open(gateway.consumer(), ROOM).await.unwrap();
    let open = socket.next().await.unwrap();
    let open = serde_json::from_str(open.strip_prefix('0').expect("an open packet")).unwrap();
    (socket, open)
}

/// A session over a websocket that is connected, in room-1.
async fn subscriber(gateway: &Gateway) -> Websocket {
    let (mut socket, _) = websocket(gateway).await;
    socket.send("40").await;
    assert!(socket.packet().await.unwrap().starts_with("40{"));
    socket
}

/// A websocket that probed for a polling session.
async fn probed(gateway: &Gateway, session: &Polling) -> Websocket {
    let mut socket = Websocket::open(gateway.consumer(), &format!("&sid={}", session.sid)).await.unwrap();
    socket.send("2probe").await;
    assert_eq!(socket.packet().await.as_deref(), Some("3probe"));
    socket
}

/// The next answer to a poll that is more than a ping; pings are answered.
async fn poll(session: &mut Polling) -> Answer {
    loop {
        let answer = session.poll().await;
        if answer.body != "2" {
            return answer;
        }
        session.post("3").await;
    }
}

/// Polls, on connections of their own, until the websocket that chose to take over has done so.
async fn polls_until_refused(gateway: &Gateway, session: &Polling) {
    loop {
        let answer = gateway.ask_consumer(&format!("GET {}", session.path()), "").await;
        if answer.status == 400 {
            return;
        }
        assert!((answer.status, answer.body.as_str()) == (200, "6") || answer.body == "2", "{answer:?}");
    }
}

/// Asserts that the next thing the subscriber of room-1 hears is what is published now.
async fn hears(gateway: &Gateway, socket: &mut Websocket) {
    gateway.publish("room-1", &json!({ "now": true })).await;
    assert_eq!(socket.packet().await.as_deref(), Some(r#"42["room-1",{"now":true}]"#));
}
