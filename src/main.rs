//! The `roomcast` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    roomcast::cli::run(std::env::args_os())
}
