//! A file a subcommand, and here the choice between them.

pub mod bench;
pub mod cert;
pub mod check;
pub mod client;
pub mod dev;
pub mod healthcheck;
pub mod migrate_env;
mod open_files;
pub mod publish;
mod serve;
pub mod settings;
pub mod tail;
pub mod token;

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use chrono::Utc;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::config::{Machine, Sources};
use crate::types::Clock;

/// Exit code of success.
pub const EXIT_OK: u8 = 0;
/// Exit code when the start failed, or the command found a fault.
pub const EXIT_FAULT: u8 = 1;
/// Exit code of a bad configuration or command line (`EX_USAGE` of sysexits.h).
pub const EXIT_USAGE: u8 = 64;
/// Exit code when a drain was cut short (`EX_SOFTWARE` of sysexits.h).
pub const EXIT_FORCED: u8 = 70;

/// Runs the command that `arguments` ask for; without one, the gateway.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are errors to clap, but not to the caller.
            let code = if error.use_stderr() { EXIT_USAGE } else { EXIT_OK };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let code = dispatch(&matches).unwrap_or_else(|error| {
        eprintln!("roomcast: {error:#}");
        EXIT_FAULT
    });
    ExitCode::from(code)
}

/// All commands with their arguments, which the manual pages are made of too.
pub fn command() -> Command {
    let serve = Command::new("serve").about("Run the gateway; this is what `roomcast` alone does");
    settings::add_to(Command::new("roomcast"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .args_conflicts_with_subcommands(true)
        .subcommand(settings::add_to(serve))
        .subcommand(dev::Args::augment_args(Command::new("dev")))
        .subcommand(check::command())
        .subcommand(cert::Args::augment_args(Command::new("cert")))
        .subcommand(settings::add_env_file_to(token::Args::augment_args(Command::new("token"))))
        .subcommand(publish::Args::augment_args(Command::new("publish")))
        .subcommand(tail::Args::augment_args(Command::new("tail")))
        .subcommand(bench::Args::augment_args(Command::new("bench")))
        .subcommand(settings::add_env_file_to(healthcheck::Args::augment_args(Command::new("healthcheck"))))
        .subcommand(migrate_env::Args::augment_args(Command::new("migrate-env")))
}

fn dispatch(matches: &ArgMatches) -> anyhow::Result<u8> {
    let (mut input, mut out) = (io::stdin(), io::stdout());
    match matches.subcommand() {
        None => Ok(serve::run(&settings::sources(matches), None)),
        Some(("serve", matches)) => Ok(serve::run(&settings::sources(matches), None)),
        Some(("dev", matches)) => develop(&dev::Args::from_arg_matches(matches)?),
        Some(("check", matches)) => Ok(check::run(matches, &settings::sources(matches), &mut out)?),
        Some(("cert", matches)) => cert::run(&cert::Args::from_arg_matches(matches)?, Utc::now(), &mut out),
        Some(("token", matches)) => {
            let args = token::Args::from_arg_matches(matches)?;
            token::run(&args, Utc::now(), &settings::sources(matches), &mut input, &mut out)
        }
        Some(("publish", matches)) => block_on(publish::run(publish::Args::from_arg_matches(matches)?)),
        Some(("tail", matches)) => block_on(tail::run(tail::Args::from_arg_matches(matches)?)),
        Some(("bench", matches)) => block_on(bench::run(bench::Args::from_arg_matches(matches)?)),
        Some(("healthcheck", matches)) => {
            block_on(healthcheck::run(healthcheck::Args::from_arg_matches(matches)?, settings::sources(matches)))
        }
        Some(("migrate-env", matches)) => {
            migrate_env::run(&migrate_env::Args::from_arg_matches(matches)?, &mut input, &mut out, &mut io::stderr())
        }
        Some((other, _)) => anyhow::bail!("no command {other}"),
    }
}

fn develop(args: &dev::Args) -> anyhow::Result<u8> {
    if let Err(refusal) = dev::refuse_production(&|name| std::env::var(name).ok()) {
        eprintln!("roomcast: {refusal}");
        return Ok(EXIT_USAGE);
    }
    let clock = Clock::system();
    let dev = dev::Dev::prepare(args, Path::new("."), &clock)?;
    let sources = Sources {
        flags: Default::default(),
        environment: dev.settings(),
        env_file: None,
        default_env_file: None,
        machine: Machine::here(),
    };
    let extras = serve::Extras { demo: dev.demo_router(clock.clone()), banner: dev.banner(&clock) };
    Ok(serve::run(&sources, Some(extras)))
}

fn block_on(work: impl Future<Output = anyhow::Result<u8>>) -> anyhow::Result<u8> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
