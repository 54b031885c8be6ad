//! Tests of a whole snapshot, on this process and on a child.

use super::*;
use crate::guard::testing::answered;

#[test]
fn the_small_files_are_read() {
    assert_eq!(id_map(Some("         0       1000          1\n 1 2 3\n".into())).unwrap(), [[0, 1000, 1], [1, 2, 3]]);
    assert_eq!(id_map(None).unwrap(), [[0, 0, 4_294_967_295]]);
    assert!(id_map(Some("0 0\n".into())).is_err());
    let offsets = time_offsets("monotonic           7         -5\nboottime            0         0\n").unwrap();
    assert_eq!((offsets["monotonic"], offsets["boottime"]), ((7, -5), (0, 0)));
    assert_eq!(label("docker-default (enforce)\n").as_deref(), Some("docker-default (enforce)"));
    assert_eq!(label("\0"), None);
    assert_eq!(split_ioprio((2 << 13) | 4), (2, 4));
}

#[test]
fn a_child_is_seen_as_it_was_started() {
    let child = std::process::Command::new("/bin/cat")
        .env_clear()
        .env("NAME", "value")
        .current_dir("/tmp")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = answered(child);
    let seen = Observation::of(Pid::from_raw(child.id().cast_signed())).unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(seen.stat.ppid, std::process::id().cast_signed());
    assert_eq!(
        (seen.args, seen.environ, seen.cwd.as_str()),
        (vec!["/bin/cat".into()], vec!["NAME=value".into()], "/tmp")
    );
    assert!(seen.fds[&0].starts_with("pipe:["), "{:?}", seen.fds);
    assert!(seen.exe.contains("cat") || seen.exe.contains("coreutils"), "{}", seen.exe);
}

#[test]
fn this_process_shares_its_namespaces_with_itself() {
    let me = Observation::of(nix::unistd::getpid()).unwrap();
    for name in ["mnt", "pid", "user", "uts", "ipc", "net"] {
        let link = std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
        assert_eq!(link.to_string_lossy(), format!("{name}:[{}]", me.namespace(name).unwrap()));
    }
    assert!(me.mount_at("/proc").is_some_and(|mount| mount.kind == "proc"));
    assert_eq!(me.status.nspid.first(), Some(&me.stat.pid));
    assert!(me.fds.len() >= 3);
}

#[test]
fn a_process_that_has_ended_is_not_found() {
    let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    // Waits for its end without reaping it.
    let pidfd = sys::pidfd_open(pid).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    assert!(crate::system::process::wait_readable(&[&pidfd], deadline).unwrap());
    assert_eq!(Observation::of(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
    child.wait().unwrap();
    assert_eq!(Observation::of(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
}
