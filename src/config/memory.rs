//! How much memory the process may use.

use std::fs;
use std::path::Path;

/// The memory of the machine that this process runs on, or less where a control group of the process or one above it has
/// a limit.
pub(super) fn here() -> u64 {
    // Not from /proc/meminfo, which a service does not see.
    let machine = rustix::system::sysinfo();
    let total = (machine.totalram as u64).saturating_mul(machine.mem_unit.into());
    total.min(group_limit(Path::new("/")))
}

/// The least limit of the groups that the process is in. `root` is where `proc` and `sys` are.
fn group_limit(root: &Path) -> u64 {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    groups.lines().filter_map(|line| limit(root, line)).min().unwrap_or(u64::MAX)
}

/// The least limit of a group and those above it: `0::/path` is of the unified hierarchy, `N:memory:/path` of the old one.
fn limit(root: &Path, line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let (mounted, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        "memory" => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return None,
    };
    let mounted = root.join(mounted);
    // In a container the path may be of the host, and only its last group is to be seen, as the root.
    let groups = Path::new(path.trim_start_matches('/')).ancestors().map(|group| mounted.join(group).join(file));
    groups.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests;
