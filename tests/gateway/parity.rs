//! Parity with vrchats, shown: each transcript is played against a gateway and compared with what vrchats was
//! seen to answer, or with the answer that the migration document explains.
//!
//! To hold the recordings against vrchats itself, put its sources and modules into /folder/0.13.2 (and 0.3.0, 0.4.0):
//! `ROOMCAST_PARITY_ORIGINAL=/folder cargo test --test gateway parity::`. What it answers otherwise is printed.

mod body;
mod document;
mod driver;
mod session;
mod target;
mod transcript;

use std::time::Duration;

use serde_json::json;

use driver::take;
use target::{Target, original};

/// A little more than the limiter's window of a second.
const A_WINDOW: Duration = Duration::from_millis(1_100);

/// How often a step is taken that depends on a window.
const ATTEMPTS: usize = 8;

/// Plays a transcript, and tells every step that was answered otherwise than it expects.
async fn play(name: &str) {
    let transcript = transcript::read(name);
    let target = Target::start(&transcript).await;
    let mut wrong = Vec::new();
    for step in &transcript.steps {
        if original().is_some() {
            // The limiter of vrchats cannot be turned off: a step begins in a window of its own.
            tokio::time::sleep(A_WINDOW).await;
        }
        let expected = match (&step.ours, original()) {
            (Some(ours), None) => ours,
            _ => &step.vrchats,
        };
        let mut answers = take(step, &target).await;
        for _ in 1..if step.timed { ATTEMPTS } else { 1 } {
            if answers == *expected {
                break;
            }
            tokio::time::sleep(A_WINDOW).await;
            answers = take(step, &target).await;
        }
        if answers != *expected {
            wrong.push(
                json!({ "file": name, "name": step.name, "expected": expected, "answered": answers }).to_string(),
            );
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}\n", wrong.join("\n"));
}

macro_rules! transcripts {
    ($($name:ident)*) => {
        /// The transcripts that have a test.
        const PLAYED: &[&str] = &[$(stringify!($name)),*];

        $(#[tokio::test]
        async fn $name() {
            play(stringify!($name)).await;
        })*
    };
}

transcripts! {
    producer
    any_target
    pattern_unset
    proxy
    proxy_cloudflare
    lists
    subscriber
    limiter
    clock
    clock_refused
    clock_ping
    clock_pong
    engine
    cors
    open_to_all
    auth_in_words
    client_certificates
    legacy_quirks
    legacy_publish_0_3
    legacy_publish_0_4
}
