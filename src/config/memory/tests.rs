//! A machine's memory, and the limits of control groups.

use super::*;

fn limit_of(files: &[(&str, &str)]) -> u64 {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    group_limit(root.path())
}

#[test]
fn without_a_limit_there_is_none() {
    assert_eq!(limit_of(&[]), u64::MAX);
    let unlimited = ("sys/fs/cgroup/a/memory.max", "max\n");
    assert_eq!(limit_of(&[("proc/self/cgroup", "0::/a\n"), unlimited]), u64::MAX);
    assert_eq!(limit_of(&[("proc/self/cgroup", "no group")]), u64::MAX);
}

#[test]
fn the_least_limit_on_the_way_up_counts() {
    let group = ("proc/self/cgroup", "0::/system.slice/roomcast.service\n");
    let own = ("sys/fs/cgroup/system.slice/roomcast.service/memory.max", "2147483648\n");
    let above = ("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
    let other = ("sys/fs/cgroup/user.slice/memory.max", "1\n");
    assert_eq!(limit_of(&[group, own, other]), 2 << 30);
    assert_eq!(limit_of(&[group, own, above]), 1 << 30);
    // A container sees its own group as the root.
    assert_eq!(limit_of(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "536870912")]), 512 << 20);
}

#[test]
fn the_old_hierarchy_counts_too() {
    let groups = ("proc/self/cgroup", "12:cpu,cpuacct:/a\n4:memory:/docker/1f\n0::/\n");
    let limit = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
    assert_eq!(limit_of(&[groups, limit]), 256 << 20);
}

#[test]
fn this_machine_has_as_much_as_it_says() {
    let text = fs::read_to_string("/proc/meminfo").unwrap();
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")).unwrap();
    let total = kibibytes.parse::<u64>().unwrap() << 10;
    assert_eq!(here(), total.min(group_limit(Path::new("/"))));
}
