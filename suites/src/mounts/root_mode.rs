//! The mode of the directory that is seen where a file system of the kernel is mounted: the one that it comes with or was asked for,
//! whatever the mount point had.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::describe::Octal;
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_fixtures::probe::{Ask, Flaw, Reply};
use plimsoll_fixtures::{Config, Edit, Recipe};
use plimsoll_reports::model::Axis;

use super::entry::{Entry, entries};
use super::filesystem::magic;
use crate::namespaces::usual_user;

/// What nobody asks for: the modes of the kernel.
const GIVEN: Rule = Rule::new(
    "mounts.root-mode",
    &[],
    |config| asks(config, given),
    |config, evidence, out| judge(config, evidence, out, given),
)
.axis(Axis::Compat);

/// What is asked for by `mode=`, of every tmpfs.
const ASKED: Rule = Rule::new(
    "mounts.root-mode-asked",
    &["config.mounts.options.unknown-as-fs-data", "runtime.create.all-properties-applied"],
    |config| asks(config, asked),
    |config, evidence, out| judge(config, evidence, out, asked),
);

fn given(entry: &Entry<'_>) -> Option<u32> {
    match entry.kind {
        "proc" | "sysfs" => Some(0o555),
        "mqueue" => Some(0o1777),
        _ => None,
    }
}

fn asked(entry: &Entry<'_>) -> Option<u32> {
    let mode = entry.value("mode").filter(|_| entry.kind == "tmpfs")?;
    u32::from_str_radix(mode, 8).ok()
}

type Wanted = fn(&Entry<'_>) -> Option<u32>;

/// The file systems that are there to be seen, each with the mode of its root.
fn roots(config: &Config, wanted: Wanted) -> impl Iterator<Item = (Entry<'_>, u32)> {
    let hidden = config.texts("/linux/maskedPaths");
    let plain = move |entry: &Entry<'_>| {
        !entry.is_bind() && !entry.has("remount") && !hidden.contains(&entry.destination.as_str())
    };
    entries(config).into_iter().filter(plain).filter_map(move |entry| wanted(&entry).map(|mode| (entry, mode)))
}

fn asks(config: &Config, wanted: Wanted) -> Vec<Ask> {
    let of = |entry: Entry<'_>| [Ask::Stat(entry.destination.clone()), Ask::Statfs(entry.destination)];
    roots(config, wanted).flat_map(|(entry, _)| of(entry)).collect()
}

fn judge(config: &Config, evidence: &Evidence, out: &mut Judgement, wanted: Wanted) {
    for (entry, mode) in roots(config, wanted) {
        // Where another one is seen, a rule about types has that to say.
        let shown = evidence.inside.get(&Ask::Statfs(entry.destination.clone()));
        let is_it = matches!(shown, Ok(Reply::Statfs(shown)) if Some(shown.magic) == magic(entry.kind));
        if is_it {
            let found = evidence.inside.stat(&entry.destination).map(|stat| Octal(stat.mode)).ok();
            out.expect_eq(&format!("mode of {}", entry.destination), found, Some(Octal(mode)));
        }
    }
}

/// Over directories of this mode, beside `/dev`, where none can be made beforehand.
fn over(recipe: &mut Recipe, mode: u32) -> &mut Recipe {
    let point = |r, path: &str| Recipe::edit(r, Edit::Directory(format!("rootfs{path}"), mode));
    let recipe = ["/proc", "/sys", "/mq", "/shm"].into_iter().fold(recipe, point);
    recipe.mount("/mq", "mqueue", "mqueue", &["nosuid"]).mount("/shm", "tmpfs", "shm", &["mode=1777"])
}

/// Only their owner may enter them.
fn over_private(recipe: &mut Recipe) -> &mut Recipe {
    over(recipe, 0o700)
}

/// Their owner is nobody in the namespace, so that all may enter them.
fn over_public(recipe: &mut Recipe) -> &mut Recipe {
    usual_user(over(recipe, 0o755))
}

const CHANGED: &[Fault] = &[Fault::Flawed(Flaw::Modes)];
const OTHER: &[Fault] = &[Fault::Take("/mounts/3/options/3", "\"mode=755\""), Fault::Drop("/mounts/3/options/3")];
const OTHER_ELSEWHERE: &[Fault] =
    &[Fault::Take("/mounts/7/options/0", "\"mode=755\""), Fault::Drop("/mounts/7/options")];

pub(super) const CASES: &[Case] = &[
    Case::new(&GIVEN, "base", |r| r, CHANGED),
    Case::new(&GIVEN, "over-private-directories", over_private, CHANGED),
    Case::new(&GIVEN, "in-a-user-namespace", usual_user, CHANGED),
    Case::new(&GIVEN, "in-a-user-namespace-over-directories", over_public, CHANGED),
    Case::new(&ASKED, "base", |r| r, OTHER),
    Case::new(&ASKED, "over-a-private-directory", over_private, OTHER_ELSEWHERE),
    Case::new(&ASKED, "in-a-user-namespace", usual_user, OTHER),
    Case::new(&ASKED, "in-a-user-namespace-over-a-directory", over_public, OTHER_ELSEWHERE),
];
