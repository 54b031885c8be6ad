//! `linux.readonlyPaths`: they can be read but not written.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_fixtures::probe::{Ask, Refused, Reply};
use plimsoll_fixtures::{Config, Edit};

const READ_ONLY: &str = "/linux/readonlyPaths";

/// Each path that is there refuses writers as a read-only filesystem does, and serves readers.
const READ_ONLY_PATHS: Rule = Rule::new(
    "linux.readonly-paths",
    &["linux.readonly-paths.read-only"],
    |config| paths(config).flat_map(|path| asks(&path)).collect(),
    |config, evidence, out| {
        for path in paths(config) {
            judge(&path, evidence, out);
        }
    },
);

fn paths(config: &Config) -> impl Iterator<Item = String> {
    config.texts(READ_ONLY).into_iter().map(str::to_owned)
}

fn asks(path: &str) -> [Ask; 5] {
    [Ask::Stat(path.into()), Ask::Read(path.into()), Ask::List(path.into()), write(path), make(path)]
}

/// Nothing is written: a write of no bytes tells as much, and changes no setting of the kernel.
fn write(path: &str) -> Ask {
    Ask::Write { path: path.into(), data: String::new() }
}

fn make(path: &str) -> Ask {
    Ask::Mkdir(format!("{path}/made-inside"))
}

fn judge(path: &str, evidence: &Evidence, out: &mut Judgement) {
    let inside = &evidence.inside;
    let Ok(stat) = inside.stat(path) else { return };
    let (writing, served) = if stat.kind == "directory" {
        (inside.get(&make(path)), inside.list(path).map(drop))
    } else {
        (inside.get(&write(path)), inside.read(path).map(drop))
    };
    out.expect(&format!("writing to {path}"), writing.is_err_and(Refused::is_denial), "denied", writing);
    out.expect(&format!("reading {path}"), served.is_ok(), "works", served);
}

/// One case a row: files of the root filesystem or mounts, the paths, and runtimes that leave one writable.
macro_rules! read_only {
    ($($name:literal, $edits:expr, $paths:expr, $faults:expr;)*) => {
        &[$(Case::new(&READ_ONLY_PATHS, $name, |r| r.also($edits).set(READ_ONLY, $paths), $faults)),*]
    };
}

const DROP: &[Fault] = &[Fault::Drop(READ_ONLY)];
const DROP_LAST: &[Fault] = &[Fault::DropLast(READ_ONLY), Fault::Drop(READ_ONLY)];
pub(super) const CASES: &[Case] = read_only! {
    "file", |r| r.file("/target", "x"), ["/target"], DROP;
    "nested-file", |r| r.file("/a/b/c", "x"), ["/a/b/c"], DROP;
    "directory", |r| r.directory("/dir"), ["/dir"], DROP;
    "nested-directory", |r| r.file("/a/b/c", "x"), ["/a/b"], DROP;
    "several", |r| r.file("/a", "x").directory("/b"), ["/a", "/b"],
        &[Fault::DropLast(READ_ONLY), Fault::Drop("/linux/readonlyPaths/0")];
    "twice", |r| r.file("/a", "x").file("/b", "x"), ["/a", "/a", "/b"], DROP_LAST;
    "beside-an-absent-one", |r| r.file("/a", "x"), ["/none", "/none/either", "/a"], DROP_LAST;
    "through-a-link", |r| r.file("/a", "x").symlink("/link", "a"), ["/link"], DROP;
    "through-a-link-in-the-way", |r| r.file("/a/b", "x").symlink("/link", "/a"), ["/link/b"], DROP;
    "with-blanks", |r| r.directory("/a b"), ["/a b"], DROP;
    "file-of-proc", |r| r, ["/proc/sys/kernel/hostname"], DROP;
    "a-mount", |r| r.directory("/data").mount("/data", "tmpfs", "tmpfs", &[]), ["/data"], DROP;
    "in-a-mount", |r| r.directory("/data").directory_beside("d/x")
        .mount("/data", "bind", "{bundle}/d", &["bind"]), ["/data/x"], DROP;
    "a-mount-that-cannot-run-programs", |r| r.directory("/data")
        .mount("/data", "tmpfs", "tmpfs", &["noexec", "nosuid", "nodev"]), ["/data"], DROP;
    "in-a-user-namespace", |r| crate::namespaces::usual_user(r)
        .edit(Edit::Directory("rootfs/dir".into(), 0o777)), ["/dir"], DROP;
    "files-of-the-user-namespace", |r| crate::namespaces::usual_user(r)
        .mount("/tmp", "tmpfs", "tmpfs", &["mode=1777"]), ["/tmp"], DROP;
};

pub(super) const SCENARIOS: &[Scenario] = &[BELOW, BESIDE, NO_NEW_FLAGS, RELATIVE];

const BELOW: Scenario = Scenario::new(
    "linux.readonly-paths/everything-below",
    &["linux.readonly-paths.read-only"],
    &[Fault::Drop(READ_ONLY)],
    |lab, out| {
        let container = lab.running(|r| r.file("/dir/sub/file", "x").set(READ_ONLY, ["/dir", "/proc/sys"]))?;
        for path in ["/dir/sub/file", "/dir/new", "/proc/sys/kernel/hostname"] {
            let wrote = container.ask(write(path))?;
            out.expect(&format!("writing to {path}"), wrote.as_ref().is_err_and(Refused::is_denial), "denied", wrote);
        }
        let read = container.ask(Ask::Read("/dir/sub/file".into()))?;
        out.expect_eq("reading a file below", read, Ok(Reply::Bytes(b"x".to_vec())));
        container.finish_and_delete()
    },
);

/// What is not listed stays writable.
const BESIDE: Scenario = Scenario::new(
    "linux.readonly-paths/nothing-else",
    &["linux.readonly-paths.read-only"],
    &[Fault::Take(READ_ONLY, r#"["/dir"]"#), Fault::Take("/root/readonly", "true")],
    |lab, out| {
        let container = lab.running(|r| r.file("/dir/a", "x").file("/dir/b", "x").set(READ_ONLY, ["/dir/a"]))?;
        for path in ["/dir/b", "/dir/new", "/new"] {
            let written = container.ask(Ask::Write { path: path.into(), data: "y".into() })?;
            out.expect_eq(&format!("writing to {path}"), written, Ok(Reply::Count(1)));
        }
        container.finish_and_delete()
    },
);

/// That a path becomes read-only takes nothing else from the mount: what could not run programs still cannot.
const NO_NEW_FLAGS: Scenario = Scenario::new(
    "linux.readonly-paths/other-options-kept",
    &["linux.readonly-paths.read-only"],
    &[Fault::Drop(READ_ONLY), Fault::Take("/mounts/6/options", "[]")],
    |lab, out| {
        let container = lab.running(|r| {
            let options = ["noexec", "nosuid", "nodev"];
            r.directory("/data").mount("/data", "tmpfs", "tmpfs", &options).set(READ_ONLY, ["/data"])
        })?;
        let seen = container.observe()?;
        let options = seen.mount_at("/data").map(|mount| mount.options.clone()).unwrap_or_default();
        for option in ["ro", "noexec", "nosuid", "nodev"] {
            out.expect("options of the mount", options.iter().any(|has| has == option), option, &options);
        }
        container.finish_and_delete()
    },
)
.needs(&[plimsoll_engine::need::Need::HostView]);

/// A relative path is an invalid value.
const RELATIVE: Scenario = Scenario::new(
    "linux.readonly-paths/relative",
    &["linux.readonly-paths.absolute", "config.values.invalid-error"],
    &[Fault::Drop(READ_ONLY)],
    |lab, out| {
        lab.refuses(out, |r| r.file("/target", "x").set(READ_ONLY, ["/target"]), |r| r.set(READ_ONLY, ["target"]))
    },
);
