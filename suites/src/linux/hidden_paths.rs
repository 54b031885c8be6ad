//! `linux.maskedPaths` and `linux.readonlyPaths`.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::Ask;

const MASKED: &str = "/linux/maskedPaths";

/// A reader finds nothing at a masked path: an error, end-of-file or an empty directory are all that.
const MASKED_PATHS: Rule = Rule::new(
    "linux.masked-paths",
    &["linux.masked-paths.unreadable"],
    |config| masked(config).flat_map(|path| [Ask::Read(path.clone()), Ask::List(path)]).collect(),
    |config, evidence, out| {
        for path in masked(config) {
            let read = evidence.inside.read(&path);
            out.expect(&format!("reading {path}"), read.is_err() || read == Ok(&vec![]), "no content", read);
            let list = evidence.inside.list(&path);
            out.expect(&format!("listing {path}"), list.is_err() || list == Ok(&vec![]), "no entries", list);
        }
    },
);

fn masked(config: &Config) -> impl Iterator<Item = String> {
    config.texts(MASKED).into_iter().map(str::to_owned)
}

pub(super) const CASES: &[Case] = &[
    Case::new(&MASKED_PATHS, "file", |r| r.file("/target", "secret").set(MASKED, ["/target"]), &[Fault::Drop(MASKED)]),
    Case::new(
        &MASKED_PATHS,
        "several",
        |r| r.file("/a", "secret").file("/b/c", "secret").set(MASKED, ["/a", "/b"]),
        &[Fault::DropLast(MASKED), Fault::Drop("/linux/maskedPaths/0")],
    ),
];
