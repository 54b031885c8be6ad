//! `process.args`: the argument vector.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::Ask;

const ARGS: &str = "/process/args";

/// The program's argument vector is the configured array, byte for byte.
pub(super) const ARGV: Rule = Rule::new(
    "process.args.argv",
    &["config.process.args-argv"],
    |_| vec![Ask::Args],
    |config, evidence, out| match evidence.inside.names(&Ask::Args) {
        Ok(args) => out.expect_eq("argument vector", args.as_slice(), config.texts(ARGS)),
        Err(why) => out.expect("argument vector", false, "known", why),
    },
);

const FORGETS_LAST: &[Fault] = &[Fault::DropLast(ARGS)];
const FORGETS_SECOND: &[Fault] = &[Fault::Drop("/process/args/1"), Fault::DropLast(ARGS)];

pub(super) const CASES: &[Case] = &[
    Case::new(&ARGV, "one", |r| r, &[Fault::Take(ARGS, r#"["/probe", "-"]"#)]),
    Case::new(&ARGV, "several", |r| r.args(&["/probe", "one", "two", "three"]), FORGETS_SECOND),
    Case::new(&ARGV, "empty-strings", |r| r.args(&["/probe", "", "x", "", ""]), FORGETS_SECOND),
    Case::new(&ARGV, "options", |r| r.args(&["/probe", "--version", "-x", "--", "--help"]), FORGETS_SECOND),
    Case::new(
        &ARGV,
        "white-space",
        |r| r.args(&["/probe", "a b", " lead", "trail ", "tab\there", "line\nbreak", "\n"]),
        &[Fault::Take("/process/args/1", "\"a\""), Fault::Take("/process/args/2", "\"lead\""), Fault::DropLast(ARGS)],
    ),
    Case::new(
        &ARGV,
        "shell-syntax",
        |r| r.args(&["/probe", "$HOME", "`id`", "*", "'quoted'", "\"double\"", "back\\slash", "a;b", "~", "%s"]),
        &[Fault::Take("/process/args/1", "\"/root\""), Fault::Take("/process/args/4", "\"quoted\"")],
    ),
    Case::new(
        &ARGV,
        "unicode",
        |r| r.args(&["/probe", "größe", "船", "🚢", "e\u{301}", "\u{202e}right-to-left", "\u{1}\u{7f}"]),
        &[Fault::Take("/process/args/1", "\"gr??e\""), Fault::Take("/process/args/4", "\"é\"")],
    ),
    Case::new(
        &ARGV,
        "a-hundred",
        |r| (1..100).fold(r.args(&["/probe"]), |r, n| r.push(ARGS, format!("argument {n}"))),
        FORGETS_LAST,
    ),
    Case::new(
        &ARGV,
        "of-100-kilobytes",
        |r| r.args(&["/probe", &"0123456789".repeat(10_000), "end"]),
        &[Fault::Take("/process/args/1", "\"0123456789\""), Fault::DropLast(ARGS)],
    ),
    Case::new(
        &ARGV,
        "relative-program",
        |r| r.args(&["./probe", "x"]).set("/process/cwd", "/"),
        &[Fault::Take("/process/args/0", "\"/probe\""), Fault::DropLast(ARGS)],
    ),
    Case::new(
        &ARGV,
        "first-with-dots",
        |r| r.args(&["/tmp/..//./probe"]),
        &[Fault::Take("/process/args/0", "\"/probe\"")],
    ),
    // A link is a valid way to a program, as /bin and /bin/sh are in most images.
    Case::new(&ARGV, "below-a-link", |r| r.symlink("/link", "/").args(&["/link/probe"]), NO_LINK),
    Case::new(&ARGV, "program-is-a-link", |r| r.symlink("/opt/probe", "../probe").args(&["/opt/probe"]), NO_LINK),
];

const NO_LINK: &[Fault] = &[Fault::Take("/process/args/0", "\"/probe\""), Fault::Fail(Op::Create)];
