//! Recursive options (`rro`, `rnosuid`, …), by the kernel's list of mounts, at the top and below.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::Ask;

use super::flags::{judge, shown};
use super::options::word;
use super::tree;

/// Binds a tree whose lower mount the host has mounted with `sub`.
fn rbind<'r>(recipe: &'r mut Recipe, sub: &[&str], word: &str) -> &'r mut Recipe {
    tree::bound(recipe, &[], sub, &["rbind", word])
}

/// The word is ignored, or taken for the one that concerns the top alone.
macro_rules! or_plain {
    ($plain:literal) => {
        &[
            Fault::Drop("/mounts/6/options/1"),
            Fault::Take("/mounts/6/options/1", concat!("\"", $plain, "\"")),
            Fault::Drop("/mounts/6"),
        ]
    };
}

/// A runtime that does not know the word, and gives it to the filesystem.
const AS_DATA: &[Fault] =
    &[Fault::Drop("/mounts/6"), Fault::Take("/mounts/6/options/1", "\"plimsoll-knows-no-such-option\"")];
/// Flags of a whole tree need mount_setattr(2).
const SETATTR: &[Need] = &[Need::HostView, Need::Kernel(5, 12)];
const SYMFOLLOW: &[Need] = &[Need::HostView, Need::Kernel(5, 14)];

/// The table of the specification has no row for it, its list of features has.
const RNODEV: Rule = Rule::by_host(
    "mounts.option.rnodev",
    &["config.mounts.options.custom-like-mount8", "config.mounts.option.rdev"],
    |config, evidence, out| judge(word("rnodev"), config, evidence, out),
);

pub(super) const SETTING: &[Case] = &[
    Case::new(shown!("rro"), "tree", |r| rbind(r, &[], "rro"), or_plain!("ro")).needs(SETATTR),
    Case::new(shown!("rnosuid"), "tree", |r| rbind(r, &[], "rnosuid"), or_plain!("nosuid")).needs(SETATTR),
    Case::new(&RNODEV, "tree", |r| rbind(r, &[], "rnodev"), or_plain!("nodev")).needs(SETATTR),
    Case::new(shown!("rnoexec"), "tree", |r| rbind(r, &[], "rnoexec"), or_plain!("noexec")).needs(SETATTR),
    Case::new(shown!("rnosymfollow"), "tree", |r| rbind(r, &[], "rnosymfollow"), or_plain!("nosymfollow"))
        .needs(SYMFOLLOW),
    Case::new(shown!("rnodiratime"), "tree", |r| rbind(r, &[], "rnodiratime"), or_plain!("nodiratime")).needs(SETATTR),
    Case::new(shown!("rnoatime"), "tree", |r| rbind(r, &[], "rnoatime"), or_plain!("noatime")).needs(SETATTR),
    Case::new(shown!("rrelatime"), "tree", |r| rbind(r, &["noatime"], "rrelatime"), or_plain!("relatime"))
        .needs(SETATTR),
    Case::new(shown!("rstrictatime"), "tree", |r| rbind(r, &[], "rstrictatime"), or_plain!("strictatime"))
        .needs(SETATTR),
];

pub(super) const CLEARING: &[Case] = &[
    Case::new(shown!("rrw"), "tree", |r| rbind(r, &["ro"], "rrw"), or_plain!("rw")).needs(SETATTR),
    Case::new(shown!("rsuid"), "tree", |r| rbind(r, &["nosuid"], "rsuid"), or_plain!("suid")).needs(SETATTR),
    Case::new(shown!("rdev"), "tree", |r| rbind(r, &["nodev"], "rdev"), or_plain!("dev")).needs(SETATTR),
    Case::new(shown!("rexec"), "tree", |r| rbind(r, &["noexec"], "rexec"), or_plain!("exec")).needs(SETATTR),
    Case::new(shown!("rsymfollow"), "tree", |r| rbind(r, &["nosymfollow"], "rsymfollow"), or_plain!("symfollow"))
        .needs(SYMFOLLOW),
    Case::new(shown!("rdiratime"), "tree", |r| rbind(r, &["nodiratime"], "rdiratime"), or_plain!("diratime"))
        .needs(SETATTR),
    Case::new(shown!("ratime"), "tree", |r| rbind(r, &["noatime"], "ratime"), or_plain!("atime")).needs(SETATTR),
    Case::new(shown!("rnorelatime"), "tree", |r| rbind(r, &[], "rnorelatime"), AS_DATA).needs(SETATTR),
    Case::new(
        shown!("rnostrictatime"),
        "tree",
        |r| rbind(r, &["strictatime"], "rnostrictatime"),
        or_plain!("nostrictatime"),
    )
    .needs(SETATTR),
];

/// Two words in one entry, the later of which takes part of the earlier back.
const RRO_RRW: Case = Case::new(
    shown!("rrw"),
    "after-rro",
    |r| tree::bound(r, &[], &[], &["rbind", "rro", "rrw"]),
    &[Fault::Drop("/mounts/6/options/2")],
)
.needs(SETATTR);

pub(super) const ORDER: &[Case] = &[RRO_RRW];

/// A word without the `r` leaves the mounts below as they are, with `rbind` too.
const PLAIN: Scenario = Scenario::new(
    "mounts.option.ro/leaves-submounts",
    &["config.mounts.option.ro", "config.mounts.option.rbind"],
    &[Fault::Take("/mounts/6/options/1", "\"rro\""), Fault::Take("/mounts/6/options/2", "\"rnoexec\"")],
    |lab, out| {
        let container = lab.running(|r| tree::bound(r, &[], &[], &["rbind", "ro", "noexec"]))?;
        let write = |path: &str| Ask::Write { path: path.to_owned(), data: "x".to_owned() };
        let above = container.ask(write("/m/new"))?;
        out.expect("writing at the top", above.is_err(), "refused", above);
        for ask in [write("/m/sub/new"), Ask::Run(vec!["/m/sub/program".to_owned()])] {
            let below = container.ask(ask.clone())?;
            out.expect(&ask.describe(), below.is_ok(), "as the host has it: works", below);
        }
        container.finish_and_delete()
    },
);

pub(super) const SCENARIOS: &[Scenario] = &[PLAIN];
