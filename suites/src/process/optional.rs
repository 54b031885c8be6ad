//! Members of `process` that a configuration may leave out: the container runs all the same.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, PATH};

/// The program runs, and is the configured one.
const RUNS: Rule = Rule::new(
    "process.optional",
    &["config.process.optional-members", "config.process.linux.optional-members"],
    |_| vec![Ask::Args, Ask::Terminal, Ask::NoNewPrivileges],
    |config, evidence, out| {
        let inside = &evidence.inside;
        let program = inside.names(&Ask::Args).ok().and_then(|args| args.first());
        out.expect_eq("the program", program.map(String::as_str), Some(PATH));
        let tty = inside.terminal().map(|terminal| terminal.tty[0]);
        out.expect_eq("descriptor 0 is a terminal", tty, Ok(config.flag("/process/terminal")));
        let wanted = i64::from(config.flag("/process/noNewPrivileges"));
        out.expect_eq("no new privileges", inside.count(&Ask::NoNewPrivileges), Ok(wanted));
    },
);

const REFUSES: &[Fault] = &[Fault::Fail(Op::Create), Fault::Take("/process/noNewPrivileges", "true")];
const REFUSES_THIS: &[Fault] = &[Fault::Fail(Op::Create), Fault::Ignore(Op::Start)];

pub(super) const CASES: &[Case] = &[
    Case::new(&RUNS, "without-terminal", |r| r.remove("/process/terminal"), REFUSES_THIS),
    Case::new(&RUNS, "without-env", |r| r.remove("/process/env"), REFUSES_THIS),
    Case::new(&RUNS, "without-capabilities", |r| r.remove("/process/capabilities"), REFUSES_THIS),
    Case::new(
        &RUNS,
        "without-capability-sets",
        |r| r.set("/process/capabilities", serde_json::json!({})),
        REFUSES_THIS,
    ),
    Case::new(&RUNS, "without-no-new-privileges", |r| r.remove("/process/noNewPrivileges"), REFUSES),
    Case::new(
        &RUNS,
        "without-any",
        |r| {
            ["terminal", "env", "capabilities", "noNewPrivileges"]
                .iter()
                .fold(r, |r, member| r.remove(&format!("/process/{member}")))
        },
        REFUSES,
    ),
];
