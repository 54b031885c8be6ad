//! Tests of the parsers on each layout of hosts, and of this process.

use super::*;
use crate::guard::testing::{TestGroup, in_private_namespaces, refuse_outside};
use crate::system::saved_mounts;

const V1_MOUNTS: &str = "\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
";
const UNIFIED: &str = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";
const V1_LINES: &str = "3:cpu,cpuacct:/a\n2:memory:/a/b:c\n1:name=systemd:/\n0::/u\n";

fn mounts(text: &str) -> Vec<Mount> {
    mountinfo::parse(text).unwrap()
}

fn dirs(mount_text: &str, lines: &str) -> Vec<Option<String>> {
    let found = memberships_in(&mounts(mount_text), lines).unwrap();
    found.into_iter().map(|membership| membership.dir.map(|dir| dir.display().to_string())).collect()
}

#[test]
fn a_hybrid_host() {
    let found = hierarchies_in(&mounts(&format!("{V1_MOUNTS}{UNIFIED}")), V1_LINES).unwrap();
    assert_eq!(found.len(), 4);
    assert_eq!((found[0].controllers.clone(), found[0].v2), (vec!["cpu".to_owned(), "cpuacct".to_owned()], false));
    assert_eq!((found[3].mount.as_path(), found[3].v2), (Path::new("/sys/fs/cgroup/unified"), true));
    assert_eq!(Mode::of(&found), Mode::Hybrid);
}

#[test]
fn a_host_of_one_version_only() {
    let v1 = hierarchies_in(&mounts(V1_MOUNTS), V1_LINES).unwrap();
    assert_eq!((v1.len(), Mode::of(&v1)), (3, Mode::V1));
    let v2 = mounts("41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    let v2 = hierarchies_in(&v2, "0::/user.slice\n").unwrap();
    assert_eq!((v2.len(), Mode::of(&v2)), (1, Mode::V2));
    assert_eq!(Mode::of(&hierarchies_in(&[], V1_LINES).unwrap()), Mode::None);
    let named =
        hierarchies_in(&mounts(&format!("{}{UNIFIED}", V1_MOUNTS.lines().last().unwrap().to_owned() + "\n")), V1_LINES);
    assert_eq!(Mode::of(&named.unwrap()), Mode::V2);
}

#[test]
fn directories_come_from_mounts() {
    let some = |path: &str| Some(path.to_owned());
    let expected = [
        some("/sys/fs/cgroup/cpu,cpuacct/a"),
        some("/sys/fs/cgroup/memory/a/b:c"),
        some("/sys/fs/cgroup/systemd/"),
        None,
    ];
    assert_eq!(dirs(V1_MOUNTS, V1_LINES), expected);
}

#[test]
fn the_root_of_a_mount_is_taken_off() {
    let part = "41 31 0:38 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    assert_eq!(dirs(part, "0::/docker/x/y\n"), [Some("/sys/fs/cgroup/y".to_owned())]);
    assert_eq!(dirs(part, "0::/docker/xy\n"), [None]);
    assert_eq!(dirs(part, "0::/docker\n"), [None]);
    // As seen from within a cgroup namespace, of a mount made outside of it.
    let above = "41 31 0:38 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    assert_eq!(dirs(above, "0::/../../z\n"), [Some("/sys/fs/cgroup/z".to_owned())]);
    assert_eq!(dirs(UNIFIED, "0::/../z\n"), [None]);
}

#[test]
fn a_removed_group_and_a_hidden_mount_have_no_directory() {
    assert_eq!(dirs(UNIFIED, "0::/gone (deleted)\n"), [None]);
    let hidden = format!("{V1_MOUNTS}50 31 0:50 / /sys/fs/cgroup/memory rw - tmpfs t rw\n").replace("50 31", "50 35");
    assert_eq!(dirs(&hidden, "2:memory:/a\n"), [None]);
}

#[test]
fn the_governing_group_of_a_controller() {
    let member = |names: &[&str], v2| Membership {
        controllers: names.iter().map(|name| (*name).to_owned()).collect(),
        v2,
        path: "/".into(),
        dir: None,
    };
    let all = [member(&["memory"], false), member(&["hugetlb", "pids"], true)];
    assert_eq!(governing(&all, "memory"), Some(&all[0]));
    assert_eq!(governing(&all, "pids"), Some(&all[1]));
    assert_eq!(governing(&all, "cpu"), None);
}

#[test]
fn a_broken_line_is_an_error() {
    assert!(memberships_in(&[], "0:\n").is_err());
}

#[test]
fn this_process_is_in_a_group_of_each_hierarchy() {
    let mine = of(nix::unistd::getpid()).unwrap();
    for hierarchy in hierarchies().unwrap() {
        assert!(hierarchy.mount.is_dir(), "{hierarchy:?}");
        assert!(mine.iter().any(|membership| membership.v2 == hierarchy.v2), "{hierarchy:?}");
    }
    for membership in mine.iter().filter(|membership| membership.dir.is_some()) {
        assert!(membership.read("cgroup.procs").unwrap().contains(&std::process::id().to_string()), "{membership:?}");
    }
}

#[test]
fn a_tree_of_groups_is_found_thawed_and_removed() {
    let name = format!("grouptest-{}", std::process::id());
    let groups = TestGroup::each(&name);
    let named: Vec<PathBuf> = groups.iter().map(|group| group.0.clone()).collect();
    assert_eq!(find_named(&name).unwrap(), named);
    groups.iter().for_each(thaw_and_remove);
    assert_eq!(find_named(&name).unwrap(), Vec::<PathBuf>::new());
}

fn thaw_and_remove(group: &TestGroup) {
    let inner = group.0.join("inner");
    std::fs::create_dir(&inner).unwrap();
    assert!(find_named("inner").unwrap().contains(&inner));
    let mut child = std::process::Command::new("/bin/cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::fs::write(inner.join("cgroup.procs"), child.id().to_string()).unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    assert!(of(pid).unwrap().iter().any(|membership| membership.dir.as_ref() == Some(&inner)));
    TestGroup::freeze(&inner);
    child.kill().unwrap();
    thaw_below(&group.0).unwrap();
    // Its end is waited for: it is not reaped before.
    remove_tree(&group.0).unwrap();
    assert!(!group.0.exists());
    remove_tree(&group.0).unwrap();
    child.wait().unwrap();
}

#[test]
fn a_group_that_stays_busy_is_named_with_its_processes() {
    let Some(group) = TestGroup::new(&format!("busytest-{}", std::process::id())) else { return };
    let mut child = std::process::Command::new("/bin/cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    group.join(child.id());
    let why = remove::remove_before(&group.0, std::time::Instant::now()).unwrap_err().to_string();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(why.contains("busytest") && why.contains(&child.id().to_string()), "{why}");
}

#[test]
fn the_view_of_v1_shows_nothing_else() {
    if Mode::of_host().unwrap() != Mode::Hybrid {
        println!("skipped: the host is not hybrid");
        return;
    }
    in_private_namespaces("system::cgroup::tests::inside_the_view_shows_v1_only");
    assert_eq!(Mode::of_host().unwrap(), Mode::Hybrid);
}

#[test]
#[ignore = "run by the_view_of_v1_shows_nothing_else"]
fn inside_the_view_shows_v1_only() {
    refuse_outside();
    let before = hierarchies().unwrap();
    show_v1_only().unwrap();
    let after = hierarchies().unwrap();
    assert_eq!(after, before.into_iter().filter(|hierarchy| !hierarchy.v2).collect::<Vec<_>>());
    assert_eq!(Mode::of_host().unwrap(), Mode::V1);
    assert!(saved_mounts::mounts().unwrap().iter().all(|mount| mount.kind != "cgroup2"));
    assert!(!Path::new("/sys/fs/cgroup/unified").exists());
    let mine = of(nix::unistd::getpid()).unwrap();
    assert!(mine.iter().all(|membership| membership.v2 == membership.dir.is_none()), "{mine:?}");
}

const LIMIT: Knob = Knob { controller: "blkio", v1: "blkio.x", v2: "io.x" };

fn member(controllers: &[&str], v2: bool, path: &str) -> Membership {
    let controllers = controllers.iter().map(|name| (*name).to_owned()).collect();
    Membership { controllers, v2, path: path.to_owned(), dir: Some(Path::new("/top").join(&path[1..])) }
}

#[test]
fn a_setting_is_of_the_containers_own_group() {
    let v1 = [member(&["blkio"], false, "/a/b"), member(&["io"], true, "/u")];
    assert_eq!(LIMIT.group(&v1, "/a/b"), Some((Version::One, "/top/a/b".into())));
    let v2 = [member(&["io", "pids"], true, "/a/b/sub/er")];
    assert_eq!(LIMIT.group(&v2, "/a/b"), Some((Version::Two, "/top/a/b".into())));
    // A process that stands elsewhere is not limited by the group at the path.
    assert_eq!(LIMIT.group(&v2, "/x"), Some((Version::Two, "/top/a/b/sub/er".into())));
    assert_eq!(LIMIT.group(&v2, ""), Some((Version::Two, "/top/a/b/sub/er".into())));
    assert_eq!(LIMIT.group(&v1[..0], "/"), None);
}

#[test]
fn what_a_new_group_lacks_is_said() {
    let look = NewGroup::of(&[("blkio", &["blkio.x"]), ("", &["pids.max"])]);
    assert_eq!(look.lacks(&LIMIT), None);
    assert_eq!(look.lacks(&Knob::of_both("pids", "pids.max")), None);
    for (knob, word) in [
        (Knob { v1: "blkio.y", ..LIMIT }, "blkio.y"),
        (Knob { v1: "", ..LIMIT }, "version 2 alone"),
        (Knob { controller: "net_cls", v1: "net_cls.classid", v2: "" }, "version 1 alone"),
        (Knob::of_both("cpu", "cpu.idle"), "enable controller cpu"),
    ] {
        let why = look.lacks(&knob).unwrap_or_default();
        assert!(why.contains(word), "{why}");
    }
    assert!(NewGroup::default().lacks(&LIMIT).is_some_and(|why| why.contains("mount or delegate")));
}
