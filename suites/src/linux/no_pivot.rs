//! `--no-pivot`, for hosts whose root is an initramfs: the root of the container is moved over that of the host, which stays below it.

use nix::errno::Errno;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_reports::model::Axis;

use crate::namespaces::usual_user;

const MASKED: &str = "/linux/maskedPaths";

macro_rules! without_pivot {
    ($($name:literal, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.masked-paths.without-pivot/", $name),
            &["linux.masked-paths.unreadable"],
            &[Fault::Drop(MASKED)],
            |lab, out| no_other_procfs(lab, out, $edits),
        )
        .axis(Axis::Security)
        .needs(&[Need::HostView, Need::Option(Op::Create, "no-pivot"), Need::Namespace("user")])),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = without_pivot! {
    "no-other-procfs", |r| r;
    "no-other-procfs-in-a-user-namespace", usual_user;
};

/// The procfs of the host, with nothing over it, would let the program mount one with nothing over it.
fn no_other_procfs(lab: &Lab<'_>, out: &mut Judgement, edits: fn(&mut Recipe) -> &mut Recipe) -> StepResult {
    let bare = lab.running(edits)?;
    let mounted = bare.ask(Ask::MountProc)?;
    bare.finish_and_delete()?;
    if mounted != Ok(Reply::Count(0)) {
        return Err(Stop::Skip("this kernel lets no user namespace in a container mount a procfs".into()));
    }
    let bundle = lab.bundle(|r| edits(r).set(MASKED, ["/proc/version"]))?;
    let container = lab.try_create_from(&lab.dir, &bundle, |values| values.with("no-pivot", ""))?.container()?;
    container.started()?;
    let mounted = container.ask(Ask::MountProc)?;
    let refused = Ok(Reply::Count(Errno::EPERM as i64));
    out.expect("mounting a procfs that shows all", mounted == refused, "not permitted", mounted);
    container.finish_and_delete()
}
