//! The step that a system call belongs to: by its name or, where that is ambiguous, by its file.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::PathBuf;

use nix::unistd::Pid;

/// Time between system calls: the program's own code, and page faults.
pub const OWN_CODE: &str = "own code";
/// Time in which a task waits for another one. It is not counted: what the other does is.
pub const WAITING: &str = "waiting";

/// The name of a system call.
#[must_use]
pub fn name(number: u64) -> &'static str {
    let known = usize::try_from(number).ok().and_then(syscalls::Sysno::new);
    known.map_or("unknown", |call| call.name())
}

/// Steps by the name of the call.
const BY_NAME: [(&str, &[&str]); 11] = [
    ("namespaces", &["clone", "clone3", "fork", "vfork", "unshare", "setns"]),
    (
        "mounts",
        &[
            "mount",
            "umount2",
            "open_tree",
            "move_mount",
            "fsopen",
            "fsconfig",
            "fsmount",
            "fspick",
            "mount_setattr",
            "statmount",
            "listmount",
        ],
    ),
    ("pivot", &["pivot_root", "chroot"]),
    ("devices and links", &["mknod", "mknodat", "symlink", "symlinkat"]),
    ("seccomp", &["seccomp"]),
    ("exec", &["execve", "execveat"]),
    (
        "credentials",
        &[
            "capset",
            "capget",
            "setuid",
            "setgid",
            "setresuid",
            "setresgid",
            "setreuid",
            "setregid",
            "setgroups",
            "setfsuid",
            "setfsgid",
            "setsid",
            "keyctl",
            "prctl",
            "personality",
        ],
    ),
    ("limits", &["prlimit64", "setrlimit", "getrlimit", "sched_setattr", "sched_setaffinity", "ioprio_set"]),
    ("network", &["bind", "sendto", "setsockopt", "getsockname"]),
    ("memory", &["mmap", "munmap", "mprotect", "brk", "madvise", "mremap", "memfd_create", "set_robust_list", "rseq"]),
    (
        WAITING,
        &[
            "wait4",
            "waitid",
            "futex",
            "poll",
            "ppoll",
            "select",
            "pselect6",
            "epoll_wait",
            "epoll_pwait",
            "epoll_pwait2",
            "nanosleep",
            "clock_nanosleep",
            "rt_sigtimedwait",
            "recvfrom",
            "recvmsg",
            "accept",
            "accept4",
            "pause",
            "rt_sigsuspend",
            "restart_syscall",
            "exit",
            "exit_group",
        ],
    ),
];

/// Calls whose first argument is a descriptor, and what they are about is its file.
const ON_FD: [&str; 11] =
    ["read", "write", "pread64", "pwrite64", "writev", "fstat", "getdents64", "ftruncate", "close", "fchdir", "lseek"];
/// Calls with a path as first argument.
const ON_PATH: [&str; 10] =
    ["open", "stat", "lstat", "access", "mkdir", "rmdir", "unlink", "readlink", "statfs", "chdir"];
/// Calls with a directory as first and a path as second argument.
const ON_PATH_AT: [&str; 11] = [
    "openat",
    "openat2",
    "newfstatat",
    "statx",
    "faccessat",
    "faccessat2",
    "mkdirat",
    "unlinkat",
    "readlinkat",
    "fchownat",
    "fchmodat",
];

/// The step that a call belongs to. The task must be stopped at the begin of the call.
#[must_use]
pub fn step(pid: Pid, name: &str, arguments: &[u64; 6]) -> &'static str {
    if name == "prctl" && matches!(arguments[0], 21 | 22) {
        return "seccomp"; // PR_GET_SECCOMP, PR_SET_SECCOMP
    }
    if let Some((step, _)) = BY_NAME.iter().find(|(_, names)| names.contains(&name)) {
        return step;
    }
    let file = match name {
        _ if ON_FD.contains(&name) => target(pid, arguments[0]),
        _ if ON_PATH.contains(&name) => path(pid, arguments[0]),
        _ if ON_PATH_AT.contains(&name) => path(pid, arguments[1]).and_then(|below| within(pid, arguments[0], below)),
        "bpf" => return "cgroups",
        _ => return "other",
    };
    let waits = matches!(name, "read" | "open" | "openat");
    file.map_or("files", |file| by_file(&file, waits))
}

/// The step of a call on this file.
fn by_file(file: &std::path::Path, waits: bool) -> &'static str {
    let text = file.to_string_lossy();
    let is_channel = || {
        text.starts_with("pipe:")
            || text.starts_with("socket:")
            || text.starts_with("anon_inode:")
            || fs::metadata(file).is_ok_and(|meta| meta.file_type().is_fifo())
    };
    if text.contains("cgroup") {
        "cgroups"
    } else if text.contains("/attr/") {
        "credentials"
    } else if text.contains("/ns/") || text.ends_with("_map") || text.ends_with("setgroups") {
        "namespaces"
    } else if waits && is_channel() {
        WAITING
    } else if text.starts_with("/proc") || text.starts_with("/sys") {
        "looking at /proc and /sys"
    } else {
        "files"
    }
}

fn target(pid: Pid, fd: u64) -> io::Result<PathBuf> {
    fs::read_link(format!("/proc/{pid}/fd/{}", fd as i32))
}

/// A path below an open directory; from the root or the current directory it is what it says.
fn within(pid: Pid, dir: u64, path: PathBuf) -> io::Result<PathBuf> {
    if path.is_absolute() || dir as i32 == libc::AT_FDCWD { Ok(path) } else { Ok(target(pid, dir)?.join(path)) }
}

/// The text that a pointer of the task leads to.
fn path(pid: Pid, address: u64) -> io::Result<PathBuf> {
    let mut bytes = [0; 256];
    let count = fs::File::open(format!("/proc/{pid}/mem"))?.read_at(&mut bytes, address)?;
    let text = bytes[..count].split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(PathBuf::from(String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_file_tells_what_a_call_is_for() {
        let by = |file: &str, waits| by_file(Path::new(file), waits);
        assert_eq!(by("/sys/fs/cgroup/pids/c/tasks", false), "cgroups");
        assert_eq!(by("/proc/7/uid_map", false), "namespaces");
        assert_eq!(by("/proc/self/attr/exec", false), "credentials");
        assert_eq!((by("pipe:[7]", true), by("pipe:[7]", false)), (WAITING, "files"));
        assert_eq!(by("/proc/self/mountinfo", true), "looking at /proc and /sys");
        assert_eq!(by("/var/lib/x", true), "files");
    }

    #[test]
    fn every_call_has_one_step() {
        let all: Vec<&str> = BY_NAME.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let all = all.into_iter().chain(ON_FD).chain(ON_PATH).chain(ON_PATH_AT).collect::<Vec<_>>();
        let once: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(once.len(), all.len());
    }
}
