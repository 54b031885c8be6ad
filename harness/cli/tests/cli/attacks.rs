//! Runtimes that attack the harness or the host: what they change is found and put back, and no result is theirs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::{Bench, SIMPLEST};
use crate::runtime_or_skip;

/// The value that a setting of the kernel has, and another one.
fn another(setting: &str) -> (String, &'static str) {
    let value = fs::read_to_string(setting).unwrap();
    let other = if value.trim() == "4" { "5" } else { "4" };
    (value, other)
}

/// The real runtime, which does something else when a container is deleted.
fn at_delete(bench: &Bench, real: &Path, evil: &str) -> PathBuf {
    let body = format!("case \" $* \" in *' delete '*) {evil};; esac\nexec {} \"$@\"", real.display());
    bench.script("runtime", &body)
}

/// A sysctl, one of the rest of `/sys`, and the text of a module, which keeps the line break that it is written with.
const SETTINGS: [&str; 3] =
    ["/proc/sys/vm/page-cluster", "/sys/kernel/mm/ksm/sleep_millisecs", "/sys/module/firmware_class/parameters/path"];

#[test]
fn a_kernel_setting_is_found_and_put_back() {
    let real = runtime_or_skip!();
    for setting in SETTINGS.into_iter().filter(|setting| fs::exists(setting).unwrap()) {
        let (before, other) = another(setting);
        let bench = Bench::new();
        let runtime = at_delete(&bench, &real, &format!("echo {other} >{setting}"));
        let ran = bench.judge(&runtime, &["--filter", SIMPLEST]);
        assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
        let finding = &ran.results["checks"][0]["findings"][0];
        assert_eq!(finding["what"], format!("{setting} of the host"));
        assert_eq!(finding["observed"], format!("{other}, was {} (put back)", before.trim()));
        assert_becomes(setting, &before);
        ran.assert_nothing_left();
    }
}

/// A run of another test that began while the setting was wrong takes the right value for a change, makes it wrong once more, and
/// puts it right when it has found that its runtime does not do it.
pub fn assert_becomes(setting: &str, value: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while fs::read_to_string(setting).unwrap() != value {
        assert!(Instant::now() < deadline, "{setting} is not {value:?} again");
        std::thread::yield_now();
    }
}

#[test]
fn devices_are_the_checks_own() {
    let real = runtime_or_skip!();
    let status = |path: &str| format!("{:?}", fs::symlink_metadata(path).map(|status| status.permissions()));
    let before = status("/dev/full");
    let bench = Bench::new();
    let body = format!("chmod 600 /dev/full; rm -f /dev/zero\nexec {} \"$@\"", real.display());
    let ran = bench.judge(&bench.script("runtime", &body), &["--filter", SIMPLEST]);
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
    let findings = ran.results["checks"][0]["findings"].to_string();
    assert!(findings.contains("gone: /dev/zero") && findings.contains("changed: /dev/full"), "{findings}");
    assert_eq!(status("/dev/full"), before);
    assert!(fs::exists("/dev/zero").unwrap());
}

/// The kernel's own file system of devices is one on the whole host, wherever it is mounted.
#[test]
fn the_devices_of_the_host_are_found_and_put_back() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    // The mount is in a namespace of its own, and goes with it.
    let evil = "mount -t devtmpfs none /mnt && chmod 600 /mnt/full && mknod /mnt/plimsoll-node c 1 3";
    let runtime = at_delete(&bench, &real, &format!("unshare -m sh -c '{evil}'"));
    let ran = bench.judge(&runtime, &["--filter", SIMPLEST]);
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
    let findings = ran.results["checks"][0]["findings"].to_string();
    assert!(findings.contains("devtmpfs:full") && findings.contains("devtmpfs:plimsoll-node"), "{findings}");
    assert!(!findings.contains("cannot be put back"), "{findings}");
}

/// What a runtime changed at delete, where `host` was done before the run and `after` is looked at after it.
struct Harm {
    findings: String,
    after: String,
}

/// Does all this in a mount namespace of its own.
fn harm(real: &Path, host: &str, evil: &str, after: &str) -> Harm {
    let bench = Bench::new();
    let runtime = at_delete(&bench, real, evil).to_string_lossy().into_owned();
    let shown = format!("{host}; \"$@\"; code=$?; {{ {after}; }} >after; exit $code");
    let call = ["run", "--runtime", &runtime, "--filter", SIMPLEST];
    let ran = bench.ran(&bench.command_through(&["unshare", "-m", "sh", "-c", &shown, "sh"], &call).output().unwrap());
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
    let findings = ran.results["checks"][0]["findings"].to_string();
    assert!(findings.contains("(put back)") && !findings.contains("cannot be put back"), "{findings}");
    Harm { findings, after: fs::read_to_string(bench.path("after")).unwrap() }
}

/// They last as long as the filesystem is mounted anywhere.
#[test]
fn a_handler_of_a_file_format_is_found_and_put_back() {
    let real = runtime_or_skip!();
    let mount = "mount -t binfmt_misc none /mnt";
    let host = format!("{mount}; echo ':plimsoll:M:2:\\x01\\x02:\\xff\\x0f:/bin/true:' >/mnt/register");
    let evil = "echo -1 >/mnt/plimsoll; echo :evil:E::evil::/bin/false: >/mnt/register";
    let evil = format!("unshare -m sh -c '{mount}; {evil}'");
    let Harm { findings, after } = harm(&real, &host, &evil, "ls /mnt; cat /mnt/plimsoll");
    assert!(findings.contains("binfmt_misc:evil") && findings.contains("binfmt_misc:plimsoll"), "{findings}");
    let wanted =
        "plimsoll\nregister\nstatus\nenabled\ninterpreter /bin/true\nflags: \noffset 2\nmagic 0102\nmask ff0f\n";
    assert_eq!(after, wanted);
}

#[test]
fn tracing_that_was_turned_off_is_found_and_put_back() {
    let real = runtime_or_skip!();
    let mount = "mount -t tracefs none /mnt";
    let Harm { findings, after } =
        harm(&real, mount, &format!("unshare -m sh -c '{mount}; echo 0 >/mnt/tracing_on'"), "cat /mnt/tracing_on");
    assert!(findings.contains("tracefs:tracing_on"), "{findings}");
    assert_eq!(after, "1\n");
}

/// All mounts of a filesystem share its options, in whatever namespace they are.
#[test]
fn a_remount_of_a_filesystem_of_the_host_is_found_and_put_back() {
    let real = runtime_or_skip!();
    let (mount, remount) = ("mount -t tmpfs -o size=1m none /mnt", "mount -o remount,size=2m,ro /mnt");
    let Harm { findings, after } = harm(&real, mount, remount, "grep /mnt /proc/self/mountinfo");
    assert!(findings.contains("filesystem:/mnt of the host") && findings.contains("size=2048k"), "{findings}");
    assert!(after.contains(" rw,size=1024k"), "{after}");
}

#[test]
fn the_terminal_of_the_user_is_out_of_reach() {
    let real = runtime_or_skip!();
    let terminal = nix::pty::openpty(None, None).unwrap();
    let name = nix::unistd::ttyname(&terminal.slave).unwrap();
    let mode = fs::metadata(&name).unwrap().permissions();
    let bench = Bench::new();
    let evil = "for terminal in /dev/pts/[0-9]*; do echo owned >$terminal; chmod 622 $terminal; done";
    let ran = bench.judge(
        &bench.script("runtime", &format!("{{ {evil}; }} 2>/dev/null\nexec {} \"$@\"", real.display())),
        &["--filter", SIMPLEST],
    );
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (0, "pass"), "{:#}", ran.results);
    assert_eq!(fs::metadata(&name).unwrap().permissions(), mode);
    assert!(!plimsoll_engine::process::wait_readable(&[terminal.master], Instant::now()).unwrap(), "it was written to");
}

#[test]
fn a_measurement_tells_what_its_runtime_changed_and_puts_it_back() {
    let real = runtime_or_skip!();
    // No other test changes this one: a measurement does not wait for the runs of others.
    let setting = "/proc/sys/vm/stat_interval";
    let (before, other) = another(setting);
    let bench = Bench::new();
    let runtime = at_delete(&bench, &real, &format!("echo {other} >{setting}"));
    let ran = bench.plimsoll(&["trace", "--runtime", &runtime.to_string_lossy(), "--output", "results.json"]);
    let warnings = ran.results["warnings"].to_string();
    assert!(warnings.contains(&format!("{setting} of the host changed while runtimes were measured")), "{warnings}");
    assert_becomes(setting, &before);
}

/// The second run must not take what the runtime of the first has changed for the host as it is, and restore that.
#[test]
fn a_run_that_begins_meanwhile_does_not_keep_what_another_has_changed() {
    let real = runtime_or_skip!();
    let setting = "/proc/sys/vm/dirty_expire_centisecs";
    let (before, other) = another(setting);
    let (first, second) = (Bench::new(), Bench::new());
    let changed = first.path("changed");
    let evil = format!("echo {other} >{setting}; : >{}; sleep 1", changed.display());
    let runtime = at_delete(&first, &real, &evil);
    let start = |bench: &Bench, runtime: &Path, filter: &str| {
        let runtime = runtime.to_string_lossy();
        let args = ["run", "--runtime", &runtime, "--jobs", "1", "--no-preflight", "--filter", filter];
        bench.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut one = start(&first, &runtime, SIMPLEST);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !changed.exists() {
        assert!(Instant::now() < deadline, "nothing was deleted");
        std::thread::yield_now();
    }
    let mut two = start(&second, &real, "process.e*");
    assert_eq!(one.wait().unwrap().code(), Some(1));
    assert_eq!(two.wait().unwrap().code(), Some(0));
    assert_becomes(setting, &before);
}

/// The version question, too, is asked where nothing of the host is in reach.
#[test]
fn the_first_call_is_set_apart() {
    let real = runtime_or_skip!();
    let name = nix::unistd::gethostname().unwrap();
    let bench = Bench::new();
    let daemon = bench.path("daemon");
    let body = format!(
        "case \"$*\" in *--version*) hostname changed; kill -9 \"$PPID\"; setsid sleep 1000 >/dev/null 2>&1 & echo $! >{};; esac\n\
         exec {} \"$@\"",
        daemon.display(),
        real.display()
    );
    let ran = bench.judge(&bench.script("runtime", &body), &["--filter", SIMPLEST]);
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (0, "pass"), "{}", ran.stderr);
    assert_eq!(nix::unistd::gethostname().unwrap(), name);
    assert!(daemon.exists(), "it was called");
    ran.assert_nothing_left();
}

#[test]
fn no_result_is_the_runtimes() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    // It finds its judge, writes to whatever that has open, and ends its own caller.
    let forged = r#"[{"id":"forged.check","section":"forged","axis":"spec","clauses":[],"verdict":"pass","duration_ms":1.0,"reason":"","findings":[],"evidence":null,"known":null}]"#;
    let body = format!(
        "for fd in /proc/1/fd/*; do printf '%s' '{forged}' >\"$fd\"; done 2>/dev/null\nkill -9 1\nexec {} \"$@\"",
        real.display()
    );
    // A descriptor that the caller has left open is out of reach, too.
    let runtime = bench.script("runtime", &body).to_string_lossy().into_owned();
    let call = ["run", "--runtime", &runtime, "--filter", SIMPLEST];
    let ran =
        bench.ran(&bench.command_through(&["sh", "-c", "exec \"$@\" 9>left-open", "sh"], &call).output().unwrap());
    assert_eq!(fs::read_to_string(bench.path("left-open")).unwrap(), "");
    let checks = ran.results["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1, "{checks:?}");
    assert_eq!(checks[0]["id"], SIMPLEST);
    // Its own output it may write by any way.
    assert_ne!(ran.verdict("forged.check"), "pass");
    ran.assert_nothing_left();
}

/// Fails at everything, does nothing and says that it worked, never ends, prints garbage.
#[test]
fn what_makes_no_container_passes_nothing() {
    let _real = runtime_or_skip!();
    let bodies = ["exit 1", "exit 0", "echo garbage; exit 0", "echo '{}'; exit 1"];
    std::thread::scope(|scope| {
        for body in bodies {
            scope.spawn(move || {
                let bench = Bench::new();
                let runtime = bench.script("runtime", body);
                let ran = bench.judge(
                    &runtime,
                    &[
                        "--no-preflight",
                        "--quick",
                        "--timeout",
                        "1",
                        "--filter",
                        "lifecycle.*",
                        "--filter",
                        "*invalid*",
                    ],
                );
                assert_eq!(ran.code, 1, "{body}: {}", ran.stderr);
                assert!(ran.passed().is_empty(), "`{body}` passes {:?}", ran.passed());
            });
        }
    });
}

/// Runs the program in the root filesystem and with a mount and pid namespace, and regards nothing else that the
/// configuration says.
const CHROOTS: &str = r#"for word; do id=$word; done
root=$2; mkdir -p "$root"
case "$3" in
create)
  mkfifo "$root/$id.go"
  setsid unshare -m -p -f --mount-proc sh -c 'read go <"$1"; exec chroot "$2/rootfs" /probe' sh "$root/$id.go" "$5" &
  echo $! >"$root/$id.outer"; echo "$5" >"$root/$id.bundle"
  while ! pid=$(cat "/proc/$!/task/$!/children") || [ -z "$pid" ]; do :; done
  echo $pid >"$7"; echo $pid >"$root/$id.pid"; echo created >"$root/$id.status" ;;
start) echo go >"$root/$id.go"; echo running >"$root/$id.status" ;;
state) [ -e "$root/$id.pid" ] || exit 1
  status=$(cat "$root/$id.status"); kill -0 $(cat "$root/$id.pid") 2>/dev/null || status=stopped
  printf '{"ociVersion":"1.0.2","id":"%s","status":"%s","pid":%s,"bundle":"%s"}' "$id" "$status" "$(cat "$root/$id.pid")" "$(cat "$root/$id.bundle")" ;;
kill) kill -9 $(cat "$root/$id.pid") ;;
delete) [ -e "$root/$id.pid" ] || exit 1; kill -9 $(cat "$root/$id.pid") 2>/dev/null; rm -f "$root/$id".* ;;
*) exit 1 ;;
esac"#;

#[test]
fn a_chroot_is_no_container() {
    let _real = runtime_or_skip!();
    let bench = Bench::new();
    let runtime = bench.script("runtime", CHROOTS);
    let ran = bench.judge(
        &runtime,
        &["--no-preflight", "--quick", "--timeout", "1", "--filter", "process.*", "--filter", "linux.*"],
    );
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.passed().is_empty(), "a chroot passes {:?}", ran.passed());
}
