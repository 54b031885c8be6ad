//! Descriptors and signals that the program starts with (`runtime-linux.md#file-descriptors`), and its session.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use nix::libc;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Flaw};
use plimsoll_reports::model::Axis;
use serde_json::json;

const ONLY: &[&str] = &["runtime-linux.fds.only-stdio"];

/// The program starts with descriptors 0, 1 and 2 alone.
pub(super) const INSIDE: Rule = Rule::new(
    "process.fds.inside",
    ONLY,
    |_| vec![Ask::Fds],
    |_, evidence, out| {
        let fds = evidence.inside.fds();
        out.expect("open descriptors", fds.is_ok_and(|fds| fds.keys().eq(&[0, 1, 2])), "0, 1 and 2", fds);
    },
);

/// The kernel says the same to the host.
const BY_HOST: Rule = Rule::by_host("process.fds.by-host", ONLY, |_, evidence, out| {
    let fds = &evidence.host().fds;
    out.expect("open descriptors", fds.keys().eq(&[0, 1, 2]), "0, 1 and 2", fds);
});

/// A program of any user can open its own standard descriptors anew, as shells do with `/dev/stdout`.
const REOPENED: Rule = Rule::new(
    "process.stdio.reopened",
    &["config.user.uid-applied"],
    |_| (0..3).map(reopen).collect(),
    |_, evidence, out| {
        for fd in 0..3 {
            let opened = evidence.inside.get(&reopen(fd));
            out.expect(&format!("opening /proc/self/fd/{fd}"), opened.is_ok(), "allowed", opened);
        }
    },
)
.axis(Axis::Compat);

fn reopen(fd: i32) -> Ask {
    let flags = if fd == 0 { libc::O_RDONLY } else { libc::O_WRONLY };
    Ask::Open { path: format!("/proc/self/fd/{fd}"), flags: flags | libc::O_NONBLOCK }
}

/// No signal is blocked or ignored, as it was with the caller of the runtime.
const SIGNALS: Rule = Rule::new(
    "process.signals.clean",
    ONLY,
    |_| vec![Ask::Signals],
    |_, evidence, out| {
        let signals = evidence.inside.signals();
        out.expect_eq("blocked signals", signals.map(|signals| signals.blocked.clone()), Ok(vec![]));
        out.expect_eq("ignored signals", signals.map(|signals| signals.ignored.clone()), Ok(vec![]));
    },
)
.axis(Axis::Compat);

/// The program leads a session and a process group of its own.
const SESSION: Rule = Rule::new(
    "process.session.own",
    ONLY,
    |_| vec![Ask::Session],
    |_, evidence, out| {
        let session = evidence.inside.session();
        out.expect_eq("session", session.map(|s| s.session), session.map(|s| s.pid));
        out.expect_eq("process group", session.map(|s| s.group), session.map(|s| s.pid));
    },
)
.axis(Axis::Compat);

const LEAK: &[Fault] = &[Fault::Flawed(Flaw::Descriptor)];
const SEALED: &[Fault] = &[Fault::Flawed(Flaw::Sealed)];
const SIGNAL: &[Fault] = &[Fault::Flawed(Flaw::Blocked), Fault::Flawed(Flaw::Ignored)];

pub(super) const CASES: &[Case] = &[
    Case::new(&INSIDE, "pipes", |r| r, LEAK),
    Case::new(&INSIDE, "terminal", |r| r.set("/process/terminal", true), LEAK),
    Case::new(
        &INSIDE,
        "of-another-user",
        |r| r.set("/process/user", json!({ "uid": 1000, "gid": 1000 })).set("/process/cwd", "/tmp"),
        LEAK,
    ),
    Case::new(&BY_HOST, "pipes", |r| r, LEAK),
    Case::new(&BY_HOST, "terminal", |r| r.set("/process/terminal", true), LEAK),
    Case::new(
        &REOPENED,
        "pipes-of-another-user",
        |r| r.set("/process/user", json!({ "uid": 1000, "gid": 1000 })),
        SEALED,
    ),
    Case::new(
        &REOPENED,
        "terminal-of-another-user",
        |r| r.set("/process/terminal", true).set("/process/user", json!({ "uid": 1000, "gid": 1000 })),
        SEALED,
    ),
    Case::new(&SIGNALS, "pipes", |r| r, SIGNAL),
    Case::new(&SIGNALS, "terminal", |r| r.set("/process/terminal", true), SIGNAL),
    Case::new(&SESSION, "pipes", |r| r, &[Fault::Flawed(Flaw::Child)]),
    Case::new(&SESSION, "terminal", |r| r.set("/process/terminal", true), &[Fault::Flawed(Flaw::Child)]),
];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("process.fds.inherited/not-those-of-the-caller", ONLY, LEAK, |lab, out| {
        // Descriptors that a careless caller leaves open: a directory of the host would be a way out.
        let host = std::fs::File::open("/")?;
        let _inheritable = [nix::unistd::dup(host.as_fd())?, nix::unistd::dup(host.as_fd())?];
        let container = lab.running(|r| r)?;
        let evidence = container.evidence(vec![Ask::Fds])?;
        (INSIDE.judge)(&container.bundle.config, &evidence, out);
        container.finish_and_delete()
    }),
    Scenario::new(
        "process.stdio.pipes/standard-error-is-the-callers",
        ONLY,
        &[Fault::Flawed(Flaw::Mute), Fault::Flawed(Flaw::Swapped)],
        |lab, out| {
            const SAID: &str = "said on standard error";
            let container = lab.running(|r| r)?;
            let write = Ask::Write { path: "/proc/self/fd/2".into(), data: SAID.into() };
            let written = container.ask(write)?;
            out.expect("writing to descriptor 2", written.is_ok(), "works", &written);
            out.expect("what the caller gets", container.stderr().contains(SAID), SAID, container.stderr());
            container.finish_and_delete()
        },
    ),
    Scenario::new(
        "process.stdio.pipes/standard-output-is-the-programs-alone",
        &[],
        &[Fault::Flawed(Flaw::Noisy)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            let answer = container.ask(Ask::Session)?;
            out.expect("an answer from inside", answer.is_ok(), "one", &answer);
            out.expect_eq("what the program did not write", container.noise().as_str(), "");
            container.finish_and_delete()
        },
    )
    .axis(Axis::Compat),
    Scenario::new(
        "process.fds.preserved/two",
        &["runtime-linux.fds.extra-allowed"],
        &[Fault::Flawed(Flaw::Descriptor)],
        |lab, out| {
            let given = [std::fs::File::open("/dev")?, std::fs::File::open("/sys")?];
            let given = given.map(std::os::fd::OwnedFd::from).into();
            let container = lab.try_create_with(&lab.bundle(|r| r)?, given)?.container()?;
            container.started()?;
            let evidence = container.evidence(vec![Ask::Fds])?;
            let fds = evidence.inside.fds();
            out.expect("descriptors", fds.is_ok_and(|fds| fds.keys().copied().eq(0..5)), "0 to 4", fds);
            let places = |fds: &BTreeMap<i32, String>| [3, 4].map(|fd| fds.get(&fd).cloned().unwrap_or_default());
            out.expect_eq("descriptors 3 and 4", fds.map(places), Ok(["/dev".to_owned(), "/sys".to_owned()]));
            container.finish_and_delete()
        },
    )
    .needs(&[Need::HostView, Need::Option(Op::Create, "preserve-fds")])
    .axis(Axis::Compat),
];
