//! `root`: the directory, and whether it is writable (`config.md#root`).

use std::fs;
use std::os::unix::fs::MetadataExt;

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{self, Ask};
use plimsoll_fixtures::recipe::Edit;
use plimsoll_fixtures::{Config, Recipe};

/// `/` of the program is the directory that `root.path` names, seen from the bundle.
const DIRECTORY: Rule = Rule::new(
    "config.root.path",
    &["config.root.is-container-rootfs", "config.root.path-relative-form", "config.root.path-absolute-form"],
    |_| vec![Ask::Stat("/".into())],
    |config, evidence, out| {
        let named = evidence.bundle.dir.join(config.text("/root/path").unwrap_or_default());
        let named = fs::metadata(&named).map(|found| (found.dev(), found.ino())).ok();
        let inside = evidence.inside.stat("/").map(|found| (found.device, found.inode)).ok();
        out.expect("device and inode of /", named.is_some() && inside == named, named.describe(), inside);
    },
)
.needs(&[Need::HostView]);

/// A second root filesystem in the bundle.
fn other<'r>(recipe: &'r mut Recipe, path: &str) -> &'r mut Recipe {
    recipe.edit(Edit::Probe(format!("{path}{}", probe::PATH)))
}

/// One below a directory that a link leads to, too: the directory that the path names is there.
fn linked(recipe: &mut Recipe) -> &mut Recipe {
    other(recipe, "real/tree").edit(Edit::Symlink("link".into(), "real".into()))
}

const NO_LINK: &[Fault] = &[Fault::Take("/root/path", "\"rootfs\""), Fault::Fail(Op::Create)];
const OTHER: &[Fault] = &[Fault::Take("/root/path", "\"rootfs\"")];
const MISTAKEN: &[Fault] = &[Fault::Take("/root/path", "\"/\"")];

/// What is tried at `/`; a write to a file, a new file and a new directory.
fn attempts() -> [Ask; 3] {
    let write = |path: &str| Ask::Write { path: path.into(), data: "x".into() };
    [write("/etc/old"), write("/new"), Ask::Mkdir("/directory".into())]
}

/// `/` can be written unless `root.readonly` is true.
const READONLY: Rule = Rule::new(
    "config.root.readonly",
    &["config.root.readonly-true", "config.root.readonly-default-false"],
    |_| attempts().into(),
    |config, evidence, out| {
        for ask in attempts() {
            let done = evidence.inside.get(&ask);
            let (met, expected) = match config.flag("/root/readonly") {
                true => (done.is_err_and(probe::Refused::is_denial), "refused"),
                false => (done.is_ok(), "success"),
            };
            out.expect(&ask.describe(), met, expected, done);
        }
    },
);

/// Mounts below a read-only root keep their own mind.
const BELOW: Rule = Rule::new(
    "config.root.readonly-is-not-for-mounts",
    &["config.root.readonly-true"],
    |config| below(config).collect(),
    |config, evidence, out| {
        for ask in below(config) {
            let done = evidence.inside.get(&ask);
            out.expect(&ask.describe(), done.is_ok(), "success", done);
        }
    },
);

/// A write to each mount of the configuration that says that it is writable.
fn below(config: &Config) -> impl Iterator<Item = Ask> {
    let writable = config
        .list("/mounts")
        .iter()
        .filter(|mount| mount["options"].as_array().is_some_and(|all| all.contains(&"rw".into())));
    let paths: Vec<String> =
        writable.filter_map(|mount| mount["destination"].as_str()).map(|at| format!("{at}/new")).collect();
    paths.into_iter().map(|path| Ask::Write { path, data: "x".into() })
}

pub(super) const CASES: &[Case] = &[
    Case::new(&DIRECTORY, "relative", |r| r, MISTAKEN),
    Case::new(&DIRECTORY, "relative-with-dot", |r| r.set("/root/path", "./rootfs"), MISTAKEN),
    Case::new(&DIRECTORY, "relative-with-trailing-slash", |r| r.set("/root/path", "rootfs/"), MISTAKEN),
    Case::new(&DIRECTORY, "other-name", |r| other(r, "tree").set("/root/path", "tree"), OTHER),
    Case::new(&DIRECTORY, "deeper", |r| other(r, "a/b c/ü").set("/root/path", "a/b c/ü"), OTHER),
    Case::new(&DIRECTORY, "upwards", |r| other(r, "a/tree").set("/root/path", "a/../a/tree"), OTHER),
    Case::new(&DIRECTORY, "absolute", |r| other(r, "tree").set("/root/path", "{bundle}/tree"), OTHER),
    Case::new(&DIRECTORY, "below-a-link", |r| linked(r).set("/root/path", "link/tree"), NO_LINK),
    Case::new(&DIRECTORY, "absolute-below-a-link", |r| linked(r).set("/root/path", "{bundle}/link/tree"), NO_LINK),
    Case::new(
        &READONLY,
        "true",
        |r| r.file("/etc/old", "").set("/root/readonly", true),
        &[Fault::Drop("/root/readonly"), Fault::Take("/root/readonly", "false")],
    ),
    Case::new(
        &READONLY,
        "false",
        |r| r.file("/etc/old", "").set("/root/readonly", false),
        &[Fault::Take("/root/readonly", "true")],
    ),
    Case::new(
        &READONLY,
        "absent",
        |r| r.file("/etc/old", "").remove("/root/readonly"),
        &[Fault::Take("/root/readonly", "true")],
    ),
    Case::new(
        &BELOW,
        "tmpfs-and-bind",
        |r| {
            r.set("/root/readonly", true).directory("/a").directory("/b").directory_beside("data");
            r.mount("/a", "tmpfs", "tmpfs", &["rw"]).mount("/b", "none", "{bundle}/data", &["bind", "rw"])
        },
        &[Fault::Take("/mounts/6/options", "[\"ro\"]"), Fault::DropLast("/mounts")],
    ),
];
