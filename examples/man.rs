//! Writes the manual pages of all commands into the folder that the argument names: `cargo run --example man -- FOLDER`.

use std::io;
use std::path::PathBuf;

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or_else(|| io::Error::other("no folder is named"))?;
    clap_mangen::generate_to(roomcast::cli::command(), folder)
}
