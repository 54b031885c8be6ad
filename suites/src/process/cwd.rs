//! `process.cwd`: the current directory of the program.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::Ask;
use plimsoll_reports::model::Axis;
use serde_json::json;

const CWD: &str = "/process/cwd";

/// The program starts in the directory that `cwd` names inside, whatever symbolic links lead there.
pub(super) const APPLIED: Rule = Rule::new(
    "process.cwd.applied",
    &["config.process.cwd-applied"],
    |config| vec![Ask::Cwd, Ask::Stat(".".into()), Ask::Stat(wanted(config))],
    |config, evidence, out| {
        let cwd = evidence.inside.text(&Ask::Cwd);
        let is_inside = cwd.is_ok_and(|path| path.starts_with('/'));
        out.expect("current directory", is_inside, "a path below the root of the container", cwd);
        let place = |path: &str| evidence.inside.stat(path).map(|stat| (stat.device, stat.inode)).ok();
        let (here, there) = (place("."), place(&wanted(config)));
        let met = here.is_some() && here == there;
        out.expect("current directory", met, wanted(config), cwd);
    },
);

const SILENT: &str = "the specification does not say what becomes of a cwd that is not there";

/// A directory that the root filesystem lacks: users of runc rely on its being made.
const MISSING: Rule = Rule { id: "process.cwd.missing", axis: Axis::Compat, advisory: Some(SILENT), ..APPLIED };

fn wanted(config: &Config) -> String {
    config.text(CWD).unwrap_or_default().to_owned()
}

const STAYS_AT_ROOT: &[Fault] = &[Fault::Take(CWD, "\"/\"")];

pub(super) const CASES: &[Case] = &[
    Case::new(&APPLIED, "root", |r| r.set(CWD, "/"), &[Fault::Take(CWD, "\"/tmp\"")]),
    Case::new(&APPLIED, "directory", |r| r.set(CWD, "/tmp"), STAYS_AT_ROOT),
    Case::new(
        &APPLIED,
        "nested",
        |r| r.directory("/a/b/c/d").set(CWD, "/a/b/c/d"),
        &[Fault::Take(CWD, "\"/\""), Fault::Take(CWD, "\"/a\"")],
    ),
    Case::new(&APPLIED, "odd-name", |r| r.directory("/a dir/größe\n船").set(CWD, "/a dir/größe\n船"), STAYS_AT_ROOT),
    Case::new(&APPLIED, "trailing-slash", |r| r.set(CWD, "/tmp/"), STAYS_AT_ROOT),
    Case::new(&APPLIED, "dots", |r| r.directory("/a/b").set(CWD, "/a/./b/..//b"), STAYS_AT_ROOT),
    Case::new(
        &APPLIED,
        "symbolic-link",
        |r| r.directory("/real").symlink("/link", "real").set(CWD, "/link"),
        STAYS_AT_ROOT,
    ),
    Case::new(
        &APPLIED,
        "absolute-symbolic-link",
        |r| r.directory("/real/dir").symlink("/link", "/real").set(CWD, "/link/dir"),
        STAYS_AT_ROOT,
    ),
    Case::new(&APPLIED, "on-a-mount", |r| r.mount("/m", "tmpfs", "tmpfs", &[]).set(CWD, "/m"), STAYS_AT_ROOT),
    Case::new(
        &APPLIED,
        "of-another-user",
        |r| r.directory("/home/one").set(CWD, "/home/one").set("/process/user", json!({ "uid": 1000, "gid": 1000 })),
        STAYS_AT_ROOT,
    ),
    Case::new(&MISSING, "made", |r| r.set(CWD, "/none/such"), STAYS_AT_ROOT),
    Case::new(
        &MISSING,
        "made-below-a-read-only-root",
        |r| r.set("/root/readonly", true).set(CWD, "/none/such"),
        STAYS_AT_ROOT,
    ),
];
