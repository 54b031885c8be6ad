//! Devices and links of `/dev` that every container has by default (`config-linux.md#default-devices`,
//! `runtime-linux.md#dev-symbolic-links`).

use nix::libc;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Refused, Reply};

/// A device with its numbers is there, and everybody may use it.
fn is_device(out: &mut Judgement, evidence: &Evidence, path: &str, numbers: (u32, u32)) {
    let stat = evidence.inside.stat(path);
    let words = |kind: &str, major, minor, mode: u32| format!("{kind} {major}:{minor}, mode {mode:04o}");
    let described = stat.map(|stat| words(&stat.kind, stat.major, stat.minor, stat.mode & 0o666));
    out.expect_eq(path, described, Ok(words("char", numbers.0, numbers.1, 0o666)));
}

/// A root filesystem without a mount on `/dev`: the nodes are made in the directory of the bundle.
pub(super) fn without_mount(recipe: &mut Recipe) -> &mut Recipe {
    let mounts: Vec<_> = recipe.config().list("/mounts").to_vec();
    let elsewhere = |mount: &serde_json::Value| !mount["destination"].as_str().unwrap_or("").starts_with("/dev");
    recipe.set("/mounts", mounts.into_iter().filter(elsewhere).collect::<Vec<_>>())
}

/// A runtime in whose containers `/dev` is empty.
const HIDE_ALL: Fault = Fault::Take("/linux/maskedPaths", r#"["/dev"]"#);

/// One device a row: name, numbers, and a runtime that puts another device there.
macro_rules! devices {
    ($($name:literal, $rule:ident, $cases:ident, $clause:literal, $numbers:expr, $wrong:literal;)*) => { $(
        const $rule: Rule = Rule::new(
            concat!("linux.default-devices.", $name),
            &[$clause],
            |_| vec![Ask::Stat(concat!("/dev/", $name).into())],
            |_, evidence, out| is_device(out, evidence, concat!("/dev/", $name), $numbers),
        );

        pub(super) const $cases: &[Case] = &[
            Case::new(&$rule, "on-a-tmpfs", |r| r, &[Fault::Take("/linux/devices", $wrong)]),
            Case::new(&$rule, "in-the-root-filesystem", without_mount, &[Fault::Take("/linux/devices", $wrong)]),
            Case::new(&$rule, "in-a-user-namespace", crate::namespaces::usual_user, &[HIDE_ALL]),
        ];
    )* };
}

devices! {
    "null", NULL, NULL_CASES, "linux.default-devices.null", (1, 3),
        r#"[{"path":"/dev/null","type":"c","major":1,"minor":5,"fileMode":438}]"#;
    "zero", ZERO, ZERO_CASES, "linux.default-devices.zero", (1, 5),
        r#"[{"path":"/dev/zero","type":"c","major":1,"minor":3,"fileMode":438}]"#;
    "full", FULL, FULL_CASES, "linux.default-devices.full", (1, 7),
        r#"[{"path":"/dev/full","type":"c","major":1,"minor":3,"fileMode":438}]"#;
    "random", RANDOM, RANDOM_CASES, "linux.default-devices.random", (1, 8),
        r#"[{"path":"/dev/random","type":"c","major":1,"minor":3,"fileMode":438}]"#;
    "urandom", URANDOM, URANDOM_CASES, "linux.default-devices.urandom", (1, 9),
        r#"[{"path":"/dev/urandom","type":"c","major":1,"minor":3,"fileMode":438}]"#;
    "tty", TTY, TTY_CASES, "linux.default-devices.tty", (5, 0),
        r#"[{"path":"/dev/tty","type":"c","major":1,"minor":3,"fileMode":438}]"#;
}

/// Each device does what it is there for; all but the terminal, which is that of a session that has one.
const USABLE: Rule = Rule::new(
    "linux.default-devices.usable",
    &[
        "linux.default-devices.null",
        "linux.default-devices.zero",
        "linux.default-devices.full",
        "linux.default-devices.random",
        "linux.default-devices.urandom",
    ],
    |_| {
        let read = ["null", "zero", "full", "random", "urandom"].map(|name| Ask::Read(format!("/dev/{name}")));
        let write = ["null", "zero", "full"].map(write);
        read.into_iter().chain(write).collect()
    },
    |_, evidence, out| {
        let read = |name: &str| evidence.inside.read(&format!("/dev/{name}"));
        out.expect_eq("reading null", read("null"), Ok(&vec![]));
        for name in ["zero", "full"] {
            let zeros = read(name).is_ok_and(|bytes| !bytes.is_empty() && bytes.iter().all(|&byte| byte == 0));
            out.expect(&format!("reading {name}"), zeros, "zeros", read(name).map(Vec::len));
        }
        for name in ["random", "urandom"] {
            let varied = read(name).is_ok_and(|bytes| bytes.iter().any(|&byte| byte != bytes[0]));
            out.expect(&format!("reading {name}"), varied, "bytes of all kinds", read(name).map(Vec::len));
        }
        for name in ["null", "zero"] {
            out.expect_eq(&format!("writing to {name}"), evidence.inside.count(&write(name)), Ok(1));
        }
        let full = evidence.inside.count(&write("full"));
        out.expect("writing to full", full.is_err_and(Refused::is_denial), "an error: it is full", full);
    },
);

fn write(name: &str) -> Ask {
    Ask::Write { path: format!("/dev/{name}"), data: "x".into() }
}

const MASK_ZERO: Fault = Fault::Take("/linux/maskedPaths", r#"["/dev/zero"]"#);
const MASK_FULL: Fault = Fault::Take("/linux/maskedPaths", r#"["/dev/full"]"#);

/// `/dev/ptmx` leads to the one of the container's own `/dev/pts`, by whatever means.
const PTMX: Rule = Rule::new(
    "linux.default-devices.ptmx",
    &["linux.default-devices.ptmx"],
    |_| vec![Ask::Stat("/dev/ptmx".into()), Ask::Stat("/dev/pts/ptmx".into()), open_ptmx()],
    |_, evidence, out| {
        let file = |path| evidence.inside.stat(path).map(|stat| (stat.device, stat.inode));
        let numbers = evidence.inside.stat("/dev/ptmx").map(|stat| (stat.kind.as_str(), stat.major, stat.minor));
        out.expect_eq("kind, major and minor of /dev/ptmx", numbers, Ok(("char", 5, 2)));
        out.expect_eq("filesystem and inode of /dev/ptmx", file("/dev/ptmx"), file("/dev/pts/ptmx"));
        out.expect_eq("opening it", evidence.inside.get(&open_ptmx()), Ok(&Reply::Done));
    },
);

fn open_ptmx() -> Ask {
    Ask::Open { path: "/dev/ptmx".into(), flags: libc::O_RDWR }
}

/// With `/proc` mounted, these links lead into it.
const LINKS: Rule = Rule::new(
    "linux.dev-symlinks",
    &[
        "runtime-linux.dev-symlinks.fd",
        "runtime-linux.dev-symlinks.stdin",
        "runtime-linux.dev-symlinks.stdout",
        "runtime-linux.dev-symlinks.stderr",
    ],
    |_| TARGETS.iter().map(|(link, _)| Ask::Readlink((*link).into())).collect(),
    |_, evidence, out| {
        for (link, target) in TARGETS {
            let found = evidence.inside.text(&Ask::Readlink((*link).into()));
            out.expect_eq(link, found.map(String::as_str), Ok(*target));
        }
    },
);

const TARGETS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];

/// A runtime that puts devices where the links belong.
const NO_LINKS: Fault = Fault::Take(
    "/linux/devices",
    r#"[{"path":"/dev/fd","type":"c","major":1,"minor":3},{"path":"/dev/stderr","type":"c","major":1,"minor":3}]"#,
);

pub(super) const CASES: &[Case] = &[
    Case::new(&USABLE, "by-root", |r| r, &[MASK_ZERO, MASK_FULL]),
    Case::new(&USABLE, "by-another-user", |r| r.set("/process/user/uid", 1000), &[MASK_ZERO, MASK_FULL]),
    Case::new(&USABLE, "in-the-root-filesystem", without_mount, &[MASK_ZERO, MASK_FULL]),
    Case::new(&USABLE, "in-a-user-namespace", crate::namespaces::usual_user, &[MASK_ZERO, MASK_FULL]),
    Case::new(&PTMX, "on-a-tmpfs", |r| r, &[Fault::Take("/linux/maskedPaths", r#"["/dev/ptmx"]"#)]),
    Case::new(
        &PTMX,
        "in-a-user-namespace",
        crate::namespaces::usual_user,
        &[Fault::Take("/linux/maskedPaths", r#"["/dev/ptmx"]"#)],
    ),
    Case::new(&LINKS, "on-a-tmpfs", |r| r, &[NO_LINKS]),
    Case::new(&LINKS, "in-the-root-filesystem", without_mount, &[NO_LINKS]),
    Case::new(&LINKS, "in-a-user-namespace", crate::namespaces::usual_user, &[NO_LINKS]),
];

pub(super) const SCENARIOS: &[Scenario] = &[CONSOLE, BEFORE_START];

/// The console is the terminal of the program, whether by a mount, as the specification has it, or by a link.
const CONSOLE: Scenario = Scenario::new(
    "linux.default-devices.console/with-terminal",
    &["linux.default-devices.console-with-terminal"],
    &[Fault::Take("/linux/maskedPaths", r#"["/dev/console"]"#)],
    |lab, out| {
        let container = lab.running(|r| r.set("/process/terminal", true))?;
        let terminal = match container.ask(Ask::Terminal)? {
            Ok(Reply::Terminal(terminal)) => Some(terminal.device),
            _ => None,
        };
        let console = match container.ask(Ask::Stat("/dev/console".into()))? {
            Ok(Reply::Stat(stat)) => Some([stat.major, stat.minor]),
            _ => None,
        };
        out.expect("/dev/console", console.is_some() && console == terminal, terminal.describe(), console);
        container.kill(nix::sys::signal::Signal::SIGKILL)?.ok()?;
        container.wait()?;
        container.delete()?.ok()
    },
);

/// They are there before the program is: hooks and the like may use them.
const BEFORE_START: Scenario = Scenario::new(
    "linux.dev-symlinks/before-start",
    &["runtime-linux.dev-symlinks.fd", "runtime-linux.dev-symlinks.stdin"],
    &[NO_LINKS],
    |lab, out| {
        let container = lab.created(|r| r)?;
        let link = |name: &str| std::fs::read_link(format!("/proc/{}/root/dev/{name}", container.pid)).ok();
        out.expect_eq("/dev/fd", link("fd").as_deref(), Some(std::path::Path::new("/proc/self/fd")));
        out.expect_eq("/dev/stderr", link("stderr").as_deref(), Some(std::path::Path::new("/proc/self/fd/2")));
        container.delete_by_force()?.ok()
    },
)
.needs(&[plimsoll_engine::need::Need::HostView]);
