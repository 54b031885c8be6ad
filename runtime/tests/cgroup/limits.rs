//! Limits come to stand in the files of the kernel.

use plimsoll_runtime::cgroup::Version;

use crate::place::Room;

/// Sets one limit and expects a value, unless the host has no such controller.
fn expect(room: &Room, json: &str, v1: (&str, &str), v2: (&str, &str), values: [&str; 2]) {
    let Some((version, _)) = room.home(v1.0).or_else(|| room.home(v2.0)) else {
        return eprintln!("skipped: no controller {} for {json}", v1.0);
    };
    if room.read(v1, v2).is_none() {
        return eprintln!("skipped: this kernel has no file for {json}");
    }
    room.apply(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    let expected = values[usize::from(version == Version::V2)];
    assert_eq!(room.read(v1, v2).as_deref(), Some(expected), "{json}");
}

#[test]
fn limits_are_read_back() {
    let Some(room) = Room::make("limits") else { return };
    let pids = ("pids", "pids.max");
    expect(&room, r#"{"pids":{"limit":50}}"#, pids, pids, ["50"; 2]);
    expect(&room, r#"{"pids":{"limit":0}}"#, pids, pids, ["0"; 2]);
    expect(&room, r#"{"pids":{"limit":-1}}"#, pids, pids, ["max"; 2]);
    let memory = (("memory", "memory.limit_in_bytes"), ("memory", "memory.max"));
    expect(&room, r#"{"memory":{"limit":67108864}}"#, memory.0, memory.1, ["67108864"; 2]);
    let low = (("memory", "memory.soft_limit_in_bytes"), ("memory", "memory.low"));
    expect(&room, r#"{"memory":{"reservation":33554432}}"#, low.0, low.1, ["33554432"; 2]);
    let shares = (("cpu", "cpu.shares"), ("cpu", "cpu.weight"));
    expect(&room, r#"{"cpu":{"shares":1024}}"#, shares.0, shares.1, ["1024", "100"]);
    let quota = (("cpu", "cpu.cfs_quota_us"), ("cpu", "cpu.max"));
    expect(&room, r#"{"cpu":{"quota":20000,"period":50000}}"#, quota.0, quota.1, ["20000", "20000 50000"]);
    expect(&room, r#"{"cpu":{"period":10000}}"#, quota.0, quota.1, ["20000", "20000 10000"]);
    let burst = (("cpu", "cpu.cfs_burst_us"), ("cpu", "cpu.max.burst"));
    expect(&room, r#"{"cpu":{"quota":5000,"burst":1000}}"#, burst.0, burst.1, ["1000"; 2]);
    let idle = ("cpu", "cpu.idle");
    expect(&room, r#"{"cpu":{"idle":1}}"#, idle, idle, ["1"; 2]);
    expect(&room, r#"{"cpu":{"idle":0,"shares":512}}"#, idle, idle, ["0"; 2]);
    let cpus = ("cpuset", "cpuset.cpus");
    expect(&room, r#"{"cpu":{"cpus":"0","mems":"0"}}"#, cpus, cpus, ["0"; 2]);
    let io = (("blkio", "blkio.throttle.read_bps_device"), ("io", "io.max"));
    match std::fs::metadata("/dev/vda") {
        Ok(_) => {
            let json = r#"{"blockIO":{"throttleReadBpsDevice":[{"major":254,"minor":0,"rate":1048576}]}}"#;
            let v2 = "254:0 rbps=1048576 wbps=max riops=max wiops=max";
            expect(&room, json, io.0, io.1, ["254:0 1048576", v2]);
        }
        Err(_) => eprintln!("skipped: no block device to throttle"),
    }
}

#[test]
fn memory_and_swap_grow_and_shrink() {
    let Some(room) = Room::make("swap") else { return };
    let (v1, v2) = (("memory", "memory.memsw.limit_in_bytes"), ("memory", "memory.swap.max"));
    for (limit, swap, values) in
        [(8, 16, ["16777216", "8388608"]), (32, 64, ["67108864", "33554432"]), (4, 4, ["4194304", "0"])]
    {
        let json = format!(r#"{{"memory":{{"limit":{},"swap":{}}}}}"#, limit << 20, swap << 20);
        expect(&room, &json, v1, v2, values);
    }
}

#[test]
fn huge_pages_are_limited_in_both_counters() {
    let Some(room) = Room::make("huge") else { return };
    for kind in ["", ".rsvd"] {
        let (v1, v2) = (format!("hugetlb.2MB{kind}.limit_in_bytes"), format!("hugetlb.2MB{kind}.max"));
        let json = r#"{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]}"#;
        expect(&room, json, ("hugetlb", &v1), ("hugetlb", &v2), ["4194304"; 2]);
    }
}

#[test]
fn unified_files_need_version_2_and_their_controller() {
    let Some(room) = Room::make("unified") else { return };
    assert!(room.apply(r#"{"unified":{"nosuch.max":"1"}}"#).is_err());
    let depth = room.apply(r#"{"unified":{"cgroup.max.depth":"3"}}"#);
    match room.unified() {
        Some(dir) => {
            depth.unwrap();
            assert_eq!(std::fs::read_to_string(dir.join("cgroup.max.depth")).unwrap(), "3\n");
        }
        None => assert!(depth.unwrap_err().contains("version 2")),
    }
}

#[test]
fn what_version_2_lacks_is_refused_before_anything_is_written() {
    let Some(room) = Room::make("lacks") else { return };
    if room.host.legacy().next().is_some() {
        return eprintln!("skipped: this host has version 1");
    }
    let told = room.apply(r#"{"pids":{"limit":7},"network":{"classID":1}}"#).unwrap_err();
    assert!(told.contains("network.classID"), "{told}");
    assert_eq!(room.read(("pids", "pids.max"), ("pids", "pids.max")).as_deref(), Some("max"));
}
