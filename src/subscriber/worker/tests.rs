//! Workers, their sessions and the hub together, in virtual time: real frames over pipes, no network.

mod client;
mod defects;
mod fan_out;
mod model;
mod node;
mod queues;
mod timeouts;
mod upgrades;

use super::Config;
use client::{Client, Heard};
use node::{Node, config, in_virtual_time, settle};
