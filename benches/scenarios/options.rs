//! What a run is asked to do, by environment variables, as `make bench SCENARIO=... ROUNDS=... QUICK=1` sets them.

use std::env;

use anyhow::{Context, ensure};

use super::scenario::{SCENARIOS, Scenario};
use super::sizes::Sizes;

/// The options of a run.
pub struct Options {
    /// `SCENARIO`: names with commas between them; all when it is empty.
    pub scenarios: Vec<&'static Scenario>,
    /// `ROUNDS`: how often each server has its turn; 3.
    pub rounds: usize,
    /// `QUICK`: sizes that only show that everything works, unless it is empty or 0.
    pub sizes: Sizes,
}

impl Options {
    /// Reads the variables.
    ///
    /// # Errors
    /// When one cannot be understood; the text tells what can.
    pub fn read() -> anyhow::Result<Self> {
        let read = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let rounds = read("ROUNDS").map_or(Ok(3), |rounds| rounds.parse()).context("ROUNDS: a number")?;
        ensure!(rounds > 0, "ROUNDS: at least 1");
        let is_quick = read("QUICK").is_some_and(|value| value != "0");
        let scenarios = match read("SCENARIO") {
            Some(names) => names.split(',').map(find).collect::<Result<_, _>>()?,
            None => SCENARIOS.iter().collect(),
        };
        Ok(Self { scenarios, rounds, sizes: if is_quick { Sizes::QUICK } else { Sizes::FULL } })
    }
}

fn find(name: &str) -> anyhow::Result<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name).with_context(|| {
        let names: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        format!("SCENARIO: there is no {name}, but {}", names.join(", "))
    })
}
