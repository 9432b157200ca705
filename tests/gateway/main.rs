//! The gateway as its users meet it: real sockets, the stock client, the `roomcast` command.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]
#![allow(dead_code, reason = "to be removed once every part of the harness is used")]

mod admin;
mod commands;
mod harness;
mod life;
mod logs;
mod start;
mod transports;
