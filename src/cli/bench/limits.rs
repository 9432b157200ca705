//! Whether the load fits into this process: open files and local ports.

use crate::cli::open_files::raise_open_files;

/// Files that are open besides the sockets: standard streams, libraries, epoll, the resolver.
const FILES_SPARE: u64 = 64;
/// Files that a thread of the generator opens for itself.
const FILES_PER_THREAD: u64 = 8;
/// Local ports of one address, unless the kernel says otherwise: 32768 to 60999.
const PORTS_DEFAULT: u64 = 28_232;

/// The load does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// Too few files.
    #[error(
        "{needed} open files are needed and {limit} are allowed: raise the hard limit (ulimit -Hn), or ask for at \
         most {subscribers} --subscribers"
    )]
    Files {
        /// How many the load opens.
        needed: u64,
        /// The hard limit.
        limit: u64,
        /// How many subscribers would fit.
        subscribers: u64,
    },
    /// Too few ports.
    #[error("one source address has {ports} local ports: connect from more with --sources {sources}")]
    Ports {
        /// Ports of an address.
        ports: u64,
        /// How many addresses are needed.
        sources: u64,
    },
}

/// Raises the soft limit of open files to the hard one, and checks that the load fits.
///
/// # Errors
/// When it does not, with what to do.
pub(crate) fn check(subscribers: u32, publishers: u32, sources: u32, threads: u32) -> Result<(), Unfit> {
    fits(subscribers, publishers, sources, threads, raise_open_files(), local_ports())
}

fn fits(
    subscribers: u32,
    publishers: u32,
    sources: u32,
    threads: u32,
    files: Option<u64>,
    ports: u64,
) -> Result<(), Unfit> {
    let subscribers = u64::from(subscribers);
    // A publisher has a socket and a timer.
    let others = 2 * u64::from(publishers) + FILES_PER_THREAD * u64::from(threads) + FILES_SPARE;
    if let Some(limit) = files.filter(|&files| files < subscribers + others) {
        return Err(Unfit::Files { needed: subscribers + others, limit, subscribers: limit.saturating_sub(others) });
    }
    if subscribers > ports * u64::from(sources) {
        return Err(Unfit::Ports { ports, sources: subscribers.div_ceil(ports) });
    }
    Ok(())
}

fn local_ports() -> u64 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
    range.and_then(|range| port_count(&range)).unwrap_or(PORTS_DEFAULT)
}

fn port_count(range: &str) -> Option<u64> {
    let mut bounds = range.split_ascii_whitespace().map(str::parse::<u64>);
    let (first, last) = (bounds.next()?.ok()?, bounds.next()?.ok()?);
    (first <= last).then(|| last - first + 1)
}

#[cfg(test)]
mod tests;
