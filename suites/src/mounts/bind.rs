//! Bind mounts: their sources, what makes an entry a bind mount, and which submounts are included (`config.md#mounts`).

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_fixtures::{Config, Recipe};
use plimsoll_foreign::read;

use super::entry::{Entry, entries};
use super::refusal::refuses;
use super::tree;

/// The name of the sources here: a file with its name as content, or a directory with such a file.
const MARKER: &str = "marker";

/// What a bind mount of a marker shows is the marker.
macro_rules! shows_marker {
    ($id:literal, $cites:expr) => {
        &Rule::new(
            $id,
            $cites,
            |config| markers(config).flat_map(|(file, below)| [file, below]).collect(),
            judge_marker,
        )
    };
}

fn bound(config: &Config) -> impl Iterator<Item = Entry<'_>> {
    entries(config).into_iter().filter(Entry::is_bind)
}

/// The questions for each bind mount of a marker: as a file, as a directory.
fn markers(config: &Config) -> impl Iterator<Item = (Ask, Ask)> {
    let marked = bound(config).filter(|entry| entry.source.rsplit('/').next() == Some(MARKER));
    let read = |path: &str| Ask::Read(path.to_owned());
    marked.map(move |entry| (read(&entry.destination), read(&format!("{}/{MARKER}", entry.destination))))
}

fn judge_marker(config: &Config, evidence: &Evidence, out: &mut Judgement) {
    let shown = Ok(&Reply::Bytes(MARKER.into()));
    for (file, below) in markers(config) {
        let found = [evidence.inside.get(&file), evidence.inside.get(&below)];
        out.expect(
            &format!("{} or {}", file.describe(), below.describe()),
            found.contains(&shown),
            "the content of the source",
            found,
        );
    }
}

/// A directory that is a marker.
fn directory(recipe: &mut Recipe) -> &mut Recipe {
    recipe.beside("marker/marker", MARKER)
}

/// A file that is a marker.
fn file(recipe: &mut Recipe) -> &mut Recipe {
    recipe.beside("marker", MARKER)
}

const NO_MOUNT: &[Fault] = &[Fault::Drop("/mounts/6")];

pub(super) const SOURCES: &[Case] = &[
    Case::new(
        shows_marker!("mounts.bind.source", &["config.mounts.bind-source-absolute", "config.mounts.option.bind"]),
        "directory",
        |r| directory(r).directory("/m").mount("/m", "none", "{bundle}/marker", &["bind"]),
        NO_MOUNT,
    ),
    Case::new(
        shows_marker!("mounts.bind.source", &["config.mounts.bind-source-relative"]),
        "relative-starts-at-the-bundle",
        |r| directory(r).directory("/m").mount("/m", "none", "marker", &["bind"]),
        &[Fault::Drop("/mounts/6"), Fault::Take("/mounts/6/source", "\"/marker\"")],
    ),
    Case::new(
        shows_marker!("mounts.bind.source", &["config.mounts.bind-source-relative"]),
        "relative-with-parent",
        |r| directory(r).directory("/m").mount("/m", "none", "rootfs/../marker", &["bind"]),
        NO_MOUNT,
    ),
    Case::new(
        shows_marker!("mounts.bind.source", &["config.mounts.source-file-bind"]),
        "file-over-file",
        |r| file(r).file("/m", "inside").mount("/m", "none", "{bundle}/marker", &["bind"]),
        NO_MOUNT,
    ),
    Case::new(
        shows_marker!("mounts.bind.source", &["config.mounts.source-file-bind"]),
        "file-where-nothing-was",
        |r| file(r).mount("/deep/er/m", "none", "{bundle}/marker", &["bind", "ro"]),
        NO_MOUNT,
    ),
    Case::new(
        shows_marker!("mounts.bind.source", &["config.mounts.bind-source-absolute", "config.mounts.option.rbind"]),
        "directory-where-nothing-was",
        |r| directory(r).mount("/deep/er/m", "none", "{bundle}/marker", &["rbind"]),
        NO_MOUNT,
    ),
];

/// The options make a bind mount; the type has no say.
macro_rules! by_options {
    () => {
        shows_marker!(
            "mounts.bind.decided-by-options",
            &["config.mounts.bind-decided-by-options", "config.mounts.type-dummy-for-bind"]
        )
    };
}

/// A runtime that goes by the type mounts what the type says.
const NOT_BOUND: &[Fault] = &[Fault::Drop("/mounts/6/options/0"), Fault::Drop("/mounts/6")];
const ABSENT: &[Fault] = &[Fault::Drop("/mounts/6"), Fault::Take("/mounts/6", "{ \"destination\": \"/m\" }")];

pub(super) const TYPES: &[Case] = &[
    Case::new(
        by_options!(),
        "type-none",
        |r| directory(r).mount("/m", "none", "{bundle}/marker", &["bind"]),
        NOT_BOUND,
    ),
    Case::new(
        by_options!(),
        "type-bind",
        |r| directory(r).mount("/m", "bind", "{bundle}/marker", &["rbind"]),
        NO_MOUNT,
    ),
    Case::new(
        by_options!(),
        "type-of-another-filesystem",
        |r| directory(r).mount("/m", "tmpfs", "{bundle}/marker", &["bind"]),
        NOT_BOUND,
    ),
    Case::new(
        by_options!(),
        "type-unknown",
        |r| directory(r).mount("/m", "plimsoll", "{bundle}/marker", &["rbind"]),
        NOT_BOUND,
    ),
    Case::new(
        by_options!(),
        "type-absent",
        |r| directory(r).mount("/m", "none", "{bundle}/marker", &["bind"]).remove("/mounts/6/type"),
        ABSENT,
    ),
];

/// Whether the mount below the source is there: with `rbind` it is, with `bind` it is not.
const SUBMOUNTS: Rule = Rule::new(
    "mounts.bind.submounts",
    &["config.mounts.option.bind", "config.mounts.option.rbind"],
    |config| bound(config).map(|entry| Ask::List(format!("{}/sub", entry.destination))).collect(),
    |config, evidence, out| {
        for entry in bound(config) {
            let below = format!("{}/sub", entry.destination);
            let names = evidence.inside.list(&below);
            let (is_there, wanted) = (names.is_ok_and(|names| !names.is_empty()), entry.has("rbind"));
            out.expect(&below, names.is_ok() && is_there == wanted, format!("mounted: {wanted}"), names);
        }
    },
);

pub(super) const DEPTH: &[Case] = &[
    Case::new(
        &SUBMOUNTS,
        "bind-leaves-them",
        |r| tree::bound(r, &[], &[], &["bind"]),
        &[Fault::Take("/mounts/6/options/0", "\"rbind\""), Fault::Drop("/mounts/6")],
    ),
    Case::new(
        &SUBMOUNTS,
        "rbind-takes-them",
        |r| tree::bound(r, &[], &[], &["rbind"]),
        &[Fault::Take("/mounts/6/options/0", "\"bind\""), Fault::Drop("/mounts/6")],
    ),
    Case::new(
        &SUBMOUNTS,
        "rbind-read-only-takes-them",
        |r| tree::bound(r, &[], &[], &["rbind", "ro"]),
        &[Fault::Take("/mounts/6/options/0", "\"bind\"")],
    ),
];

const REFUSED: &[Fault] = &[Fault::Drop("/mounts/6"), Fault::Succeed(Op::Create)];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "mounts.bind.source/missing-is-refused",
        &["config.mounts.bind-source-absolute"],
        REFUSED,
        |lab, out| {
            refuses(
                lab,
                out,
                |r| r.directory_beside("data").mount("/m", "none", "{bundle}/data", &["bind"]),
                |r| r.directory_beside("data").mount("/m", "none", "{bundle}/missing", &["bind"]),
            )
        },
    ),
    // No file system of the kernel is called so, and without the option it is no bind mount.
    Scenario::new(
        "mounts.bind.decided-by-options/type-bind-alone-is-none",
        &["config.mounts.bind-decided-by-options", "config.values.invalid-error"],
        REFUSED,
        |lab, out| {
            refuses(
                lab,
                out,
                |r| r.directory_beside("data").mount("/m", "bind", "{bundle}/data", &["bind", "ro"]),
                |r| r.directory_beside("data").mount("/m", "bind", "{bundle}/data", &["ro"]),
            )
        },
    ),
    Scenario::new(
        "mounts.bind.source/writes-arrive-on-the-host",
        &["config.mounts.bind-source-absolute", "config.mounts.option.bind"],
        &[Fault::Drop("/mounts/6"), Fault::Drop("/mounts/6/options/0")],
        |lab, out| {
            let container =
                lab.running(|r| r.directory_beside("data").mount("/m", "tmpfs", "{bundle}/data", &["bind"]))?;
            let wrote = container.ask(Ask::Write { path: "/m/new".to_owned(), data: "from inside".to_owned() })?;
            out.expect("writing at /m", wrote.is_ok(), "works", wrote);
            let found = read::text(&container.bundle.dir.join("data/new"), read::DOCUMENT).ok();
            out.expect_eq("the file on the host", found, Some("from inside".to_owned()));
            container.finish_and_delete()
        },
    ),
];
