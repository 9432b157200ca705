//! `make bench`: roomcast, the floor and the oracle in turn, each in a process of its own, under the same load.
//!
//! The servers run on one core and the load on another. A server is charged for the CPU time and the memory of its own
//! process. The table shows medians and the ratios to the floor; every sample is a line of JSON in target/bench. A sample
//! that loses an event, hears one again or too late, or is refused for good has a fault; the others are played all the same,
//! and the run fails at its end.

#![allow(unreachable_pub, reason = "a benchmark exports nothing")]
#![allow(clippy::indexing_slicing, reason = "a benchmark may end itself")]

mod certificate;
mod floor;
mod frame;
mod limits;
mod load;
mod options;
mod oracle;
mod pin;
mod record;
mod scenario;
mod server;
mod sizes;
mod table;
mod usage;

use std::path::Path;
use std::process::ExitCode;
use std::{env, io};

use anyhow::Context;

use options::Options;
use pin::Cores;
use record::{Record, Sample};
use scenario::{Scenario, Stage};
use server::{Kind, Starter};
use table::Table;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments {
        ["floor", producer, consumer, ref folder @ ..] => serve(floor::serve, producer, consumer, folder),
        ["oracle", producer, consumer, ref folder @ ..] => serve(oracle::serve, producer, consumer, folder),
        _ => run(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

type Serve = fn(std::net::SocketAddr, std::net::SocketAddr, Option<&Path>) -> anyhow::Result<()>;

/// Is a yardstick until it is killed.
fn serve(serve: Serve, producer: &str, consumer: &str, folder: &[&str]) -> anyhow::Result<bool> {
    serve(producer.parse()?, consumer.parse()?, folder.first().map(Path::new)).map(|()| true)
}

/// Plays all scenarios. False when anything went wrong with one of them.
fn run() -> anyhow::Result<bool> {
    let options = Options::read()?;
    limits::raise_open_files(options.sizes.large_crowd)?;
    let folder = tempfile::tempdir()?;
    certificate::make(folder.path())?;
    let starter = Starter::new(folder.path(), Cores::take()?)?;
    let mut record = Record::create(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench"))?;
    let mut samples = Vec::new();
    for scenario in &options.scenarios {
        for round in 0..options.rounds {
            for kind in scenario.servers {
                let sample = play(scenario, &Stage { starter: &starter, kind: *kind, sizes: options.sizes }, round);
                record.write(&sample, options.sizes.is_quick).context("target/bench")?;
                samples.push(sample);
            }
        }
    }
    println!("\n{}", Table(&samples));
    println!("samples: {}", record.path.display());
    if options.sizes.is_quick {
        println!("QUICK: these sizes only show that everything works; the figures say nothing");
    }
    Ok(report_faults(&samples))
}

fn play(scenario: &Scenario, stage: &Stage<'_>, round: usize) -> Sample {
    let start = std::time::Instant::now();
    let outcome = (scenario.play)(stage);
    let sample = Sample { scenario: scenario.name, kind: stage.kind, round, outcome };
    let word = if stage.kind == Kind::Oracle { "note" } else { "FAULT" };
    let fault = sample.fault().map_or(String::new(), |fault| format!("  {word}: {fault}"));
    let (name, kind, seconds) = (scenario.name, stage.kind.name(), start.elapsed().as_secs_f64());
    eprintln!("{name:<18} round {}  {kind:<6} {seconds:>5.1} s{fault}", round + 1);
    sample
}

/// Tells every fault once more, where it is not overlooked. Whether there was none: what the oracle loses is told and is no
/// fault of ours; a floor that loses something is no yardstick.
fn report_faults(samples: &[Sample]) -> bool {
    let mut is_good = true;
    for sample in samples {
        let Some(fault) = sample.fault() else { continue };
        let (name, round) = (sample.scenario, sample.round + 1);
        if sample.kind == Kind::Oracle {
            println!("the oracle, {name}, round {round}: {fault}");
        } else {
            println!("FAULT: {}, {name}, round {round}: {fault}", sample.kind.name());
            is_good = false;
        }
    }
    let _ = io::Write::flush(&mut io::stdout());
    is_good
}
