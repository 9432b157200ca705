//! Input that no honest client sends: each gets an exact answer or a close, reaches nobody, and leaves nothing behind.

mod http;
pub(crate) mod http_lists;
mod lists;
mod slow;
mod socketio;
mod upgrade;
mod websocket;

use crate::harness::Gateway;
use crate::harness::http::Connection;
use crate::harness::socket::Socket;

/// A gateway that lets everybody listen, with one honest subscriber.
pub(crate) async fn with_witness() -> (Gateway, Socket) {
    let gateway = Gateway::start(&[("WEBSOCKET_AUTH", "0")]).await;
    let witness = gateway.subscribe("room-1").await;
    (gateway, witness)
}

/// Asserts that the gateway serves as before, that the witness heard nothing, and that no session is left.
pub(crate) async fn is_unharmed(gateway: &Gateway, mut witness: Socket) {
    let answer = gateway.ask_producer("GET /status", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK"));
    gateway.expect_silence(&mut witness, "room-1").await;
    drop(witness);
    gateway.emptied().await;
    gateway.until(|stats| stats.sockets.get() == 0).await;
}

/// A frame as a client sends it, with a mask of zeros; `first` is its first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = match payload.len() {
        short @ ..126 => vec![0x80 | u8::try_from(short).unwrap()],
        medium @ ..65_536 => [&[0xfe], u16::try_from(medium).unwrap().to_be_bytes().as_slice()].concat(),
        long => [&[0xff], u64::try_from(long).unwrap().to_be_bytes().as_slice()].concat(),
    };
    [&[first], length.as_slice(), &[0; 4], payload].concat()
}

/// The next frame: its first byte and its payload. None when the connection is closed.
pub(crate) async fn next(connection: &mut Connection) -> Option<(u8, Vec<u8>)> {
    let head = connection.bytes(2).await?;
    Some((head[0], connection.bytes((head[1] & 0x7f).into()).await?))
}
