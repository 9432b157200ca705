//! What a process has used, as /proc tells: the server is charged for its own work, however fast the load is.

use std::fs;

use anyhow::Context;

/// CPU time since a process began, and its memory now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// User and system time of all its threads, in seconds; counted in hundredths.
    pub cpu_s: f64,
    /// Resident memory, in KiB.
    pub rss_kib: f64,
}

/// Reads the usage of a process.
///
/// # Errors
/// When it is not there.
pub fn usage(pid: u32) -> anyhow::Result<Usage> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
    let (stat, status) = (read("stat")?, read("status")?);
    let cpu_s = cpu_ticks(&stat).with_context(|| format!("/proc/{pid}/stat"))? as f64
        / rustix::param::clock_ticks_per_second() as f64;
    let rss_kib = rss_kib(&status).with_context(|| format!("/proc/{pid}/status: the server has ended"))?;
    Ok(Usage { cpu_s, rss_kib })
}

/// User and system time. The process's name, in parentheses, may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn rss_kib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim_end().parse().ok()
}
