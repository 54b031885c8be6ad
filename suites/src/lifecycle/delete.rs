//! delete removes what create made (`runtime.md#delete`).

use std::collections::BTreeSet;
use std::path::PathBuf;

use plimsoll_engine::cgroup;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::{Fault, Leftover};
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use serde_json::json;

const REMOVES: &[&str] = &["runtime.delete.removes-created-resources", "runtime.lifecycle.destroy-undoes-create"];

/// The guard sees these.
const GUARDED: &[Fault] = &[Fault::Ignore(Op::Delete), Fault::Leave(Leftover::ForeignCgroup)];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("lifecycle.delete/removes-the-container", REMOVES, GUARDED, |lab, out| {
        let watch = lab.watch()?;
        let container = lab.stopped(|r| r)?;
        container.delete()?.ok()?;
        watch.differences("delete")?.into_iter().for_each(|finding| out.add(finding));
        out.expect("state after delete", !container.query_state()?.succeeded(), "an error: no container", ());
        Ok(())
    }),
    Scenario::new("lifecycle.delete/removes-cgroups", REMOVES, &[Fault::Ignore(Op::Delete)], |lab, out| {
        let container = lab.running(|r| r.set("/linux/resources", json!({ "pids": { "limit": 100 } })))?;
        let before = cgroup::find_named(container.id())?;
        out.expect("its cgroups when running", !before.is_empty(), "there", &before);
        container.finish_and_delete()?;
        out.expect_eq("its cgroups after delete", cgroup::find_named(container.id())?, Vec::<PathBuf>::new());
        Ok(())
    })
    .needs(&[Need::HostView, Need::Controller("pids")]),
    // A check without groups of its own sees those of others come and go, but hardly during each of three containers.
    Scenario::new(
        "lifecycle.delete/leaves-no-other-cgroup",
        REMOVES,
        &[Fault::Leave(Leftover::OtherCgroup), Fault::Leave(Leftover::Cgroup), Fault::Leave(Leftover::ForeignCgroup)],
        |lab, out| {
            let groups = || match cgroup::is_confined() {
                true => cgroup::made_by_check(&lab.tag).map(BTreeSet::from_iter),
                false => cgroup::empty_ones(&lab.settings.run, &lab.tag),
            };
            let mut left = Vec::new();
            for _life in 0..3 {
                let before = groups()?;
                lab.running(|r| r)?.finish_and_delete()?;
                left.push(&groups()? - &before);
            }
            let clean = left.iter().any(BTreeSet::is_empty);
            out.expect("new cgroups after each of three containers", clean, "none", left);
            Ok(())
        },
    )
    .needs(&[Need::HostView]),
    // Where its cgroup is deep, create has made the ones above it for this container alone.
    Scenario::new(
        "lifecycle.delete/removes-the-cgroups-above-its-own",
        REMOVES,
        &[Fault::Leave(Leftover::OtherCgroup), Fault::Leave(Leftover::ForeignCgroup)],
        |lab, out| {
            let groups = || cgroup::made_by_check(&lab.tag).map(BTreeSet::from_iter);
            let before: BTreeSet<PathBuf> = groups()?;
            let path = format!("/plimsoll-{}-deep/er/own", lab.tag);
            lab.running(|r| r.set("/linux/cgroupsPath", path))?.finish_and_delete()?;
            let left = &groups()? - &before;
            out.expect("cgroups that create has made", left.is_empty(), "gone after delete", left);
            Ok(())
        },
    )
    .needs(&[Need::HostView]),
    // A process that the program left behind dies with the pid namespace, and holds up nothing.
    Scenario::new(
        "lifecycle.delete/after-kill",
        REMOVES,
        &[Fault::Ignore(Op::Delete), Fault::Ignore(Op::Kill)],
        |lab, out| {
            let watch = lab.watch()?;
            let container = lab.running(|r| r)?;
            container.kill(nix::sys::signal::Signal::SIGKILL)?.ok()?;
            container.wait()?;
            container.delete()?.ok()?;
            watch.differences("delete")?.into_iter().for_each(|finding| out.add(finding));
            out.expect("state after delete", !container.query_state()?.succeeded(), "an error: no container", ());
            Ok(())
        },
    ),
    Scenario::new("lifecycle.delete/by-force-when-running", REMOVES, &[Fault::Ignore(Op::Delete)], |lab, out| {
        let container = lab.running(|r| r)?;
        container.delete_by_force()?.ok()?;
        container.wait()?;
        out.expect("state after delete", !container.query_state()?.succeeded(), "an error: no container", ());
        Ok(())
    })
    .axis(plimsoll_reports::model::Axis::Compat),
];
