//! `process.args`: a first entry without a slash is searched for in the container's own `PATH`, as execvp(3) does.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::recipe::Edit;
use plimsoll_fixtures::{Bundle, Config, Recipe};

const CITES: &[&str] = &["config.process.args-path-search"];
const EXE: &str = "/proc/self/exe";

/// What runs is the first executable file of that name in the directories of `PATH`.
const SEARCH: Rule = Rule::new(
    "process.args.path-search",
    CITES,
    |_| vec![Ask::Readlink(EXE.into()), Ask::Args],
    |config, evidence, out| {
        let program = evidence.inside.text(&Ask::Readlink(EXE.into()));
        out.expect_eq("the program that runs", program.ok().cloned(), found(config, &evidence.bundle));
        let name = evidence.inside.names(&Ask::Args).ok().and_then(|args| args.first());
        out.expect_eq("argv[0]", name.map(String::as_str), config.text("/process/args/0"));
    },
);

fn found(config: &Config, bundle: &Bundle) -> Option<String> {
    let name = config.text("/process/args/0")?;
    let path = config.texts("/process/env").into_iter().rev().find_map(|entry| entry.strip_prefix("PATH="))?;
    path.split(':').map(|dir| format!("{dir}/{name}")).find(|path| {
        let meta = fs::metadata(format!("{}{path}", bundle.rootfs().display()));
        meta.is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}

/// A bare name, this `PATH`, and the probe in these directories.
fn bare<'r>(recipe: &'r mut Recipe, path: &str, dirs: &[&str]) -> &'r mut Recipe {
    recipe.args(&["probe"]).set("/process/env", [format!("PATH={path}")]);
    dirs.iter().fold(recipe, |r, dir| r.edit(Edit::Probe(format!("rootfs{dir}/probe"))))
}

const USES_ITS_OWN_PATH: Fault = Fault::Take("/process/env/0", "\"PATH=/usr/local/bin:/usr/bin:/bin\"");
const TAKES_SECOND: Fault = Fault::Take("/process/args/0", "\"/second/probe\"");

pub(super) const CASES: &[Case] = &[
    Case::new(&SEARCH, "found", |r| bare(r, "/opt/own", &["/opt/own"]), &[USES_ITS_OWN_PATH]),
    Case::new(&SEARCH, "found-in-the-second", |r| bare(r, "/first:/second", &["/second"]), &[USES_ITS_OWN_PATH]),
    Case::new(&SEARCH, "first-wins", |r| bare(r, "/first:/second", &["/first", "/second"]), &[TAKES_SECOND]),
    Case::new(
        &SEARCH,
        "skips-what-cannot-be-executed",
        |r| bare(r, "/first:/second", &["/second"]).file("/first/probe", "no program"),
        &[USES_ITS_OWN_PATH, Fault::Take("/process/args/0", "\"/first/probe\"")],
    ),
    Case::new(
        &SEARCH,
        "skips-a-directory",
        |r| bare(r, "/first:/second", &["/second"]).directory("/first/probe"),
        &[USES_ITS_OWN_PATH, TAKES_SECOND],
    ),
    Case::new(
        &SEARCH,
        "path-is-not-the-first-variable",
        |r| bare(r, "/opt/own", &["/opt/own"]).set("/process/env", ["A=PATH=/bin", "XPATH=/bin", "PATH=/opt/own"]),
        &[Fault::Take("/process/env/2", "\"PATH=/bin\""), Fault::DropLast("/process/env")],
    ),
];

/// The program is where the runtime's own `PATH` leads, and where that of the container does not.
const NOT_THE_RUNTIMES: Scenario = Scenario::new(
    "process.args.path-search/not-that-of-the-runtime",
    CITES,
    &[Fault::Take("/process/env/0", "\"PATH=/usr/bin\"")],
    |lab, out| lab.refuses(out, |r| bare(r, "/usr/bin", &["/usr/bin"]), |r| r.set("/process/env", ["PATH=/opt/own"])),
);

const NOT_FOUND: Scenario = Scenario::new(
    "process.args.path-search/not-found",
    CITES,
    &[Fault::Take("/process/args/0", "\"/probe\"")],
    |lab, out| lab.refuses(out, |r| bare(r, "/opt/own", &["/opt/own"]), |r| r.args(&["no-such-program"])),
);

/// A name without a slash is not looked up in the current directory.
const NOT_IN_CWD: Scenario = Scenario::new(
    "process.args.path-search/not-in-the-current-directory",
    CITES,
    &[Fault::Take("/process/args/0", "\"./probe\"")],
    |lab, out| lab.refuses(out, |r| r.set("/process/cwd", "/"), |r| bare(r, "/opt/own", &[])),
);

pub(super) const SCENARIOS: &[Scenario] = &[NOT_THE_RUNTIMES, NOT_FOUND, NOT_IN_CWD];
