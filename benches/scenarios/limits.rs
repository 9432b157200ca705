//! The limit of open files, which the servers inherit.

use anyhow::ensure;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that are open besides connections, at most.
const OTHERS: u64 = 100;

/// Raises the limit as far as the kernel lets us.
///
/// # Errors
/// When it does not suffice for so many connections.
pub fn raise_open_files(connections: usize) -> anyhow::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    let wanted = connections as u64 + OTHERS;
    let files = limit.maximum.unwrap_or(u64::MAX);
    ensure!(files >= wanted, "{connections} connections need {wanted} open files, and the hard limit is {files}");
    Ok(())
}
