//! The groups of a run and of a check, on whatever hierarchies this host has.

use std::os::unix::process::ExitStatusExt;

use super::*;
use crate::guard::testing::{TestGroup, waiting_child};

fn subtree_control() -> Vec<String> {
    let v2 = hierarchies().unwrap().into_iter().filter(|hierarchy| hierarchy.v2);
    v2.map(|hierarchy| fs::read_to_string(hierarchy.mount.join(SUBTREE)).unwrap()).collect()
}

#[test]
fn groups_are_made_limited_emptied_and_removed() {
    let before = subtree_control();
    let run = match RunGroups::make(&format!("plimsoll-runtest-{}", std::process::id()), None) {
        Ok(run) => run,
        Err(why) => return println!("skipped: {why}"),
    };
    let check = run.check("tag").unwrap();
    let dirs: Vec<PathBuf> = check.groups.iter().map(|group| group.dir.clone()).collect();
    assert_eq!(dirs.len(), hierarchies().unwrap().len());
    for dir in dirs.iter().filter(|dir| dir.join("pids.max").exists()) {
        assert_eq!(fs::read_to_string(dir.join("pids.max")).unwrap().trim(), "2048");
    }
    assert_eq!(check.reached(), Vec::<String>::new());
    dirs.iter().for_each(|dir| fs::create_dir_all(dir.join("foreign/deep")).unwrap());
    ends_what_is_in_it(&check);
    check.remove().unwrap();
    assert!(dirs.iter().all(|dir| !dir.exists() && dir.parent().unwrap().exists()));
    check.remove().unwrap();
    run.remove().unwrap();
    assert!(dirs.iter().all(|dir| !dir.parent().unwrap().exists()));
    assert_eq!(subtree_control(), before);
}

/// A frozen process in a group of a foreign name, in each hierarchy that freezes.
fn ends_what_is_in_it(check: &CheckGroups) {
    let freezes = |group: &&Group| group.v2 || group.dir.join("freezer.state").exists();
    for group in check.groups.iter().filter(freezes) {
        let deep = group.dir.join("foreign/deep");
        let mut child = waiting_child();
        fs::write(deep.join("cgroup.procs"), child.id().to_string()).unwrap();
        TestGroup::freeze(&deep);
        check.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
    }
}

#[test]
fn where_one_cannot_be_made_none_is_left() {
    let name = format!("plimsoll-nonetest-{}", std::process::id());
    let all = hierarchies().unwrap();
    let Some(last) = all.last().map(|hierarchy| hierarchy.mount.join(&name)) else { return };
    if let Err(why) = fs::create_dir(&last) {
        return println!("skipped: {}: {why}", last.display());
    }
    let why = RunGroups::make(&name, None).map(drop).unwrap_err().to_string();
    fs::remove_dir(&last).unwrap();
    assert!(why.contains("make the control group") && why.contains(&name), "{why}");
    assert!(all.iter().all(|hierarchy| !hierarchy.mount.join(&name).exists()));
}
