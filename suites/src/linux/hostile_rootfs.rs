//! Malicious root filesystems. The configuration is trusted, the image is not: whatever is in it, nothing outside may be touched. Each
//! scenario has worked against a real runtime.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::container::Container;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_fixtures::recipe::Edit;
use plimsoll_fixtures::{Bundle, Recipe};
use plimsoll_foreign::read;
use plimsoll_reports::model::Axis;
use serde_json::json;

use crate::refusal;

const ROOT: &[&str] = &["config.root.is-container-rootfs", "runtime.errors.no-side-effects"];

/// A directory beside the root filesystem with what careless runtimes have removed or replaced.
fn trap(recipe: &mut Recipe) -> &mut Recipe {
    ["ptmx", "console", "null", "fd", "version"]
        .into_iter()
        .fold(recipe.directory_beside("trap/pts"), |r, name| r.beside(&format!("trap/{name}"), "untouched"))
}

/// Each member of the trap: inode, mode, content.
fn describe(bundle: &Bundle) -> std::io::Result<BTreeMap<String, (u64, u32, String)>> {
    let describe = |path: &Path| -> std::io::Result<(u64, u32, String)> {
        let status = std::fs::symlink_metadata(path)?;
        let content = if status.is_file() { read::text(path, read::DOCUMENT)? } else { String::new() };
        Ok((status.ino(), status.mode(), content))
    };
    let entries = std::fs::read_dir(bundle.dir.join("trap"))?;
    entries
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name().to_string_lossy().into_owned(), describe(&entry.path())?))
        })
        .collect()
}

/// The container that create makes of it, started; `None` when create or start refuses it, which is as good.
fn tried<'l>(lab: &'l Lab<'l>, out: &mut Judgement, bundle: &Bundle) -> StepResult<Option<Container<'l>>> {
    let Some(container) = refusal::or_created(lab, out, bundle)? else { return Ok(None) };
    if container.start()?.succeeded() {
        container.greeted()?;
        return Ok(Some(container));
    }
    container.delete_by_force()?.ok()?;
    Ok(None)
}

/// The trap is as it was, while the container runs and after it is gone.
fn untouched(lab: &Lab<'_>, out: &mut Judgement, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult {
    let bundle = lab.bundle(|r| edits(trap(r)))?;
    let before = describe(&bundle)?;
    let container = tried(lab, out, &bundle)?;
    out.expect_eq("what lies outside of the root filesystem", describe(&bundle)?, before.clone());
    if let Some(container) = container {
        container.kill(nix::sys::signal::Signal::SIGKILL)?.ok()?;
        container.wait()?;
        container.delete()?.ok()?;
    }
    out.expect_eq("what lies outside, after the container", describe(&bundle)?, before);
    Ok(())
}

/// One scenario a row: what leads to the trap.
macro_rules! untouched {
    ($($id:literal, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.hostile-rootfs/", $id),
            ROOT,
            &[Fault::Escape],
            |lab, out| untouched(lab, out, $edits),
        ).axis(Axis::Security).needs(&[Need::HostView])),*]
    };
}

pub(super) const UNTOUCHED: &[Scenario] = untouched! {
    "dev-leads-out", |r| r.symlink("/dev", "../trap");
    "dev-leads-out-without-mounts", |r| super::default_devices::without_mount(r).symlink("/dev", "../trap");
    "null-leads-out", |r| super::default_devices::without_mount(r).symlink("/dev/null", "../../trap/null");
    "ptmx-leads-out", |r| super::default_devices::without_mount(r).symlink("/dev/ptmx", "../../trap/ptmx");
    "fd-leads-out", |r| super::default_devices::without_mount(r).symlink("/dev/fd", "../../trap/fd");
    "console-leads-out", |r| super::default_devices::without_mount(r)
        .symlink("/dev/console", "../../trap/console").set("/process/terminal", true);
    "mount-target-leads-out", |r| r.symlink("/data", "../trap").mount("/data/deep", "tmpfs", "tmpfs", &[]);
    "file-target-leads-out", |r| r.symlink("/data", "../trap").beside("x", "x")
        .mount("/data/new", "bind", "{bundle}/x", &["bind"]);
    "device-leads-out", |r| r.symlink("/opt", "../trap")
        .push("/linux/devices", super::devices::device("/opt/new", "c", 1, 3));
    "read-only-path-leads-out", |r| r.symlink("/data", "../trap").set("/linux/readonlyPaths", ["/data/version"]);
    "masked-path-leads-out", |r| r.symlink("/data", "../trap").set("/linux/maskedPaths", ["/data/version"]);
};

pub(super) const SCENARIOS: &[Scenario] = &[PROC, SYS, MASK, CWD];

/// A `/proc` that is mounted elsewhere can be made a forgery later: what the runtime writes to it then, it writes to
/// files of the image.
const PROC: Scenario =
    Scenario::new("linux.hostile-rootfs/proc-is-a-link", ROOT, &[Fault::Succeed(Op::Create)], |lab, out| {
        mounted_in_place(lab, out, "/proc", "/other")
    })
    .axis(Axis::Security)
    .needs(&[Need::HostView]);

const SYS: Scenario = Scenario::new(
    "linux.hostile-rootfs/sys-is-a-link",
    ROOT,
    &[Fault::Succeed(Op::Create), Fault::Drop("/mounts/5")],
    |lab, out| mounted_in_place(lab, out, "/sys", "/other"),
)
.axis(Axis::Security)
.needs(&[Need::HostView]);

/// Refused; or else it is not where the link leads.
fn mounted_in_place(lab: &Lab<'_>, out: &mut Judgement, point: &str, elsewhere: &str) -> StepResult {
    let bundle = lab.bundle(|r| r.directory(elsewhere).symlink(point, elsewhere))?;
    let Some(container) = refusal::or_created(lab, out, &bundle)? else { return Ok(()) };
    let seen = container.observe()?;
    out.expect(
        elsewhere,
        seen.mount_at(elsewhere).is_none(),
        "no mount there, or create refuses",
        seen.mount_at(elsewhere),
    );
    out.expect(point, seen.mount_at(point).is_some(), "a mount, or create refuses", "none");
    container.delete_by_force()?.ok()
}

/// Masks are made of the container's `/dev/null` by some: here that is a device with something to read. It is no file,
/// since some take each standard stream whose device number is that of `/dev/null` for it, and those of files are all 0.
const MASK: Scenario = Scenario::new(
    "linux.hostile-rootfs/null-that-is-no-null",
    &["linux.masked-paths.unreadable", "linux.default-devices.null"],
    &[Fault::Escape],
    |lab, out| {
        let bundle = lab.bundle(|r| {
            super::default_devices::without_mount(trap(r))
                .file("/target", "secret")
                .edit(Edit::Device("rootfs/forged".into(), 'c', 1, 5))
                .symlink("/dev/null", "/forged")
                .set("/linux/maskedPaths", ["/target"])
        })?;
        let before = describe(&bundle)?;
        let container = tried(lab, out, &bundle)?;
        out.expect_eq("what lies outside of the root filesystem", describe(&bundle)?, before);
        let Some(container) = container else { return Ok(()) };
        let read = container.ask(Ask::Read("/target".into()))?;
        out.expect("reading the masked path", read.is_err() || read == Ok(Reply::Bytes(vec![])), "no content", read);
        container.finish_and_delete()
    },
)
.axis(Axis::Security);

/// A current directory behind a descriptor of the runtime would be one of the host.
const CWD: Scenario = Scenario::new(
    "linux.hostile-rootfs/current-directory-behind-a-descriptor",
    &["config.process.cwd-applied", "config.root.is-container-rootfs"],
    &[Fault::Succeed(Op::Create)],
    |lab, out| {
        for number in (3..=32).take_while(|_| lab.has_time()) {
            let bundle = lab.bundle(|r| r.set("/process/cwd", format!("/proc/self/fd/{number}")))?;
            let Some(container) = tried(lab, out, &bundle)? else {
                let state = lab.call_id(Op::State, &bundle.id)?;
                out.expect("state after the refusal", !state.succeeded(), "an error: no container", state.stdout);
                continue;
            };
            in_root(&container, out, number)?;
            container.finish_and_delete()?;
        }
        Ok(())
    },
)
.axis(Axis::Security);

/// `getcwd(2)` fails or marks what is outside of the root directory.
fn in_root(container: &Container<'_>, out: &mut Judgement, number: i32) -> StepResult {
    let cwd = container.ask(Ask::Cwd)?;
    let inside = matches!(&cwd, Ok(Reply::Text(path)) if path.starts_with('/') && !path.contains("(unreachable)"));
    out.expect(&format!("current directory with descriptor {number}"), inside, "inside, or an error", &cwd);
    let Ok(Reply::Text(path)) = cwd else { return Ok(()) };
    let same = |answer| match answer {
        Ok(Reply::Stat(stat)) => Ok((stat.device, stat.inode)),
        other => Err(Stop::broken("stat of the current directory", "an answer", other.describe())),
    };
    let (here, named) = (same(container.ask(Ask::Stat(".".into()))?)?, same(container.ask(Ask::Stat(path))?)?);
    out.expect_eq("device and inode of the current directory", here, named);
    Ok(())
}

/// Capabilities that pass through exec are none of those that a configuration does not list.
const INHERITABLE: Rule = Rule::by_host(
    "linux.inheritable-capabilities",
    &["config.process.capabilities-inheritable"],
    |config, evidence, out| {
        if config.list("/process/capabilities/inheritable").is_empty() {
            let found = &evidence.host().status.capabilities;
            out.expect_eq("inheritable capabilities", found.inheritable, 0);
            out.expect_eq("ambient capabilities", found.ambient, 0);
        }
    },
)
.axis(Axis::Security);

pub(super) const CASES: &[Case] = &[
    Case::new(
        &INHERITABLE,
        "not-listed",
        |r| r,
        &[Fault::Take("/process/capabilities/inheritable", r#"["CAP_CHOWN"]"#)],
    ),
    Case::new(
        &INHERITABLE,
        "empty",
        |r| r.set("/process/capabilities/inheritable", json!([])),
        &[Fault::Take("/process/capabilities/inheritable", r#"["CAP_CHOWN"]"#)],
    ),
];
