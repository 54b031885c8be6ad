//! Processes stop, go on, are counted and die with their cgroup.

use std::fs;
use std::time::Duration;

use plimsoll_runtime::cgroup::{self, Mounts, Oom, Place, Request, Site};
use rustix::process::Pid;

use crate::member::MemberProcess;
use crate::place::Room;

#[test]
fn processes_are_listed_stopped_and_killed() {
    let Some(room) = Room::make("life") else { return };
    let mut member = MemberProcess::start(&*room.cgroup, room.unified().as_deref());
    assert_eq!(room.cgroup.processes().unwrap(), [Pid::from_raw(member.pid()).unwrap()]);
    assert!(!room.cgroup.is_frozen().unwrap());
    room.cgroup.freeze(true).unwrap();
    assert!(room.cgroup.is_frozen().unwrap());
    room.cgroup.freeze(false).unwrap();
    assert_eq!(member.tell("open /dev/null"), "ok");
    room.cgroup.freeze(true).unwrap();
    room.cgroup.kill().unwrap();
    assert_eq!(member.died_of(), Some(libc::SIGKILL));
    assert!(room.cgroup.processes().unwrap().is_empty());
}

#[test]
fn a_process_is_found_in_cgroups_below() {
    let Some(room) = Room::make("below") else { return };
    let member = MemberProcess::start(&*room.cgroup, room.unified().as_deref());
    for hierarchy in &room.host.hierarchies {
        let below = hierarchy.dir(&room.path).join("below");
        fs::create_dir(&below).unwrap();
        if hierarchy.has("cpuset") {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                fs::write(below.join(file), fs::read(below.join("..").join(file)).unwrap()).unwrap();
            }
        }
        fs::write(below.join("cgroup.procs"), member.pid().to_string()).unwrap();
    }
    assert_eq!(room.cgroup.processes().unwrap(), [Pid::from_raw(member.pid()).unwrap()]);
}

#[test]
fn statistics_see_the_process() {
    let Some(room) = Room::make("stats") else { return };
    let mut member = MemberProcess::start(&*room.cgroup, room.unified().as_deref());
    assert_eq!(member.tell("fill 8388608"), "1");
    let stats = room.cgroup.stats().unwrap();
    if room.home("pids").is_some() {
        assert!(stats.pids.current >= 1, "{stats:?}");
    }
    if room.home("memory").is_some() {
        assert!(stats.memory.usage.usage >= 8 << 20, "{stats:?}");
        assert!(stats.memory.raw.len() > 10, "{stats:?}");
    }
    if room.home("cpuacct").or_else(|| room.home("cpu")).is_some() {
        assert!(stats.cpu.usage.total > 0, "{stats:?}");
    }
}

#[test]
fn the_end_of_memory_is_an_event() {
    let Some(room) = Room::make("oom") else { return };
    if room.home("memory").is_none() {
        return eprintln!("skipped: no memory controller");
    }
    room.apply(r#"{"memory":{"limit":16777216}}"#).unwrap();
    if room.apply(r#"{"memory":{"swap":16777216,"limit":16777216}}"#).is_err() {
        eprintln!("swap is not accounted here");
    }
    let mut events = room.cgroup.oom_events().unwrap();
    let mut member = MemberProcess::start(&*room.cgroup, room.unified().as_deref());
    assert_eq!(events.wait(Duration::ZERO).unwrap(), Oom::Quiet);
    assert_eq!(member.tell("fill 33554432"), "");
    assert_eq!(events.wait(Duration::from_secs(10)).unwrap(), Oom::Happened);
    assert_eq!(member.died_of(), Some(libc::SIGKILL));
}

#[test]
fn what_was_there_before_stays() {
    let Some(room) = Room::make("before") else { return };
    let request = Request { id: "x", cgroups_path: Some(&room.path), systemd: false, rootless: false };
    let site = Site::survey(Place::choose(request, &room.host).unwrap(), &room.host);
    assert!(site.made.is_empty(), "{site:?}");
    let guest = cgroup::open(&site, &room.host).unwrap();
    guest.make().unwrap();
    guest.remove().unwrap();
    assert!(room.host.hierarchies.iter().all(|hierarchy| hierarchy.dir(&room.path).exists()));
}

#[test]
fn a_mount_shows_the_containers_own_cgroup() {
    let Some(room) = Room::make("mounts") else { return };
    match room.cgroup.mounts() {
        Mounts::Unified(source) => assert_eq!(Some(source), room.unified()),
        Mounts::Legacy { binds, .. } => {
            assert_eq!(binds.len(), room.host.hierarchies.len());
            assert!(binds.iter().all(|bind| bind.source.is_dir()));
        }
    }
}
