//! The consumer's side on the wire: handshake, errors, CORS, the token, rooms, and what is ignored.

mod engine;
mod namespace;
mod origins;
mod rooms;
