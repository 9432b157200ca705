//! How much memory the process may use.

use std::fs;
use std::path::Path;

/// What is taken for the machine's memory if it does not say: 1 GiB.
const UNKNOWN: u64 = 1 << 30;

/// The machine's memory, or less where a control group of the process or one above it has a limit. `root` is where
/// `proc` and `sys` are.
pub(super) fn of_machine(root: &Path) -> u64 {
    let total = fs::read_to_string(root.join("proc/meminfo")).ok().and_then(|text| {
        let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        kibibytes.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    let total = total.map_or(UNKNOWN, |kibibytes| kibibytes.saturating_mul(1024));
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().filter_map(|line| limit(root, line));
    limits.fold(total, u64::min)
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
