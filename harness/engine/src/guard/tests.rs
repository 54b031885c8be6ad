//! Tests of the guard and of the sweep. Those named `inside` are run by the others, see [`testing`].

use super::testing::{TestGroup, in_private_namespaces, refuse_outside, waiting_child};
use super::*;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

struct Scene {
    dir: tempfile::TempDir,
    tag: String,
}

impl Scene {
    fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        plant_canary(&dir.path().join("canary")).unwrap();
        fs::create_dir(dir.path().join("state")).unwrap();
        // The name of the directory is unique on this host, a pid in these namespaces is not.
        let unique = dir.path().file_name().unwrap().to_string_lossy().replace('.', "");
        Self { tag: format!("guardtest-{name}-{unique}"), dir }
    }

    fn guard(&self) -> Guard {
        let settings = GuardSettings {
            tag: self.tag.clone(),
            canary: self.dir.path().join("canary"),
            state_root: self.dir.path().join("state"),
            extra_sysctls: vec!["kernel/sem".to_owned()],
            grace: Duration::ZERO,
        };
        Guard::before(settings).unwrap()
    }

    /// What the guard says after some harm was done, which lasts as long as what `harm` gives back.
    fn found<T>(&self, harm: impl FnOnce(&Path) -> T) -> Vec<(String, String)> {
        let guard = self.guard();
        let lasting = harm(self.dir.path());
        let found = guard.after().unwrap();
        drop(lasting);
        told(found)
    }
}

/// What and observed.
fn told(findings: Vec<Finding>) -> Vec<(String, String)> {
    assert!(findings.iter().all(|finding| finding.expected == "as before"));
    findings.into_iter().map(|finding| (finding.what, finding.observed)).collect()
}

/// Asserts that there is one finding, of this subject and with this text.
#[track_caller]
fn assert_one(found: &[(String, String)], what: &str, told: &str) {
    assert!(matches!(found, [(subject, observed)] if subject == what && observed.contains(told)), "{found:?}");
}

#[test]
fn the_guard_finds_each_kind_of_leftover() {
    in_private_namespaces("guard::tests::inside_each_kind_of_leftover_is_found");
}

#[test]
#[ignore = "run by the_guard_finds_each_kind_of_leftover"]
fn inside_each_kind_of_leftover_is_found() {
    refuse_outside();
    let scene = Scene::new("all");
    assert_eq!(scene.found(|_| ()), []);
    files_and_descriptors(&scene);
    settings(&scene);
    mounts(&scene);
    groups(&scene);
    children(&scene);
    assert_eq!(scene.found(|_| ()), []);
}

fn files_and_descriptors(scene: &Scene) {
    assert_one(&scene.found(|_| File::open("/dev/zero").unwrap()), "file descriptors of the harness", "/dev/zero");
    let write = |dir: &Path| fs::write(dir.join("canary/marker"), "harmed").unwrap();
    assert_one(&scene.found(write), "canary tree", "changed: ./marker: file mode");
    let state = scene.dir.path().join("state").join(format!("{}-1", scene.tag));
    assert_one(&scene.found(|_| fs::create_dir(&state).unwrap()), "state directory", "new: /");
    assert_one(&scene.found(|_| fs::remove_dir(&state).unwrap()), "state directory", "gone: /");
    assert_eq!(scene.found(|dir| fs::create_dir(dir.join("state/of-another-check")).unwrap()), []);
}

fn settings(scene: &Scene) {
    assert_one(
        &scene.found(|_| nix::unistd::sethostname("harmed").unwrap()),
        "host name",
        "changed: nodename: harmed, was",
    );
    let msgmax = |_: &Path| fs::write("/proc/sys/kernel/msgmax", "4242").unwrap();
    assert_one(&scene.found(msgmax), "sysctl kernel/msgmax", "changed: kernel/msgmax: 4242, was");
    let sem = |_: &Path| fs::write("/proc/sys/kernel/sem", "1 2 3 4").unwrap();
    assert_one(&scene.found(sem), "sysctl kernel/sem", "was");
    let guard = scene.guard();
    let made = Command::new("ip").args(["link", "add", "guardtest0", "type", "bridge"]).status();
    if !made.as_ref().is_ok_and(std::process::ExitStatus::success) {
        println!("skipped the interfaces: `ip` makes no bridge here: {made:?}");
        return;
    }
    assert_one(&told(guard.after().unwrap()), "network interfaces", "new: guardtest0");
}

fn mounts(scene: &Scene) {
    let none: Option<&str> = None;
    let below = scene.dir.path().join("canary/below");
    let over = |_: &Path| mount(Some("harm"), &below, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    let found = scene.found(over);
    let found = found.iter().map(|(what, told)| (what.as_str(), told.as_str())).collect::<Vec<_>>();
    let [("host mounts", mounted), ("canary tree", file), ("canary tree", dir)] = found[..] else {
        panic!("{found:?}")
    };
    assert!(mounted.starts_with("new: ") && mounted.contains("tmpfs harm"), "{mounted}");
    assert!(file.starts_with("gone: ./below/file") && dir.starts_with("changed: ./below: "), "{file}, {dir}");
    assert_eq!(scene.found(|_| umount2(&below, MntFlags::MNT_DETACH).unwrap()).len(), 3);
    let marker = scene.dir.path().join("canary/marker");
    let found = scene.found(|_| mount(Some(&marker), "/dev/null", none, MsFlags::MS_BIND, none).unwrap());
    umount2("/dev/null", MntFlags::MNT_DETACH).unwrap();
    // Another filesystem shows there, so the device is gone.
    let null = found.iter().find(|(what, _)| what == "devices");
    let gone = "gone: /dev/null: character device 1:3 mode 0666 owner 0:0";
    assert_eq!(null.map(|(_, told)| told.as_str()), Some(gone), "{found:?}");
}

fn groups(scene: &Scene) {
    let guard = scene.guard();
    let Some(group) = TestGroup::new(&format!("{}-1", scene.tag)) else { return };
    assert_one(&told(guard.after().unwrap()), "cgroups", &group.0.display().to_string());
}

#[expect(clippy::zombie_processes, reason = "the guard reaps it")]
fn children(scene: &Scene) {
    let guard = scene.guard();
    let mut child = waiting_child();
    let found = guard.after().unwrap();
    let process = found.iter().find(|finding| finding.what == "processes").unwrap();
    assert!(process.observed.contains(&format!("pid {} (cat)", child.id())), "{process:?}");
    assert!(process.observed.contains("parent 1: /bin/cat"), "{process:?}");
    // One that is there before is not left by the check.
    assert_eq!(scene.found(|_| ()), []);
    // It ends within the grace of a patient guard, which reaps it too.
    let patient = Guard { settings: GuardSettings { grace: Duration::from_secs(20), ..guard.settings }, ..guard };
    drop((child.stdin.take(), child.stdout.take()));
    assert_eq!(patient.after().unwrap(), []);
}

#[test]
fn the_sweep_ends_all_and_removes_groups() {
    in_private_namespaces("guard::tests::inside_the_sweep_ends_all");
}

#[test]
#[ignore = "run by the_sweep_ends_all_and_removes_groups"]
fn inside_the_sweep_ends_all() {
    refuse_outside();
    let scene = Scene::new("sweep");
    let group = TestGroup::new(&format!("{}-1", scene.tag));
    let plain = waiting_child();
    let frozen = waiting_child();
    // A grandchild without a parent, as a runtime leaves one.
    let orphan = Command::new("/bin/sh").args(["-c", "sleep 1000 & exit 0"]).status().unwrap();
    assert!(orphan.success());
    if let Some(group) = &group {
        let inner = group.0.join("inner");
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("cgroup.procs"), frozen.id().to_string()).unwrap();
        TestGroup::freeze(&inner);
    }
    assert_eq!(processes::others().unwrap().len(), 3);
    sweep(&scene.tag).unwrap();
    assert!(processes::others().unwrap().is_empty());
    assert!(group.is_none_or(|group| !group.0.exists()));
    drop((plain, frozen));
}

#[test]
fn the_sweep_refuses_where_the_processes_are_not_its_own() {
    assert_eq!(sweep("no-such-tag").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}
