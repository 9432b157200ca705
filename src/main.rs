//! The `roomcast` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(roomcast::cli::run(std::env::args_os()))
}
