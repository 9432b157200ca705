//! Seeded scripts of everything that can happen, and the contract: each session that was joined when an event was
//! published hears it once and in order, or is closed for a counted reason; nobody else hears it.
//!
//! `ROOMCAST_MODEL_SEEDS=N` runs so many scripts; `ROOMCAST_MODEL_SEED=N` runs that one alone, and shows its steps.

mod oracle;
mod script;
mod written;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use super::*;
use oracle::Oracle;
use script::Script;

/// Scripts that are always run.
const SEEDS: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// What a client or the clock does in the script that `input` spells out keeps the contract, whatever clients send besides.
pub fn session(input: &[u8]) {
    let script = Script::read(input);
    in_virtual_time(Oracle::play(&script));
}

/// Runs the script of a seed; a failure is told together with it.
fn run(seed: u64) {
    let script = Script::new(seed);
    let result = catch_unwind(AssertUnwindSafe(|| in_virtual_time(Oracle::play(&script))));
    if let Err(failure) = result {
        eprintln!("{script}replay with ROOMCAST_MODEL_SEED={seed}");
        resume_unwind(failure);
    }
}

#[test]
fn every_event_is_heard_once_and_in_order_or_the_session_is_closed() {
    if let Some(seed) = number("ROOMCAST_MODEL_SEED") {
        eprint!("{}", Script::new(seed));
        return run(seed);
    }
    let seeds = number("ROOMCAST_MODEL_SEEDS").unwrap_or(SEEDS);
    let mut told = Instant::now();
    for seed in 0..seeds {
        run(seed);
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            eprintln!("{seed} of {seeds} scripts");
        }
    }
}
