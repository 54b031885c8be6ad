//! delete does not remove what create did not make (`runtime.md#delete`).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use plimsoll_engine::cgroup;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::{Fault, NetworkFault};
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::network::Stack;
use plimsoll_engine::observer::Observation;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::Ask;
use plimsoll_foreign::read;
use plimsoll_reports::model::Axis;
use serde_json::json;

const KEEPS: &[&str] = &["runtime.delete.keeps-foreign-resources"];

/// How a container is deleted.
type Deletion = fn(&Container<'_>) -> StepResult;

fn when_stopped(container: &Container<'_>) -> StepResult {
    container.finish_and_delete()
}

fn by_force(container: &Container<'_>) -> StepResult {
    container.delete_by_force()?.ok()?;
    container.wait()
}

/// Each of these twice: after the program has ended, and, as engines do, by force while it runs.
macro_rules! twice {
    ($($name:literal, $proves:expr, $needs:expr, $run:ident;)*) => {
        &[$(
            Scenario::new(concat!("lifecycle.delete/keeps-", $name), KEEPS, $proves, |lab, out| {
                $run(lab, out, when_stopped)
            }).needs($needs),
            Scenario::new(concat!("lifecycle.delete/by-force-keeps-", $name), KEEPS, $proves, |lab, out| {
                $run(lab, out, by_force)
            }).needs($needs).axis(Axis::Compat),
        )*]
    };
}

pub(super) const OF_THE_USER: &[Scenario] = twice! {
    "files", &[Fault::DeleteForeign], &[], files;
    "bound-namespace", &[Fault::DeleteForeign], &[Need::HostView], bound_namespace;
    "network-device", &[Fault::DeleteForeign, Fault::Network(NetworkFault::Back)],
        &[Need::HostView, Need::Capability("CAP_NET_ADMIN")], network_device;
};

/// Files of the user that the container sees by bind mounts, with mounts of both sides below them, and those of its root.
fn with_files(recipe: &mut Recipe) -> &mut Recipe {
    recipe
        .file("/etc/kept", "kept")
        .beside("data/below/file", "kept")
        .beside("data/hidden/file", "kept")
        .beside("fixed/file", "kept")
        .beside("unused/file", "kept")
        .tmpfs_beside("data/mounted", &[])
        .beside("data/mounted/file", "kept")
        .mount("/data", "none", "{bundle}/data", &["rbind", "rw"])
        .mount("/data/hidden", "tmpfs", "tmpfs", &[])
        .mount("/fixed", "none", "{bundle}/fixed", &["bind", "ro"])
}

const FILES: [&str; 8] = [
    "rootfs/etc/kept",
    "rootfs/new",
    "data/below/file",
    "data/new",
    "data/hidden/file",
    "data/mounted/file",
    "fixed/file",
    "unused/file",
];

fn files(lab: &Lab<'_>, out: &mut Judgement, delete: Deletion) -> StepResult {
    let container = lab.running(with_files)?;
    for path in ["/new", "/data/new"] {
        container
            .ask(Ask::Write { path: path.into(), data: "kept".into() })?
            .map_err(|why| Stop::broken(format!("a write to {path}"), "success", why.to_string()))?;
    }
    let dir = container.bundle.dir.clone();
    let config = read::file(&dir.join("config.json"), read::DOCUMENT)?;
    delete(&container)?;
    for file in FILES {
        let content = read::text(&dir.join(file), read::DOCUMENT).ok();
        out.expect_eq(&format!("{file} of the bundle"), content.as_deref(), Some("kept"));
    }
    out.expect_eq("config.json", read::file(&dir.join("config.json"), read::DOCUMENT).ok(), Some(config));
    Ok(())
}

/// A new network namespace that nothing but a file keeps.
struct Pinned {
    file: PathBuf,
}

impl Pinned {
    fn new(lab: &Lab<'_>) -> StepResult<Self> {
        let file = lab.dir.join("network");
        fs::write(&file, "")?;
        let holder = lab.hold_namespace("network")?;
        mount(Some(holder.path("network").as_str()), &file, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        Ok(Self { file })
    }

    fn joined<'r>(&self, recipe: &'r mut Recipe) -> &'r mut Recipe {
        recipe.push("/linux/namespaces", json!({ "type": "network", "path": self.file }))
    }

    fn identity(&self) -> StepResult<(u64, u64)> {
        let found = fs::metadata(&self.file)?;
        Ok((found.dev(), found.ino()))
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let _gone_already = umount2(&self.file, MntFlags::MNT_DETACH);
    }
}

fn bound_namespace(lab: &Lab<'_>, out: &mut Judgement, delete: Deletion) -> StepResult {
    let pinned = Pinned::new(lab)?;
    let before = pinned.identity()?;
    delete(&lab.running(|r| pinned.joined(r))?)?;
    out.expect_eq("what is bound to the file that was joined", pinned.identity()?, before);
    Ok(())
}

/// It was in the namespace before the container came.
fn network_device(lab: &Lab<'_>, out: &mut Judgement, delete: Deletion) -> StepResult {
    let pinned = Pinned::new(lab)?;
    let stack = |path: &Path| Stack::at(&path.to_string_lossy());
    let before = stack(&pinned.file)?.add("plimsoll0")?;
    delete(&lab.running(|r| pinned.joined(r))?)?;
    // Where the namespace is gone the file is a plain one again.
    let after = stack(&pinned.file).ok().and_then(|stack| stack.device("plimsoll0").ok());
    let hardware = after.as_ref().map(|device| &device.hardware);
    out.expect("the device in the joined namespace", hardware == Some(&before.hardware), "there as before", after);
    Ok(())
}

pub(super) const OTHERS: &[Scenario] = &[
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
    fn make(lab: &Lab<'_>) -> StepResult<Self> {
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

    fn remove(self) -> StepResult {
        Ok(self.dirs.iter().try_for_each(|dir| cgroup::remove_tree(dir))?)
    }
}
