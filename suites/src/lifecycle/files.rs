//! Files of the host: create makes what the container needs, delete removes it, and neither writes anything else
//! (`runtime.md#create`, `#delete`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::{Fault, Leftover};
use plimsoll_engine::guard::tree;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Config;

const REMOVES: &[&str] = &["runtime.delete.removes-created-resources", "runtime.lifecycle.destroy-undoes-create"];

/// Directories of the host that programs keep files in. The bundle and the state of the runtime are elsewhere.
const OF_THE_HOST: &[&str] =
    &["/tmp", "/var/tmp", "/run", "/dev/shm", "/etc", "/root", "/home", "/var/lib", "/var/cache"];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "lifecycle.files/of-the-bundle-stay-as-they-are",
        REMOVES,
        &[Fault::Leave(Leftover::File), Fault::DeleteForeign],
        |lab, out| {
            let bundle = lab.bundle(|r| r.file("/etc/kept", "kept").beside("data/kept", "kept"))?;
            let dir = bundle.dir.clone();
            let beside = |dir: &Path| tree(dir).map(|all| outside(all, "rootfs"));
            let before = beside(&dir)?;
            let container = lab.create(&bundle)?;
            out.expect_eq("the bundle but for its root after create", &beside(&dir)?, &before);
            container.started()?;
            container.finish_and_delete()?;
            out.expect_eq("the bundle but for its root after delete", beside(&dir)?, before);
            Ok(())
        },
    ),
    Scenario::new(
        "lifecycle.files/of-the-root-are-not-written",
        &["runtime.create.all-properties-applied", "runtime.lifecycle.environment-per-config"],
        &[Fault::Scribble],
        |lab, out| {
            let bundle =
                lab.bundle(|r| r.file("/etc/kept", "kept").directory("/etc/empty").symlink("/etc/link", "kept"))?;
            let before = tree(&bundle.rootfs())?;
            let container = lab.create(&bundle)?;
            unwritten(&bundle.config, &before, &tree(&bundle.rootfs())?, out);
            container.started()?;
            container.finish_and_delete()?;
            unwritten(&bundle.config, &before, &tree(&bundle.rootfs())?, out);
            Ok(())
        },
    ),
    // A log or a cache may come with the first container; what comes with each is never removed.
    Scenario::new(
        "lifecycle.files/of-the-host-do-not-grow-in-number",
        REMOVES,
        &[Fault::Leave(Leftover::HostFile)],
        |lab, out| {
            let overlays = lab.overlays(OF_THE_HOST)?;
            lab.stopped(|r| r)?.delete()?.ok()?;
            let first = overlays.written()?;
            lab.stopped(|r| r)?.delete()?.ok()?;
            let added: Vec<PathBuf> = overlays.written()?.difference(&first).cloned().collect();
            out.expect("files of a second container after delete", added.is_empty(), "none", added);
            Ok(())
        },
    )
    .needs(&[Need::Filesystem("overlay")]),
];

fn outside(all: BTreeMap<String, String>, dir: &str) -> BTreeMap<String, String> {
    all.into_iter().filter(|(name, _)| !Path::new(name).starts_with(Path::new(".").join(dir))).collect()
}

/// What was in the root is as it was, and what is new is a place to mount at: a directory, or a file without content.
fn unwritten(
    config: &Config,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    out: &mut Judgement,
) {
    for (name, what) in before {
        out.expect(name, after.get(name) == Some(what), what, after.get(name));
    }
    let mounts: Vec<&str> = config.list("/mounts").iter().filter_map(|mount| mount["destination"].as_str()).collect();
    let is_place = |name: &str| {
        let path = Path::new("/").join(name.trim_start_matches("./"));
        mounts.iter().any(|mount| Path::new(mount).starts_with(&path) || path.starts_with("/dev"))
    };
    for (name, what) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        out.expect(name, is_place(name), "nothing, for nothing is mounted there", what);
    }
}
