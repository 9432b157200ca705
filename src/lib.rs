//! roomcast: a Socket.IO-compatible pub/sub gateway.
//!
//! Backends POST events to the producer port; roomcast multicasts each to a room on the consumer port, where browsers
//! listen with the stock socket.io client. Data flows one way:
//!
//! ```text
//! publisher:   listen -> admission -> producer -> publish -> hub -> subscriber's outbox -> wire
//! subscriber:  listen -> admission -> subscriber (joins the hub)
//! config, lifecycle, types: below everything.   ops: looks in from the side, nothing depends on it.
//! ```
//!
//! ARCHITECTURE.md tells what each module may import and what it never does.

pub mod admission;
pub mod app;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod hub;
pub mod lifecycle;
pub mod listen;
pub mod ops;
pub mod producer;
pub mod publish;
pub mod subscriber;
pub mod types;
