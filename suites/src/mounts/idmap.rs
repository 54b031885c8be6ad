//! Mounts that translate owners: `idmap`, `ridmap`, `uidMappings` and `gidMappings` of an entry
//! (`config.md#linux-mount-options`). All files of the sources belong to user 0 and group 0 of their filesystem.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::{Config, Recipe};
use plimsoll_reports::model::Axis;
use serde_json::{Value, json};

use super::refusal::refuses;
use super::tree;

/// The id that a number is mapped to; unmapped ids are nobody.
fn mapped(mappings: &Value, from: &str, to: &str, number: u64) -> u64 {
    const NOBODY: u64 = 65534;
    let hit = mappings.as_array().into_iter().flatten().find_map(|range| {
        let offset = number.checked_sub(range[from].as_u64()?)?;
        (offset < range["size"].as_u64()?).then(|| range[to].as_u64().map(|start| start + offset))?
    });
    hit.unwrap_or(NOBODY)
}

/// What root's files look like inside: the entry's mapping leads to a number of the host, the mapping of the user
/// namespace, if there is one, from there to a number of the container.
fn owner(config: &Config, mount: &Value, which: &str) -> u64 {
    let host = mapped(&mount[format!("{which}Mappings")], "containerID", "hostID", 0);
    seen(config, which, host)
}

fn seen(config: &Config, which: &str, host: u64) -> u64 {
    match config.namespace("user").and_then(|_| config.get(&format!("/linux/{which}Mappings"))) {
        Some(mappings) => mapped(mappings, "hostID", "containerID", host),
        None => host,
    }
}

/// The files of each mapped entry, and whether the mapping holds for them.
fn files(config: &Config) -> Vec<(String, bool, Value)> {
    let mut files = Vec::new();
    for mount in config.list("/mounts").iter().filter(|mount| mount["uidMappings"].is_array()) {
        let has = |option: &str| mount["options"].as_array().is_some_and(|options| options.contains(&json!(option)));
        let path = mount["destination"].as_str().unwrap_or_default();
        files.push((format!("{path}/file"), true, mount.clone()));
        if has("rbind") {
            files.push((format!("{path}/sub/file"), has("ridmap"), mount.clone()));
        }
    }
    files
}

fn asks(config: &Config) -> Vec<Ask> {
    files(config).into_iter().map(|(path, ..)| Ask::Stat(path)).collect()
}

fn judge(config: &Config, evidence: &Evidence, out: &mut Judgement) {
    for (path, is_mapped, mount) in files(config) {
        let expected = |which: &str| if is_mapped { owner(config, &mount, which) } else { seen(config, which, 0) };
        let found = evidence.inside.stat(&path).map(|stat| (u64::from(stat.uid), u64::from(stat.gid)));
        out.expect_eq(&format!("user and group of {path}"), found, Ok((expected("uid"), expected("gid"))));
    }
}

const IDMAP: Rule = Rule::new(
    "mounts.idmap",
    &[
        "config.mounts.idmap.applied",
        "config.mounts.idmap.explicit-mappings-used",
        "config.mounts.option.idmap",
        "config.mounts.uid-mappings.effect",
        "config.mounts.gid-mappings.effect",
    ],
    asks,
    judge,
)
.needs(KERNEL);
const RIDMAP: Rule = Rule::new(
    "mounts.ridmap",
    &[
        "config.mounts.ridmap.applied",
        "config.mounts.idmap.explicit-mappings-used",
        "config.mounts.option.ridmap",
        "config.mounts.uid-mappings.effect",
        "config.mounts.gid-mappings.effect",
    ],
    asks,
    judge,
)
.needs(KERNEL);

/// The mappings alone do: that an entry has the word, too, is advice to its author.
const MAPPINGS: Rule = Rule::new(
    "mounts.id-mappings",
    &["config.mounts.uid-mappings.effect", "config.mounts.gid-mappings.effect"],
    asks,
    judge,
)
.needs(KERNEL);

/// The bundles are on a tmpfs, which knows mappings since this version.
const KERNEL: &[Need] = &[Need::Kernel(6, 3), Need::Namespace("user")];

/// Binds a directory with nothing mounted below, for in a user namespace the kernel keeps a mount and those below it
/// together. Users start at `uid` of the host, groups at `gid`.
fn bind(recipe: &mut Recipe, uid: u32, gid: u32) -> &mut Recipe {
    translated(flat(recipe), FLAT, &["bind", "idmap"], uid, gid)
}

/// Binds the directory with mappings, and without the word.
fn wordless(recipe: &mut Recipe, uid: u32, gid: u32) -> &mut Recipe {
    translated(flat(recipe), FLAT, &["bind"], uid, gid)
}

/// Binds the tree likewise.
fn rbind<'r>(recipe: &'r mut Recipe, word: &str, uid: u32, gid: u32) -> &'r mut Recipe {
    translated(tree::make(recipe, &[], &[]), tree::SOURCE, &["rbind", word], uid, gid)
}

const FLAT: &str = "{bundle}/flat";

fn flat(recipe: &mut Recipe) -> &mut Recipe {
    recipe.beside("flat/file", "content")
}

fn translated<'r>(recipe: &'r mut Recipe, source: &str, options: &[&str], uid: u32, gid: u32) -> &'r mut Recipe {
    let (users, groups) = ([range(uid)], [range(gid)]);
    let mount = json!({
        "destination": "/m", "type": "none", "source": source, "options": options,
        "uidMappings": users, "gidMappings": groups,
    });
    recipe.push("/mounts", mount)
}

fn range(host: u32) -> Value {
    json!({ "containerID": 0, "hostID": host, "size": 1000 })
}

/// A user namespace whose root is user and group 100000 of the host. It cannot make directories in the root
/// filesystem, and mounts a sysfs only with a network namespace of its own.
fn user_namespace(recipe: &mut Recipe) -> &mut Recipe {
    let ids = json!([{ "containerID": 0, "hostID": 100_000, "size": 65536 }]);
    recipe
        .directory("/m")
        .new_namespace("network")
        .new_namespace("user")
        .set("/linux/uidMappings", ids.clone())
        .set("/linux/gidMappings", ids)
}

const UNMAPPED: &[Fault] = &[
    Fault::Drop("/mounts/6"),
    Fault::Take("/mounts/6/uidMappings/0/hostID", "4321"),
    Fault::Take("/mounts/6/gidMappings/0/hostID", "4321"),
];
const TOO_DEEP: &[Fault] = &[Fault::Drop("/mounts/6"), Fault::Take("/mounts/6/options/1", "\"ridmap\"")];
const NOT_DEEP: &[Fault] = &[Fault::Drop("/mounts/6"), Fault::Take("/mounts/6/options/1", "\"idmap\"")];

pub(super) const CASES: &[Case] = &[
    Case::new(&IDMAP, "bind", |r| bind(r, 1000, 2000), UNMAPPED),
    Case::new(&IDMAP, "rbind-top-alone", |r| rbind(r, "idmap", 1000, 2000), TOO_DEEP),
    Case::new(&IDMAP, "user-namespace-same", |r| user_namespace(bind(r, 100_000, 100_000)), UNMAPPED),
    Case::new(&IDMAP, "user-namespace-other", |r| user_namespace(bind(r, 100_005, 100_007)), UNMAPPED),
    Case::new(&MAPPINGS, "without-the-word", |r| wordless(r, 1000, 2000), UNMAPPED),
    Case::new(
        &MAPPINGS,
        "without-the-word-in-a-user-namespace",
        |r| user_namespace(wordless(r, 100_005, 100_007)),
        UNMAPPED,
    ),
    Case::new(&RIDMAP, "rbind", |r| rbind(r, "ridmap", 1000, 2000), NOT_DEEP),
    Case::new(&RIDMAP, "user-namespace-other", |r| user_namespace(rbind(r, "ridmap", 100_005, 100_007)), UNMAPPED),
];

/// A file that is made inside is translated back, and those of the source keep their owner.
fn writes_back(lab: &Lab<'_>, out: &mut Judgement, edits: fn(&mut Recipe, u32, u32) -> &mut Recipe) -> StepResult {
    use std::os::unix::fs::MetadataExt;
    let user = json!({ "uid": 1000, "gid": 2000 });
    let container = lab.running(|r| edits(r, 1000, 2000).set("/process/user", user))?;
    let wrote = container.ask(Ask::Write { path: "/m/new".to_owned(), data: "x".to_owned() })?;
    out.expect("writing as the mapped owner", wrote.is_ok(), "works", wrote);
    for name in ["new", "file"] {
        let found =
            std::fs::metadata(container.bundle.dir.join("flat").join(name)).map(|found| (found.uid(), found.gid()));
        out.expect_eq(&format!("user and group of {name} on the host"), found.ok(), Some((0, 0)));
    }
    container.finish_and_delete()
}

/// Without mappings in the entry, those of the user namespace serve, or the runtime refuses.
fn falls_back(lab: &Lab<'_>, out: &mut Judgement, user: impl Fn(&mut Recipe) -> &mut Recipe) -> StepResult {
    lab.running(|r| user(flat(r).mount("/m", "none", FLAT, &["bind"])))?.finish_and_delete()?;
    let bundle = lab.bundle(|r| user(flat(r).mount("/m", "none", FLAT, &["bind", "idmap"])))?;
    let attempt = lab.try_create(&bundle)?;
    if attempt.outcome.succeeded() {
        let container = attempt.container()?;
        container.started()?;
        let evidence = container.evidence(vec![Ask::Stat("/m/file".to_owned())])?;
        let found = evidence.inside.stat("/m/file").map(|stat| (stat.uid, stat.gid));
        out.expect_eq("user and group of the file", found, Ok((0, 0)));
        return container.finish_and_delete();
    }
    attempt.outcome.refused()?;
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect("state after the refused create", !state.succeeded(), "an error", state.said());
    Ok(())
}

/// As [`user_namespace`], with an existing one: its maps are not in the configuration.
fn joined<'r>(recipe: &'r mut Recipe, path: &str) -> &'r mut Recipe {
    let recipe = user_namespace(recipe).inherit_namespace("user");
    recipe.remove("/linux/uidMappings").remove("/linux/gidMappings");
    recipe.push("/linux/namespaces", json!({ "type": "user", "path": path }))
}

const REFUSED: &[Fault] = &[Fault::Drop("/mounts/6"), Fault::Succeed(Op::Create)];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "mounts.idmap/writes-are-translated-back",
        &["config.mounts.uid-mappings.effect", "config.mounts.gid-mappings.effect"],
        UNMAPPED,
        |lab, out| writes_back(lab, out, bind),
    )
    .needs(KERNEL),
    Scenario::new(
        "mounts.id-mappings/writes-are-translated-back",
        &["config.mounts.uid-mappings.effect", "config.mounts.gid-mappings.effect"],
        UNMAPPED,
        |lab, out| writes_back(lab, out, wordless),
    )
    .needs(KERNEL),
    Scenario::new(
        "mounts.idmap/without-mappings-in-a-user-namespace",
        &["config.mounts.idmap.no-fallback-error", "config.mounts.idmap.userns-fallback"],
        &[Fault::Drop("/mounts/6/options/1"), Fault::Drop("/mounts/6")],
        |lab, out| falls_back(lab, out, user_namespace),
    )
    .needs(KERNEL),
    Scenario::new(
        "mounts.idmap/without-mappings-in-a-joined-user-namespace",
        &["config.mounts.idmap.no-fallback-error", "config.mounts.idmap.userns-fallback"],
        &[Fault::Drop("/mounts/6/options/1"), Fault::Drop("/mounts/6")],
        |lab, out| {
            let holder = lab.hold_namespace("user")?;
            falls_back(lab, out, |r| joined(r, &holder.path("user")))
        },
    )
    .needs(KERNEL),
    Scenario::new(
        "compat.mounts.idmap/of-a-joined-user-namespace",
        &[],
        &[Fault::Drop("/mounts/6/options/1"), Fault::Drop("/mounts/6")],
        |lab, out| {
            let holder = lab.hold_namespace("user")?;
            let container =
                lab.running(|r| joined(flat(r).mount("/m", "none", FLAT, &["bind", "idmap"]), &holder.path("user")))?;
            let evidence = container.evidence(vec![Ask::Stat("/m/file".to_owned())])?;
            let found = evidence.inside.stat("/m/file").map(|stat| (stat.uid, stat.gid));
            out.expect_eq("user and group of the file", found, Ok((0, 0)));
            container.finish_and_delete()
        },
    )
    .needs(KERNEL)
    .axis(Axis::Compat),
    Scenario::new(
        "mounts.idmap/without-any-mappings-is-refused",
        &["config.mounts.idmap.no-userns-no-mappings-error"],
        REFUSED,
        |lab, out| {
            refuses(
                lab,
                out,
                |r| flat(r).mount("/m", "none", FLAT, &["bind"]),
                |r| flat(r).mount("/m", "none", FLAT, &["bind", "idmap"]),
            )
        },
    ),
    Scenario::new(
        "mounts.ridmap/without-any-mappings-is-refused",
        &["config.mounts.idmap.no-userns-no-mappings-error"],
        REFUSED,
        |lab, out| {
            refuses(
                lab,
                out,
                |r| tree::bound(r, &[], &[], &["rbind"]),
                |r| tree::bound(r, &[], &[], &["rbind", "ridmap"]),
            )
        },
    ),
    Scenario::new(
        "mounts.idmap/without-groups-is-refused",
        &["config.mounts.id-mappings.paired", "config.mounts.idmap.applied"],
        REFUSED,
        |lab, out| refuses(lab, out, |r| bind(r, 1000, 2000), |r| bind(r, 1000, 2000).remove("/mounts/6/gidMappings")),
    )
    .needs(KERNEL),
    Scenario::new(
        "mounts.idmap/without-users-is-refused",
        &["config.mounts.id-mappings.paired", "config.mounts.idmap.applied"],
        REFUSED,
        |lab, out| refuses(lab, out, |r| bind(r, 1000, 2000), |r| bind(r, 1000, 2000).remove("/mounts/6/uidMappings")),
    )
    .needs(KERNEL),
];
