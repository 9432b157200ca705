//! The gateway as its users meet it: real sockets, the stock client, the `roomcast` command.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may end itself; clippy's own exception knows test functions, not what they call"
)]

mod admin;
mod bursts;
mod certificates;
mod clients;
mod cluster;
mod commands;
mod examples;
mod harness;
mod hostile;
mod legacy;
mod life;
mod limits;
mod logs;
mod loss;
mod migration;
mod notify;
mod parity;
mod protocol;
mod proxies;
mod publish;
mod replay;
mod start;
mod subscribe;
mod tls;
mod tokens;
mod transports;
mod vrchats;
