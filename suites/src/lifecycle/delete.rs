//! The operation delete: what create made goes, what it did not make stays (`runtime.md#delete`).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use plimsoll_engine::cgroup;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::{Fault, Leftover};
use plimsoll_engine::judgement::{Stop, Told};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::Ask;
use plimsoll_foreign::read;
use serde_json::json;

const REMOVES: &[&str] = &["runtime.delete.removes-created-resources", "runtime.lifecycle.destroy-undoes-create"];
const KEEPS: &[&str] = &["runtime.delete.keeps-foreign-resources"];

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
    // A check without groups of its own sees those of others come and go, but hardly so during each of three lives.
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
            out.expect("cgroups that are new after each of three lives", clean, "none", left);
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
    Scenario::new("lifecycle.delete/keeps-bind-source", KEEPS, &[Fault::DeleteForeign], |lab, out| {
        let container = lab.running(|r| {
            r.beside("data/below/file", "kept").mount("/data", "none", "{bundle}/data", &["rbind", "rw"])
        })?;
        container
            .ask(Ask::Write { path: "/data/new".into(), data: "kept".into() })?
            .map_err(|why| Stop::broken("a write to the bind mount", "success", why.to_string()))?;
        container.finish_and_delete()?;
        for file in ["below/file", "new"] {
            let content = read::text(&container.bundle.dir.join("data").join(file), read::DOCUMENT).ok();
            out.expect_eq(&format!("{file} of the bind source"), content.as_deref(), Some("kept"));
        }
        Ok(())
    }),
    Scenario::new("lifecycle.delete/keeps-the-bundle", KEEPS, &[Fault::DeleteForeign], |lab, out| {
        let container = lab.stopped(|r| r.file("/etc/kept", "kept").beside("data/kept", "kept"))?;
        let config = read::file(&container.bundle.dir.join("config.json"), read::DOCUMENT)?;
        container.delete()?.ok()?;
        let dir = &container.bundle.dir;
        out.expect_eq("config.json", read::file(&dir.join("config.json"), read::DOCUMENT).ok(), Some(config));
        out.expect_eq(
            "a file of the root",
            read::file(&dir.join("rootfs/etc/kept"), read::DOCUMENT).ok(),
            Some(b"kept".to_vec()),
        );
        out.expect_eq(
            "a file beside it",
            read::file(&dir.join("data/kept"), read::DOCUMENT).ok(),
            Some(b"kept".to_vec()),
        );
        Ok(())
    }),
    Scenario::new(
        "lifecycle.delete/keeps-joined-namespaces",
        KEEPS,
        &[Fault::Drop("/linux/namespaces/0/path")],
        |lab, out| {
            let host = lab.running(|r| r.new_namespace("network"))?;
            let joined =
                |kind: &str| json!({ "type": kind, "path": format!("/proc/{}/ns/{}", host.pid, proc_name(kind)) });
            let guest = lab.running(|r| {
                let joined = ["network", "ipc", "uts", "pid"].map(joined);
                r.set("/linux/namespaces", joined).push("/linux/namespaces", json!({ "type": "mount" }))
            })?;
            let before = host.observe()?.namespaces;
            out.expect_eq("the namespace of both", guest.observe()?.namespace("net"), host.observe()?.namespace("net"));
            guest.finish_and_delete()?;
            out.expect_eq("the namespaces after delete of the guest", host.observe()?.namespaces, before);
            out.expect("the program of the host", host.ask(Ask::Session)?.is_ok(), "answers", ());
            host.finish_and_delete()
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new("lifecycle.delete/keeps-cgroup-above", KEEPS, &[Fault::DeleteForeign], |lab, out| {
        let above = Above::make(lab)?;
        let container = lab.running(|r| r.set("/linux/cgroupsPath", format!("{}/inner", above.path)))?;
        let inside = Observation::of(container.pid).map_err(Stop::error("look at the process"))?.cgroups;
        out.expect(
            "the cgroup of the process",
            inside.iter().any(|group| group.path.contains(&above.path)),
            "below",
            (),
        );
        container.finish_and_delete()?;
        for dir in &above.dirs {
            out.expect(&dir.to_string_lossy(), dir.is_dir(), "kept", "removed");
            out.expect(&dir.join("inner").to_string_lossy(), !dir.join("inner").exists(), "removed", "kept");
        }
        above.remove()
    })
    .needs(&[Need::HostView]),
    Scenario::new("lifecycle.delete/keeps-cgroup-of-before", KEEPS, &[Fault::DeleteForeign], |lab, out| {
        let before = Above::make(lab)?;
        lab.running(|r| r.set("/linux/cgroupsPath", before.path.as_str()))?.finish_and_delete()?;
        for dir in &before.dirs {
            out.expect(&dir.to_string_lossy(), dir.is_dir(), "kept: it was there before create", "removed");
        }
        before.remove()
    })
    .needs(&[Need::HostView]),
    Scenario::new("lifecycle.delete/keeps-bound-namespace", KEEPS, &[Fault::DeleteForeign], |lab, out| {
        let holder = lab.holder("network")?;
        let file = lab.dir.join("network");
        fs::write(&file, "")?;
        let namespace = format!("/proc/{}/ns/net", holder.pid);
        mount(Some(namespace.as_str()), &file, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        let of_file = || fs::metadata(&file).map(|found| (found.dev(), found.ino()));
        let bound = of_file()?;
        let entry = json!({ "type": "network", "path": file });
        lab.running(|r| r.push("/linux/namespaces", entry))?.finish_and_delete()?;
        out.expect_eq("what is bound to the file that was joined", of_file()?, bound);
        let _gone_already = umount2(&file, MntFlags::MNT_DETACH);
        Ok(())
    })
    .needs(&[Need::HostView]),
];

fn proc_name(kind: &str) -> &str {
    if kind == "network" { "net" } else { kind }
}

/// A cgroup of ours, in every hierarchy.
struct Above {
    path: String,
    dirs: Vec<PathBuf>,
}

impl Above {
    fn make(lab: &Lab<'_>) -> Told<Self> {
        let path = lab.group(&format!("{}-above", lab.tag));
        let mut dirs = Vec::new();
        for hierarchy in cgroup::hierarchies()? {
            let dir = hierarchy.mount.join(path.trim_start_matches('/'));
            fs::create_dir_all(&dir)?;
            // A new cpuset of version 1 takes no process.
            for file in
                ["cpuset.cpus", "cpuset.mems"].iter().filter(|_| hierarchy.controllers.contains(&"cpuset".into()))
            {
                fs::write(dir.join(file), read::kernel_bytes(hierarchy.mount.join(file))?)?;
            }
            dirs.push(dir);
        }
        Ok(Self { path, dirs })
    }

    fn remove(self) -> Told {
        Ok(self.dirs.iter().try_for_each(|dir| cgroup::remove_tree(dir))?)
    }
}
