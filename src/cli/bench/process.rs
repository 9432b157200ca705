//! What the server's processes have used, as /proc tells.

use std::io;

/// CPU time since a process began, and its memory now; sums over several processes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// User and system time, in seconds.
    pub(crate) cpu_s: f64,
    /// Resident memory, in KiB.
    pub(crate) rss_kib: u64,
}

/// Reads the usage of `pids`.
///
/// # Errors
/// When one of them is not there.
pub(crate) fn usage(pids: &[u32]) -> io::Result<Usage> {
    let mut sum = Usage::default();
    for pid in pids {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}"));
        let unreadable = || io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid} cannot be read"));
        let ticks = cpu_ticks(&read("stat")?).ok_or_else(unreadable)?;
        sum.cpu_s += ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        sum.rss_kib += rss_kib(&read("status")?).ok_or_else(unreadable)?;
    }
    Ok(sum)
}

/// User and system time of a `stat` file. The process's name, in parentheses, may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory of a `status` file. A process that has ended has none.
fn rss_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests;
