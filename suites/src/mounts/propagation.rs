//! Propagation options of a mount (`private`, `shared`, `slave`, `unbindable` and their recursive forms), by the tags in
//! the kernel's list of the container's mounts and by what happens to a mount that the host makes later.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Mount;
use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::{Config, Recipe};

use super::entry::entries;
use super::tree;

const KINDS: [&str; 4] = ["private", "shared", "slave", "unbindable"];

/// The rule of one word: the tags of each mount that has it.
macro_rules! tagged {
    ($word:literal) => {
        &Rule::by_host(
            concat!("mounts.propagation.", $word),
            &[concat!("config.mounts.option.", $word)],
            |config, evidence, out| judge($word, config, evidence, out),
        )
    };
}

fn judge(word: &str, config: &Config, evidence: &Evidence, out: &mut Judgement) {
    let kind = word.strip_prefix('r').filter(|kind| KINDS.contains(kind));
    for entry in entries(config).iter().filter(|entry| entry.has(word)) {
        let below = format!("{}/", entry.destination);
        for mount in &evidence.host().mounts {
            let what = format!("tags of {} for {word}", mount.point);
            if mount.point == entry.destination || (kind.is_some() && mount.point.starts_with(&below)) {
                let expected = kind.unwrap_or(word);
                out.expect(&what, is_of(mount, expected), expected, &mount.tags);
            } else if mount.point.starts_with(&below) && ONE_ALONE.contains(&word) && config.get(ROOT).is_none() {
                // What came from the host is never this by itself.
                out.expect(&what, !is_of(mount, word), format!("not {word}: only the mount itself"), &mount.tags);
            }
        }
        let found = evidence.host().mount_at(&entry.destination);
        out.expect(&entry.destination, found.is_some(), "a mount", found);
    }
}

/// Words that the mounts below cannot have got but from the entry.
const ONE_ALONE: [&str; 2] = ["shared", "unbindable"];
const ROOT: &str = "/linux/rootfsPropagation";

/// Whether the tags of a mount are those of a kind of propagation. A shared mount may be the slave of another group.
fn is_of(mount: &Mount, kind: &str) -> bool {
    let has = |tag: &str| mount.tags.iter().any(|has| has.starts_with(tag));
    match kind {
        "shared" => has("shared:"),
        "slave" => has("master:") && !has("shared:"),
        "unbindable" => has("unbindable"),
        _ => mount.tags.is_empty(),
    }
}

/// Binds a tree of shared mounts of the host.
fn shared_tree<'r>(recipe: &'r mut Recipe, word: &str) -> &'r mut Recipe {
    tree::bound(recipe, &["shared"], &["shared"], &["rbind", word])
}

const FOR_SLAVE: &[Fault] = &[
    Fault::Take("/mounts/6/options/1", "\"slave\""),
    Fault::Take("/mounts/6/options/1", "\"rslave\""),
    Fault::Drop("/mounts/6"),
];
const FOR_PRIVATE: &[Fault] = &[Fault::Take("/mounts/6/options/1", "\"rprivate\""), Fault::Drop("/mounts/6")];

/// Below a shared root a mount of the host is shared unless the entry says otherwise.
const FOR_SLAVE_BELOW_SHARED: &[Fault] = &[Fault::Drop("/mounts/6/options/1"), Fault::Drop("/mounts/6")];

pub(super) const CASES: &[Case] = &[
    Case::new(tagged!("private"), "tree", |r| shared_tree(r, "private"), FOR_SLAVE),
    Case::new(tagged!("shared"), "tree", |r| shared_tree(r, "shared"), FOR_SLAVE),
    Case::new(tagged!("slave"), "tree", |r| shared_tree(r, "slave"), FOR_PRIVATE),
    Case::new(tagged!("unbindable"), "tree", |r| shared_tree(r, "unbindable"), FOR_SLAVE),
    Case::new(tagged!("rprivate"), "tree", |r| shared_tree(r, "rprivate"), FOR_SLAVE),
    Case::new(tagged!("rshared"), "tree", |r| shared_tree(r, "rshared"), FOR_SLAVE),
    Case::new(tagged!("rslave"), "tree", |r| shared_tree(r, "rslave"), FOR_PRIVATE),
    Case::new(tagged!("runbindable"), "tree", |r| shared_tree(r, "runbindable"), FOR_SLAVE),
    Case::new(tagged!("rslave"), "below-a-slave-root", |r| shared_tree(r, "rslave").set(ROOT, "slave"), FOR_PRIVATE),
    Case::new(
        tagged!("rshared"),
        "below-a-shared-root",
        |r| shared_tree(r, "rshared").set(ROOT, "shared"),
        FOR_PRIVATE,
    ),
    Case::new(
        tagged!("slave"),
        "below-a-shared-root",
        |r| shared_tree(r, "slave").set(ROOT, "shared"),
        FOR_SLAVE_BELOW_SHARED,
    ),
    Case::new(
        tagged!("rslave"),
        "below-a-shared-root",
        |r| shared_tree(r, "rslave").set(ROOT, "shared"),
        FOR_SLAVE_BELOW_SHARED,
    ),
    Case::new(
        tagged!("rprivate"),
        "below-a-shared-root",
        |r| shared_tree(r, "rprivate").set(ROOT, "shared"),
        FOR_SLAVE,
    ),
    Case::new(
        tagged!("private"),
        "tmpfs",
        |r| r.mount("/m", "tmpfs", "tmpfs", &["private"]),
        &[Fault::Take("/mounts/6/options/0", "\"shared\""), Fault::Drop("/mounts/6")],
    ),
    Case::new(
        tagged!("shared"),
        "tmpfs",
        |r| r.mount("/m", "tmpfs", "tmpfs", &["shared"]),
        &[Fault::Drop("/mounts/6/options/0")],
    ),
];

/// The host mounts something in the tree while the container runs; `expected` says whether the container sees it.
fn later_mount(lab: &Lab<'_>, out: &mut Judgement, word: &str, expected: bool) -> StepResult {
    let container =
        lab.running(|r| shared_tree(r, word).directory_beside("tree/later").directory_beside("tree/sub/later"))?;
    for place in ["later", "sub/later"] {
        lab.mount_tmpfs(&container.bundle.dir.join("tree").join(place))?;
        let path = format!("/m/{place}");
        let (dir, above) = (container.ask(Ask::Statfs(path.clone()))?, container.observe()?);
        out.expect(&format!("{path}, where it would be seen"), dir.is_ok(), "is there", &dir);
        let seen = above.mount_at(&path).is_some();
        let words = |mounted: bool| if mounted { "mounted" } else { "not mounted" };
        out.expect(&path, seen == expected, words(expected), words(seen));
    }
    container.finish_and_delete()
}

const BY_EFFECT: &[Need] = &[Need::HostView];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "mounts.propagation.rslave/sees-later-mounts-of-the-host",
        &["config.mounts.option.rslave"],
        &[Fault::Take("/mounts/6/options/1", "\"rprivate\""), Fault::Take("/mounts/6/options/1", "\"runbindable\"")],
        |lab, out| later_mount(lab, out, "rslave", true),
    )
    .needs(BY_EFFECT),
    Scenario::new(
        "mounts.propagation.rprivate/sees-no-later-mounts-of-the-host",
        &["config.mounts.option.rprivate"],
        &[
            Fault::Take("/mounts/6/options/1", "\"rslave\""),
            Fault::Take("/mounts/6/options/1", "\"private\""),
            Fault::Drop("/mounts/6"),
        ],
        |lab, out| later_mount(lab, out, "rprivate", false),
    )
    .needs(BY_EFFECT),
];
