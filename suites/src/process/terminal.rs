//! `process.terminal` and `process.consoleSize`: the pseudoterminal of the program.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Terminal};
use serde_json::json;

use crate::namespaces::usual_user;

const TERMINAL: &str = "/process/terminal";
const SIZE: &str = "/process/consoleSize";
/// Major number of pseudoterminals (`UNIX98_PTY_SLAVE_MAJOR`) and the seven after it.
const PTY: std::ops::Range<u32> = 136..144;
const STDIO: [&str; 3] = ["/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"];

/// The standard descriptors are one pseudoterminal when one is asked for, and no terminal otherwise.
const STANDARD: Rule = Rule::new(
    "process.terminal.stdio",
    &["config.process.terminal-pty-on-stdio", "config.process.terminal-default-false"],
    |_| STDIO.map(|path| Ask::Stat(path.into())).into_iter().chain([Ask::Terminal]).collect(),
    |config, evidence, out| {
        let wanted = config.flag(TERMINAL);
        let found = evidence.inside.terminal();
        out.expect_eq("isatty of descriptors 0, 1, 2", found.map(|t| t.tty), Ok([wanted; 3]));
        if wanted {
            let stats = STDIO.map(|path| evidence.inside.stat(path));
            let is_one = stats.iter().all(|stat| stat.is_ok() && *stat == stats[0]);
            out.expect("descriptors 0, 1, 2", is_one, "one and the same device", stats);
            let is_pty = stats[0].is_ok_and(|stat| stat.kind == "char" && PTY.contains(&stat.major));
            out.expect("descriptor 0", is_pty, "a pseudoterminal", stats[0]);
        }
    },
);

/// The terminal controls the session of the program.
const CONTROLLING: Rule = Rule::new(
    "process.terminal.controlling",
    &["config.process.terminal-pty-on-stdio"],
    |_| vec![Ask::Terminal],
    |config, evidence, out| {
        let found = evidence.inside.terminal().map(|terminal| terminal.controlling);
        out.expect_eq("/dev/tty can be opened", found, Ok(config.flag(TERMINAL)));
    },
)
.axis(plimsoll_reports::model::Axis::Compat);

/// `/dev/console` is the terminal too, by whatever means it got there.
const CONSOLE: Rule = Rule::new(
    "process.terminal.dev-console",
    &["linux.default-devices.console-with-terminal"],
    |_| vec![Ask::Terminal, Ask::Stat("/dev/console".into())],
    |_, evidence, out| {
        let console = evidence.inside.stat("/dev/console");
        let same = |terminal: &Terminal| console.is_ok_and(|c| [c.major, c.minor] == terminal.device);
        let terminal = evidence.inside.terminal();
        out.expect("/dev/console", terminal.is_ok_and(same), "the device of descriptor 0", (console, terminal));
    },
);

/// The terminal has the configured size from the start.
const CONSOLE_SIZE: Rule = Rule::new(
    "process.console-size.applied",
    &["config.process.console-size-applied"],
    |_| vec![Ask::Terminal],
    |config, evidence, out| {
        let wanted = ["height", "width"].map(|side| config.number(&format!("{SIZE}/{side}")));
        let found = evidence.inside.terminal().map(|terminal| terminal.size);
        let found = found.map(|size| size.map_or([None; 2], |sides| sides.map(|side| Some(side.into()))));
        out.expect_eq("rows and columns", found, Ok(wanted));
    },
);

/// Without a terminal the size means nothing: the program runs, and has no terminal.
const NO_TERMINAL: Rule = Rule {
    id: "process.console-size.without-terminal",
    cites: &["config.process.console-size-ignored-without-terminal"],
    ..STANDARD
};

fn terminal(recipe: &mut Recipe) -> &mut Recipe {
    recipe.set(TERMINAL, true)
}

fn sized(recipe: &mut Recipe, height: u16, width: u16) -> &mut Recipe {
    recipe.set(SIZE, json!({ "height": height, "width": width }))
}

const NONE: &[Fault] = &[Fault::Drop(TERMINAL)];
const ONE: &[Fault] = &[Fault::Take(TERMINAL, "true")];
const SIZES: &[Fault] = &[
    Fault::Drop(SIZE),
    Fault::Take("/process/consoleSize/height", "24"),
    Fault::Take("/process/consoleSize/width", "80"),
];

pub(super) const CASES: &[Case] = &[
    Case::new(&STANDARD, "true", terminal, NONE),
    Case::new(&STANDARD, "false", |r| r.set(TERMINAL, false), ONE),
    Case::new(&STANDARD, "unset", |r| r.remove(TERMINAL), ONE),
    Case::new(
        &STANDARD,
        "of-another-user",
        |r| terminal(r).set("/process/user", json!({ "uid": 1000, "gid": 1000 })),
        NONE,
    ),
    // The streams of the caller are no terminal here, and not the container's to give away.
    Case::new(
        &STANDARD,
        "of-a-mapped-user",
        |r| usual_user(terminal(r)),
        &[Fault::Drop(TERMINAL), Fault::GiveNullAway],
    ),
    Case::new(&CONTROLLING, "true", terminal, NONE),
    Case::new(&CONTROLLING, "false", |r| r, ONE),
    Case::new(&CONSOLE, "true", terminal, NONE),
    Case::new(&CONSOLE_SIZE, "25x81", |r| sized(terminal(r), 25, 81), SIZES),
    Case::new(&CONSOLE_SIZE, "1x1", |r| sized(terminal(r), 1, 1), SIZES),
    Case::new(&CONSOLE_SIZE, "largest", |r| sized(terminal(r), u16::MAX, u16::MAX), SIZES),
    Case::new(
        &CONSOLE_SIZE,
        "tall-and-narrow",
        |r| sized(terminal(r), 400, 3),
        &[Fault::Take(SIZE, r#"{ "height": 3, "width": 400 }"#), Fault::Drop(SIZE)],
    ),
    Case::new(&NO_TERMINAL, "false", |r| sized(r.set(TERMINAL, false), 25, 81), ONE),
    Case::new(&NO_TERMINAL, "unset", |r| sized(r.remove(TERMINAL), 25, 81), ONE),
];
