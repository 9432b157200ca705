//! What the system knows of this process. Where there is no /proc, its numbers are absent.

use std::fs;
use std::io;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// File descriptors that are open.
pub(super) fn open_fds() -> io::Result<u64> {
    // Since Linux 6.2 the directory's size is the count; to list a hundred thousand entries takes its time.
    let size = fs::metadata("/proc/self/fd")?.len();
    if size > 0 {
        return Ok(size);
    }
    // Without the one that reads the directory.
    Ok((fs::read_dir("/proc/self/fd")?.count() as u64).saturating_sub(1))
}

/// File descriptors that may be open: the soft limit. None when there is no limit.
pub(super) fn max_fds() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Memory that is in RAM, in bytes.
pub(super) fn resident_bytes() -> Option<u64> {
    parse_resident_bytes(&fs::read_to_string("/proc/self/status").ok()?)
}

/// Time that all threads have spent on a processor, user and system, in seconds.
pub(super) fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// The line `VmRSS:      1234 kB`.
fn parse_resident_bytes(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests;
