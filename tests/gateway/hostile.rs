//! Input that no honest client sends: each gets an exact answer or a close, reaches nobody, and leaves nothing behind.

mod http;
mod slow;
mod socketio;
mod websocket;

use crate::harness::Gateway;
use crate::harness::socket::Socket;

/// A gateway that lets everybody listen, with one honest subscriber.
async fn with_witness() -> (Gateway, Socket) {
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH", "0")]).await;
    let witness = gateway.subscribe("room-1").await;
    (gateway, witness)
}

/// Asserts that the gateway serves as before, that the witness heard nothing, and that no session is left.
async fn is_unharmed(gateway: &Gateway, mut witness: Socket) {
    let answer = gateway.ask_producer("GET /status", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    gateway.expect_silence(&mut witness, "room-1").await;
    drop(witness);
    gateway.emptied().await;
    gateway.until(|stats| stats.sockets.get() == 0).await;
}
