//! A dead run with everything that a run can leave, in its own namespaces; see [`crate::guard::testing`].

use super::*;
use crate::guard::testing::{TestGroup, in_private_namespaces, refuse_outside, waiting_child};

use nix::mount::{MsFlags, mount};

/// A run whose owner has just ended. Its start is far from now, so that no other test has the same.
fn dead_run(salt: u64) -> RunId {
    let mut child = waiting_child();
    let start = Stat::of(Pid::from_raw(child.id().cast_signed())).unwrap().unwrap().start;
    child.kill().unwrap();
    child.wait().unwrap();
    let namespace = RunId::of_self().unwrap().to_string().rsplit_once('-').unwrap().1.to_owned();
    format!("{:x}-{:x}-{namespace}", child.id(), start + (salt << 40)).parse().unwrap()
}

#[test]
fn leftovers_of_a_dead_run_go_and_those_of_a_living_one_stay() {
    in_private_namespaces("sandbox::clean::tests::inside_leftovers_of_a_dead_run_go");
}

#[test]
#[ignore = "run by leftovers_of_a_dead_run_go_and_those_of_a_living_one_stay"]
fn inside_leftovers_of_a_dead_run_go() {
    refuse_outside();
    let salt = std::time::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64 & 0xff_ffff;
    let (dead, living) = (dead_run(salt), RunId::of_self().unwrap());
    let dirs = [&dead, &living].map(|run| std::env::temp_dir().join(run.name()));
    dirs.iter().for_each(|dir| fs::create_dir(dir).unwrap());
    let none: Option<&str> = None;
    mount(Some("left"), &dirs[0], Some("tmpfs"), MsFlags::empty(), none).unwrap();
    fs::create_dir(dirs[0].join("deep")).unwrap();
    mount(Some("left"), &dirs[0].join("deep"), Some("tmpfs"), MsFlags::empty(), none).unwrap();
    let group = TestGroup::new(&dead.name());
    let mut child = waiting_child();
    if let Some(group) = &group {
        let inner = group.0.join("container");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("cgroup.procs"), child.id().to_string()).unwrap();
        TestGroup::freeze(&inner);
    }
    let runs = find().unwrap().dead;
    assert!(runs.contains(&dead) && !runs.contains(&living), "{runs:?}");

    let report = clean_runs(vec![dead], true).unwrap();
    assert_eq!((report.mounts.len(), report.directories.as_slice()), (2, &dirs[..1]));
    assert!(dirs[0].join("deep").exists());
    if let Some(group) = &group {
        assert_eq!(report.cgroups, std::slice::from_ref(&group.0));
        assert_eq!(report.processes, [format!("{} /bin/cat", child.id())]);
    }
    assert_eq!(clean_runs(vec![dead], false).unwrap(), report);

    assert!(!dirs[0].exists() && dirs[1].exists());
    assert!(!find().unwrap().dead.contains(&dead));
    match group {
        Some(group) => assert!(!group.0.exists()),
        None => child.kill().unwrap(),
    }
    assert_eq!(child.wait().unwrap().code(), None);
    fs::remove_dir(&dirs[1]).unwrap();
}
