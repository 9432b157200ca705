//! A connected client, from its handshake to its close: Engine.IO 4 and Socket.IO 5 sessions of our own.
//!
//! Each worker owns the sessions that were opened on it ([`SubscriberWorker`]); nothing of a session is shared between
//! threads. HTTP requests reach a session as commands to its worker, whichever worker accepted the connection; its id
//! tells which. Publications reach it through the hub's inbox of its worker.

pub mod application;
mod compress;
pub mod config;
mod cors;
mod engine_error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod handshake;
mod http;
#[doc(hidden)]
pub mod internals;
mod members;
mod outbox;
mod session;
mod session_id;
mod timers;
mod wire;
mod worker;

pub use application::Application;
pub use config::Config;
pub use http::{Body, SubscriberWorker, Subscribers, TakeBack};
pub use session::websocket::Link;
