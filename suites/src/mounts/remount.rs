//! Entries that change a mount (`remount`), and options that a runtime may not support (`mand`, `tmpcopyup`).

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_foreign::read;

use super::entry::entries;
use super::flags::judge;
use super::options::word;

/// A remount is no second mount, and gives the first one its flags.
const REMOUNT: Rule =
    Rule::by_host("mounts.option.remount", &["config.mounts.option.remount"], |config, evidence, out| {
        let entries = entries(config);
        let remounts: Vec<_> = entries.iter().filter(|entry| entry.has("remount")).collect();
        for entry in &remounts {
            let at = evidence.host().mounts.iter().filter(|mount| mount.point == entry.destination);
            out.expect_eq(&format!("mounts at {}", entry.destination), at.count(), 1);
        }
        // What no entry remounts is for the rules of the words.
        if !remounts.is_empty() {
            ["ro", "rw", "nosuid", "noexec"].iter().for_each(|name| judge(word(name), config, evidence, out));
        }
    });

const NOT_REMOUNTED: &[Fault] = &[Fault::Drop("/mounts/7"), Fault::Drop("/mounts/7/options/0")];

pub(super) const REMOUNTS: &[Case] = &[
    Case::new(
        &REMOUNT,
        "tmpfs",
        |r| r.mount("/m", "tmpfs", "tmpfs", &[]).mount("/m", "tmpfs", "tmpfs", &["remount", "ro", "nosuid"]),
        NOT_REMOUNTED,
    ),
    Case::new(
        &REMOUNT,
        "bind",
        |r| {
            let r = r.directory_beside("d").mount("/m", "none", "{bundle}/d", &["bind"]);
            r.mount("/m", "none", "{bundle}/d", &["remount", "bind", "ro", "noexec"])
        },
        NOT_REMOUNTED,
    ),
    Case::new(
        &REMOUNT,
        "bind-of-read-only-to-writable",
        |r| {
            let r = r.directory_beside("d").mount("/m", "none", "{bundle}/d", &["bind", "ro"]);
            r.mount("/m", "none", "{bundle}/d", &["remount", "bind", "rw", "nosuid"])
        },
        &[Fault::Drop("/mounts/7"), Fault::Drop("/mounts/7/options/0"), Fault::Take("/mounts/7/options/2", "\"ro\"")],
    ),
];

/// A runtime may refuse the word; when it takes it, the mount is there.
fn taken_or_refused(lab: &Lab<'_>, out: &mut Judgement, word: &str) -> StepResult {
    let bundle = lab.bundle(|r| r.mount("/m", "tmpfs", "of-mand", &[word]))?;
    let attempt = lab.try_create(&bundle)?;
    if !attempt.outcome.succeeded() {
        attempt.outcome.refused()?;
        let state = lab.call_id(Op::State, &bundle.id)?;
        out.expect("state after the refused create", !state.succeeded(), "an error", state.said());
        return Ok(());
    }
    let container = attempt.container()?;
    container.started()?;
    let found = container.ask(Ask::Mountinfo)?;
    let there = matches!(&found, Ok(Reply::Text(text)) if text.contains(" /m "));
    out.expect("the mount at /m", there, "there", found);
    container.finish_and_delete()
}

/// A runtime may not know the word; when it takes it, what lay under the tmpfs is in it, and stays as it was below.
fn copied_up(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let bundle = lab.bundle(|r| r.file("/m/deep/file", "below").mount("/m", "tmpfs", "t", &["tmpcopyup"]))?;
    let attempt = lab.try_create(&bundle)?;
    if !attempt.outcome.succeeded() {
        attempt.outcome.refused()?;
        return Err(Stop::Skip("the runtime does not know tmpcopyup: it refuses the mount".to_owned()));
    }
    let container = attempt.container()?;
    container.started()?;
    let read = container.ask(Ask::Read("/m/deep/file".to_owned()))?;
    out.expect("the file that lay under the tmpfs", read == Ok(Reply::Bytes("below".into())), "copied", read);
    let write = container.ask(Ask::Write { path: "/m/deep/file".to_owned(), data: "above".to_owned() })?;
    out.expect("writing to the copy", write.is_ok(), "works", write);
    let below = read::text(&container.bundle.rootfs().join("m/deep/file"), read::DOCUMENT)?;
    out.expect_eq("the file of the root filesystem", below.as_str(), "below");
    container.finish_and_delete()
}

const NO_MOUNT: &[Fault] = &[Fault::Drop("/mounts/6")];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("mounts.option.mand/taken-or-refused", &["config.mounts.option.mand"], NO_MOUNT, |lab, out| {
        taken_or_refused(lab, out, "mand")
    }),
    Scenario::new("mounts.option.nomand/taken-or-refused", &["config.mounts.option.nomand"], NO_MOUNT, |lab, out| {
        taken_or_refused(lab, out, "nomand")
    }),
    Scenario::new(
        "mounts.option.tmpcopyup/content-is-copied",
        &["config.mounts.option.tmpcopyup"],
        &[Fault::Drop("/mounts/6/options/0")],
        copied_up,
    ),
];

/// A mount of type `cgroup` shows the container its control groups, of whichever version the host has.
const CGROUP: Rule =
    Rule::by_host("mounts.type-cgroup", &["config.mounts.type-kernel-filesystem"], |config, evidence, out| {
        for entry in entries(config).iter().filter(|entry| entry.kind == "cgroup") {
            let here =
                |point: &str| point == entry.destination || point.starts_with(&format!("{}/", entry.destination));
            let kinds: Vec<&str> = evidence
                .host()
                .mounts
                .iter()
                .filter(|mount| here(&mount.point))
                .map(|mount| mount.kind.as_str())
                .collect();
            let met = kinds.iter().any(|kind| kind.starts_with("cgroup"));
            out.expect(&format!("mounts at {} and below", entry.destination), met, "a cgroup filesystem", kinds);
        }
    })
    .needs(&[Need::HostView, Need::Filesystem("cgroup")])
    .advisory("the kernel's type is one hierarchy of version 1; nothing says what runtimes make of it beyond that");

const CGROUP_MOUNT: fn(&mut Recipe) -> &mut Recipe =
    |r| r.mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", "ro"]);

/// With version 2, a mount from the host's cgroup namespace may change the options of the host, which other checks beside
/// this one need: `resources.delegation` tries it.
pub(super) const CGROUPS: &[Case] = &[
    Case::new(&CGROUP, "shows-the-groups", |r| CGROUP_MOUNT(r.new_namespace("cgroup")), NO_MOUNT)
        .needs(&[Need::Namespace("cgroup")]),
    Case::new(&CGROUP, "shows-the-groups-of-the-host", CGROUP_MOUNT, NO_MOUNT).needs(&[Need::Knob(V1_PIDS)]),
];

const V1_PIDS: Knob = Knob { controller: "pids", v1: "pids.max", v2: "" };
