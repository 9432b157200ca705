//! A machine's memory, and the limits of control groups.

use super::*;

fn machine(files: &[(&str, &str)]) -> u64 {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    of_machine(root.path())
}

const TOTAL: (&str, &str) = ("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:         9000 kB\n");

#[test]
fn without_a_limit_it_is_all_that_there_is() {
    assert_eq!(machine(&[TOTAL]), 16_000_000 << 10);
    let unlimited = ("sys/fs/cgroup/a/memory.max", "max\n");
    assert_eq!(machine(&[TOTAL, ("proc/self/cgroup", "0::/a\n"), unlimited]), 16_000_000 << 10);
    assert_eq!(machine(&[]), UNKNOWN);
    assert_eq!(machine(&[("proc/meminfo", "MemTotal: much kB")]), UNKNOWN);
}

#[test]
fn the_least_limit_on_the_way_up_counts() {
    let group = ("proc/self/cgroup", "0::/system.slice/roomcast.service\n");
    let own = ("sys/fs/cgroup/system.slice/roomcast.service/memory.max", "2147483648\n");
    let above = ("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
    let other = ("sys/fs/cgroup/user.slice/memory.max", "1\n");
    assert_eq!(machine(&[TOTAL, group, own, other]), 2 << 30);
    assert_eq!(machine(&[TOTAL, group, own, above]), 1 << 30);
    // A container sees its own group as the root.
    assert_eq!(machine(&[TOTAL, ("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "536870912")]), 512 << 20);
}

#[test]
fn the_old_hierarchy_counts_too() {
    let groups = ("proc/self/cgroup", "12:cpu,cpuacct:/a\n4:memory:/docker/1f\n0::/\n");
    let limit = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
    assert_eq!(machine(&[TOTAL, groups, limit]), 256 << 20);
    let unlimited = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_eq!(machine(&[TOTAL, groups, unlimited]), 16_000_000 << 10);
}

#[test]
fn this_machine_has_some() {
    assert!(of_machine(Path::new("/")) > 64 << 20);
}
