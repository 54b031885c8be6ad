//! A container that looks into every process that turns up in its pid namespace, as `CAP_SYS_PTRACE` lets it: none has
//! anything of the host. The program of the container is this test itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::sys::stat::Mode;
use serde_json::json;

use crate::bundle::Bundle;

/// What is said to the program: the namespaces and the root of the host.
const HOST: &str = "PLIMSOLL_HOST";

/// A variable of the runtime.
const SECRET: &str = "PLIMSOLL_SECRET";

const KINDS: [&str; 5] = ["mnt", "net", "ipc", "uts", "cgroup"];

/// The program: looks until there is a file `/stop`, and writes what it saw of the host to the pipe `/seen`.
#[test]
fn look_on() {
    let Ok(host) = std::env::var(HOST) else { return };
    let host: BTreeSet<_> = host.split(' ').map(str::to_owned).collect();
    File::options().write(true).open("/ready").unwrap().write_all(b"ready").unwrap();
    let (mut seen, mut looks) = (BTreeSet::new(), 0);
    while !Path::new("/stop").exists() {
        let youngest = fs::read_to_string("/proc/loadavg").unwrap();
        let youngest: u32 = youngest.trim().rsplit(' ').next().unwrap().parse().unwrap();
        for pid in youngest.saturating_sub(4).max(2)..youngest + 4 {
            looks += u32::from(look(&format!("/proc/{pid}"), &host, &mut seen));
        }
    }
    let text = seen.into_iter().fold(format!("{} looks\n", looks.min(1)), |mut text, seen| {
        writeln!(text, "{seen}").unwrap();
        text
    });
    File::options().write(true).open("/seen").unwrap().write_all(text.as_bytes()).unwrap();
}

/// Whether there was something to be seen at all.
fn look(process: &str, host: &BTreeSet<String>, seen: &mut BTreeSet<String>) -> bool {
    let mut note = |what: String, is_foreign: bool| {
        if is_foreign {
            seen.insert(what);
        }
    };
    let open = |link: &str| fs::OpenOptions::new().read(true).custom_flags(nix::libc::O_PATH).open(link).ok();
    let mut links = vec!["root".to_owned(), "cwd".to_owned()];
    let fds = fs::read_dir(format!("{process}/fd")).into_iter().flatten().flatten();
    links.extend(fds.map(|fd| format!("fd/{}", fd.file_name().to_string_lossy())));
    let mut looked = false;
    for link in links.iter().filter(|link| !["fd/0", "fd/1", "fd/2"].contains(&link.as_str())) {
        let Some(opened) = open(&format!("{process}/{link}")) else { continue };
        looked = true;
        note(format!("{link} is of the host"), host.contains(&file_of(&opened)));
    }
    for kind in KINDS {
        let namespace = fs::read_link(format!("{process}/ns/{kind}")).unwrap_or_default().display().to_string();
        note(format!("namespace {namespace} of the host"), host.contains(&namespace));
    }
    for area in ["environ", "cmdline"] {
        let text = fs::read(format!("{process}/{area}")).unwrap_or_default();
        note(format!("{area} of the runtime"), String::from_utf8_lossy(&text).contains(SECRET));
    }
    let writable = fs::OpenOptions::new().write(true).open(format!("{process}/exe"));
    let busy = writable.err().and_then(|why| why.raw_os_error()) == Some(nix::libc::ETXTBSY);
    let own = fs::metadata(format!("{process}/exe")).ok().map(|file| file.ino());
    let programs = ["/program", "/proc/self/exe"].map(|program| fs::metadata(program).ok().map(|file| file.ino()));
    note("the binary can be written later".into(), busy && !programs.contains(&own) && !is_sealed(process));
    looked
}

fn is_sealed(process: &str) -> bool {
    let Ok(file) = File::open(format!("{process}/exe")) else { return true };
    nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_GET_SEALS).is_ok_and(|seals| seals & nix::libc::F_SEAL_WRITE != 0)
}

/// `device:inode` of a file, by which those of the host are known.
fn file_of(opened: &File) -> String {
    // Not by its own stat: the file may be one that only a path leads to.
    let file = fs::metadata(format!("/proc/self/fd/{}", opened.as_raw_fd()));
    file.map_or_else(|_| String::new(), |file| format!("{}:{}", file.dev(), file.ino()))
}

/// What is the host's: its namespaces, and the files that processes of the runtime have or had open.
fn of_the_host(bundle: &Bundle) -> String {
    let mut host: Vec<String> = KINDS
        .iter()
        .map(|kind| fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().display().to_string())
        .collect();
    for path in [
        Path::new("/"),
        Path::new("/proc"),
        Path::new("/sys/fs/cgroup"),
        bundle.path(),
        &std::env::current_dir().unwrap(),
    ] {
        let file = fs::metadata(path).unwrap();
        host.push(format!("{}:{}", file.dev(), file.ino()));
    }
    host.join(" ")
}

/// A container that looks on; what it saw while `meanwhile` ran.
fn watched(bundle: &Bundle, meanwhile: impl FnOnce()) -> String {
    let rootfs = bundle.path().join("rootfs");
    fs::copy(std::env::current_exe().unwrap(), rootfs.join("watcher")).unwrap();
    for pipe in ["ready", "seen"] {
        nix::unistd::mkfifo(&rootfs.join(pipe), Mode::S_IRWXU).unwrap();
    }
    let args = ["/watcher", "--exact", "watched::look_on", "--nocapture"];
    bundle.set("process", "args", json!(args));
    bundle.set("process", "env", json!([format!("{HOST}={}", of_the_host(bundle))]));
    bundle.set("root", "readonly", json!(false));
    let rights = json!([
        "CAP_SYS_PTRACE",
        "CAP_DAC_OVERRIDE",
        "CAP_DAC_READ_SEARCH",
        "CAP_SYS_ADMIN",
        "CAP_SETUID",
        "CAP_SETGID"
    ]);
    bundle.set("process", "capabilities", json!({ "bounding": rights, "effective": rights, "permitted": rights }));
    bundle.must(&["run", "--detach"], "watcher");
    let mut ready = String::new();
    File::open(rootfs.join("ready")).unwrap().read_to_string(&mut ready).unwrap();
    meanwhile();
    File::create(rootfs.join("stop")).unwrap();
    let mut seen = String::new();
    File::open(rootfs.join("seen")).unwrap().read_to_string(&mut seen).unwrap();
    bundle.must(&["delete", "--force"], "watcher");
    seen
}

#[test]
fn exec_shows_nothing_of_the_host() {
    let Some(bundle) = Bundle::new() else { return };
    let seen = watched(&bundle, || {
        for _ in 0..10 {
            let mut exec = bundle.command(&["exec"], "watcher");
            assert!(exec.args(["/program", "--version"]).env(SECRET, SECRET).status().unwrap().success());
        }
    });
    assert_eq!(seen, "1 looks\n");
    assert_eq!(bundle.left(), Vec::<String>::new());
}

#[test]
fn a_container_that_joins_a_pid_namespace_shows_nothing_of_the_host() {
    let (Some(bundle), Some(other)) = (Bundle::new(), Bundle::new()) else { return };
    let seen = watched(&bundle, || join_pid_namespace_of(&bundle, &other, &[]));
    assert_eq!(seen, "1 looks\n");
    assert_eq!(other.left(), Vec::<String>::new());
    assert_eq!(bundle.left(), Vec::<String>::new());
}

#[test]
fn hooks_of_one_with_users_of_its_own_show_nothing_of_the_host_either() {
    let (Some(bundle), Some(other)) = (Bundle::new(), Bundle::new()) else { return };
    let ids = json!([{ "containerID": 0, "hostID": 0, "size": 65536 }]);
    other.set("linux", "uidMappings", ids.clone());
    other.set("linux", "gidMappings", ids);
    other.set(
        "hooks",
        "createContainer",
        json!([{ "path": "/bin/sh", "args": ["sh", "-c", "cat | cat > /dev/null"] }]),
    );
    let seen = watched(&bundle, || join_pid_namespace_of(&bundle, &other, &["user"]));
    assert_eq!(seen, "1 looks\n");
    assert_eq!(other.left(), Vec::<String>::new());
    assert_eq!(bundle.left(), Vec::<String>::new());
}

/// Makes `other` a few times, in the pid namespace of the container that looks on.
fn join_pid_namespace_of(bundle: &Bundle, other: &Bundle, more: &[&str]) {
    let pid = fs::read_to_string(bundle.path().join("state/watcher/record.json")).unwrap();
    let pid: serde_json::Value = serde_json::from_str(&pid).unwrap();
    let kinds = ["mount", "ipc", "uts", "network", "cgroup"].iter().chain(more);
    let mut namespaces: Vec<_> = kinds.map(|kind| json!({ "type": kind })).collect();
    namespaces.push(json!({ "type": "pid", "path": format!("/proc/{}/ns/pid", pid["pid"]) }));
    other.set("linux", "namespaces", json!(namespaces));
    for _ in 0..5 {
        let mut create = other.command(&["create"], "other");
        assert!(create.env(SECRET, SECRET).status().unwrap().success());
        other.must(&["start"], "other");
        other.must(&["delete", "--force"], "other");
    }
}

#[test]
fn the_runtime_that_waits_for_start_is_not_looked_into() {
    let Some(bundle) = Bundle::new() else { return };
    bundle.must(&["create"], "one");
    let output = bundle.command(&["exec", "--cap", "CAP_SYS_PTRACE"], "one").args(["/program", "--version"]).output();
    let complaint = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(complaint.contains("start it first"), "{complaint}");
    let status = bundle.command(&["exec"], "one").args(["/program", "--version"]).status().unwrap();
    assert!(status.success());
    bundle.must(&["delete", "--force"], "one");
}

#[test]
fn an_odd_number_is_refused_with_one_line() {
    let Some(bundle) = Bundle::new() else { return };
    bundle.must(&["create"], "one");
    for user in ["+1", "01", " 1", "1:+1", "root"] {
        let output = bundle.command(&["exec", "--user", user], "one").arg("/program").output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && complaint.lines().count() == 1 && complaint.contains("--user"),
            "{complaint}"
        );
    }
    bundle.must(&["delete", "--force"], "one");
}
