//! A verdict that depends on who calls would be none: parts of the suite, called from odd places and beside a noisy neighbour, come
//! to the same.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::{fs, io};

use tempfile::TempDir;

use crate::bench::Bench;

/// What looks at paths, limits, descriptors, variables and the host.
const PART: [&str; 8] = [
    "hooks.state/*",
    "seccomp.notify.state/*",
    "config.root.path/*",
    "lifecycle.delete/*",
    "lifecycle.bundle/*",
    "process.user.umask*/*",
    "process.fds*/*",
    "process.env.verbatim/*",
];

type Verdicts = BTreeMap<String, String>;

/// Makes the caller of a command an odd one.
type Caller = fn(&Bench, &mut Command);

/// The verdicts of the part for the bundled runtime, called as `odd` makes it.
fn verdicts(odd: impl FnOnce(&Bench, &mut Command)) -> Verdicts {
    let bench = Bench::new();
    let output = bench.path("results.json").to_string_lossy().into_owned();
    let filters = PART.iter().flat_map(|part| ["--filter", part]);
    let args: Vec<&str> = ["run", "--output", &output].into_iter().chain(filters).collect();
    let mut command = bench.command(&args);
    odd(&bench, &mut command);
    let ran = bench.ran(&command.output().unwrap());
    let checks = ran.results["checks"].as_array().unwrap_or_else(|| panic!("{}", ran.stderr));
    let verdict =
        |check: &serde_json::Value| (check["id"].as_str().unwrap().into(), check["verdict"].as_str().unwrap().into());
    let verdicts: Verdicts = checks.iter().map(verdict).collect();
    assert!(verdicts.len() > 30, "{verdicts:?}");
    verdicts
}

fn red(verdicts: &Verdicts) -> Vec<&String> {
    verdicts.iter().filter(|(_, verdict)| !["pass", "skip"].contains(&verdict.as_str())).map(|(id, _)| id).collect()
}

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}

fn temporary(bench: &Bench, command: &mut Command, name: &str) {
    fs::create_dir(bench.path("a real one")).unwrap();
    symlink("a real one", bench.path("link")).unwrap();
    command.env("TMPDIR", bench.path(name));
}

#[test]
fn odd_callers_change_no_verdict() {
    if !is_root() {
        return;
    }
    let usual = verdicts(|_, _| {});
    assert_eq!(red(&usual), Vec::<&String>::new());
    let odd: [(&str, Caller); 6] = [
        ("TMPDIR with blanks", |bench, command| temporary(bench, command, "a real one")),
        ("TMPDIR behind a link", |bench, command| temporary(bench, command, "link")),
        ("no HOME, another language", |_, command| {
            command.env_remove("HOME").env("LANG", "de_DE.UTF-8").env("LC_ALL", "tr_TR.UTF-8");
        }),
        ("umask 077, few descriptors, no core dumps", |_, command| {
            through(command, "umask 077; ulimit -n 256; ulimit -c 0")
        }),
        ("standard input is closed", |_, command| through(command, "exec <&-")),
        ("the current directory is gone", |bench, command| {
            fs::create_dir(bench.path("gone")).unwrap();
            through(command, "cd gone && rmdir ../gone");
        }),
    ];
    for (what, odd) in odd {
        assert_eq!(verdicts(odd), usual, "{what}");
    }
}

/// Starts the command from a shell that does something before.
fn through(command: &mut Command, before: &str) {
    let words: Vec<_> =
        [command.get_program()].into_iter().chain(command.get_args()).map(std::ffi::OsStr::to_owned).collect();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("{before}\nexec \"$@\"")).arg("sh").args(words);
    if let Some(dir) = command.get_current_dir() {
        shell.current_dir(dir);
    }
    shell.env("TMPDIR", "/tmp");
    *command = shell;
}

/// A program that makes and removes control groups, mounts, namespaces, files, interfaces and, where there are some, loop devices,
/// until it is ended.
struct Neighbour {
    shell: Child,
    /// Where its mounts and its image are.
    _dir: TempDir,
}

impl Neighbour {
    /// The mounts are made as `ip netns` makes them: each slave of the host's gets them, too.
    const NOISE: &str = r#"
        name=neighbour-$$
        truncate -s 64K image
        mkdir mounts
        mount --bind mounts mounts
        mount --make-shared mounts
        : >mounts/namespace
        clean() {
            losetup --associated image 2>/dev/null | cut -d: -f1 | xargs -r losetup --detach
            umount --recursive mounts
            rmdir /sys/fs/cgroup/$name /sys/fs/cgroup/*/$name
            for dir in /tmp /run /dev/shm; do rm -f $dir/$name; rmdir $dir/$name.d; done
        } 2>/dev/null
        trap clean EXIT
        trap exit TERM
        while :; do
            mount --bind /proc/self/ns/net mounts/namespace && umount mounts/namespace
            loop=$(losetup --find --show image 2>/dev/null) && losetup --detach $loop
            for dir in /sys/fs/cgroup /sys/fs/cgroup/*; do
                mkdir $dir/$name 2>/dev/null && rmdir $dir/$name
            done
            for dir in /tmp /run /dev/shm; do : >$dir/$name; mkdir $dir/$name.d; rmdir $dir/$name.d; rm -f $dir/$name; done
            unshare --mount --net --uts --ipc sh -c '
                mount -t tmpfs none /mnt 2>/dev/null
                ip link add neighbour type dummy 2>/dev/null
                hostname neighbour
                echo 1 >/proc/sys/net/ipv4/ip_forward 2>/dev/null
            ' 2>/dev/null
        done"#;

    fn start() -> io::Result<Self> {
        let dir = TempDir::new()?;
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", Self::NOISE]).current_dir(&dir);
        shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { shell: shell.spawn()?, _dir: dir })
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.shell.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.shell.wait().unwrap();
    }
}

#[test]
fn a_noisy_neighbour_changes_no_verdict() {
    if !is_root() {
        return;
    }
    let quiet = verdicts(|_, _| {});
    let neighbour = Neighbour::start().unwrap();
    let beside = verdicts(|_, _| {});
    drop(neighbour);
    assert_eq!(beside, quiet);
}
