//! Sources of bind mounts that are neither files nor directories: a socket, a FIFO, a device.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};

use crate::namespaces::usual_user;

/// One scenario a row: what the source is, how it is made, and further edits.
macro_rules! special {
    ($($name:literal, $kind:literal, $make:expr, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("mounts.bind.special/", $name),
            &["config.mounts.bind-source-absolute", "config.mounts.option.bind"],
            &[Fault::Drop("/mounts/6")],
            |lab, out| is_shown(lab, out, $kind, $make, $edits),
        )),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = special! {
    "socket", "socket", socket, |r| r;
    "socket-over-a-file", "socket", socket, |r| r.file("/m", "");
    "socket-in-a-user-namespace", "socket", socket, |r| usual_user(r.file("/m", ""));
    "fifo", "fifo", fifo, |r| r;
    "fifo-in-a-user-namespace", "fifo", fifo, |r| usual_user(r.file("/m", ""));
    "device", "char", device, |r| r;
    "device-in-a-user-namespace", "char", device, |r| usual_user(r.file("/m", ""));
};

fn socket(path: &Path) -> StepResult {
    // Its node stays when nobody listens any more.
    Ok(UnixListener::bind(path).map(drop)?)
}

/// Whoever opens it waits for another to do so, too.
fn fifo(path: &Path) -> StepResult {
    Ok(nix::unistd::mkfifo(path, Mode::S_IRWXU)?)
}

fn device(path: &Path) -> StepResult {
    Ok(mknod(path, SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 3))?)
}

fn is_shown(
    lab: &Lab<'_>,
    out: &mut Judgement,
    kind: &str,
    make: fn(&Path) -> StepResult,
    edits: fn(&mut Recipe) -> &mut Recipe,
) -> StepResult {
    let bundle =
        lab.bundle(|r| edits(r.directory_beside("data")).mount("/m", "none", "{bundle}/data/it", &["bind"]))?;
    let source = bundle.dir.join("data/it");
    make(&source)?;
    let container = lab.create(&bundle)?;
    container.started()?;
    let inode = std::fs::symlink_metadata(&source)?.ino();
    let found = container.ask(Ask::Stat("/m".into()))?;
    let is_it = matches!(&found, Ok(Reply::Stat(stat)) if stat.kind == kind && stat.inode == inode);
    out.expect("/m", is_it, format!("the {kind} of the host, with inode {inode}"), &found);
    container.finish_and_delete()
}
