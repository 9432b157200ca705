//! Workers, their sessions and the hub together, in virtual time: real frames over pipes, no network.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end itself"
)]
#![cfg_attr(not(test), allow(dead_code, unused_imports, reason = "a fuzz target plays the model alone"))]

#[cfg(test)]
mod budget;
mod client;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod fan_out;
pub(in crate::subscriber) mod model;
mod node;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod timeouts;
#[cfg(test)]
mod upgrades;

use super::Config;
use client::{Client, Heard};
use node::{Node, config, in_virtual_time, settle};
