//! A connected client, from its handshake to its close.
//!
//! The Socket.IO engine is one socketioxide instance that all workers share, so a polling session may be served by
//! any of them. It is named in this folder only: the rest of the house knows [`Subscribers`], the hub's fan-out, and
//! the admission trait that a subscriber calls.

mod compress;
pub mod config;
mod connect;
mod cors;
mod engine;
mod engine_error;
mod handshake;
mod http;

pub use config::Config;
pub use engine::Engine;
pub use http::{Body, Subscribers};
