//! What must hold of whatever a client sends. Each function takes what a fuzzer made up, and panics where it does not hold;
//! the targets in `fuzz` call them, and the tests play them the inputs that are kept there.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what does not hold must end the fuzzer"
)]

mod frames;
mod packets;
mod request;

pub use super::worker::tests::model::session;
pub use frames::websocket_frames;
pub use packets::{engine_packet, polling_payload, socket_packet};
pub use request::query;

#[cfg(test)]
mod tests;
