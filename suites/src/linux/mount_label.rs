//! `linux.mountLabel`: filesystems that the runtime mounts for the container have this SELinux label, so that its program can access them,
//! and not those of another container.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Refused};
use plimsoll_foreign::read;

use crate::process::selinux::{FILES, LABEL, NEEDS as LABELS, PROGRAM, labelled};

const MOUNT_LABEL: &str = "/linux/mountLabel";
/// The label of another container's files: other categories.
const OF_ANOTHER: &str = "system_u:object_r:container_file_t:s0:c3,c4";

const CITES: &[&str] = &["linux.mount-label.applied"];
const DROP: Fault = Fault::Drop(MOUNT_LABEL);
const OTHER: Fault = Fault::Take(MOUNT_LABEL, r#""system_u:object_r:container_file_t:s0:c5""#);
const OWN: Fault = Fault::Take(MOUNT_LABEL, r#""system_u:object_r:container_file_t:s0:c1,c2""#);

const NEEDS: &[Need] = LABELS;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("linux.mount-label/attribute", CITES, &[DROP, OTHER], |lab, out| {
        let container = running(lab, FILES)?;
        let mounts =
            read::kernel(format!("/proc/{}/mountinfo", container.pid)).map_err(Stop::error("read its mounts"))?;
        for place in ["/dev", "/dev/shm", PLACE] {
            let line = mounts.lines().find(|line| line.split(' ').nth(4) == Some(place)).unwrap_or_default();
            out.expect(&format!("label of the mount at {place}"), line.contains(FILES), FILES, line);
        }
        container.finish_and_delete()
    })
    .needs(NEEDS),
    Scenario::new("linux.mount-label/own-categories-may-write", CITES, &[OTHER], |lab, out| {
        written(lab, out, FILES, true)
    })
    .needs(NEEDS),
    Scenario::new("linux.mount-label/other-categories-may-not", CITES, &[DROP, OWN], |lab, out| {
        written(lab, out, OF_ANOTHER, false)
    })
    .needs(NEEDS),
    Scenario::new(
        "linux.mount-label/unknown-is-refused",
        &["linux.mount-label.applied", "runtime.create.unappliable-property-error"],
        &[DROP],
        |lab, out| {
            let label = "system_u:object_r:plimsoll_nosuch_t:s0";
            let bundle = lab.bundle(|r| r.set(MOUNT_LABEL, label).mount(PLACE, "tmpfs", "tmpfs", &[]))?;
            crate::refusal::by_create_or_start(lab, out, &bundle)
        },
    )
    .needs(NEEDS),
];

/// Where a filesystem is mounted beside the usual ones.
const PLACE: &str = "/data";

/// The program writes to a filesystem of this label, or is kept from it.
fn written(lab: &Lab<'_>, out: &mut Judgement, label: &str, allowed: bool) -> StepResult {
    let container = running(lab, label)?;
    let wrote = container.ask(Ask::Write { path: format!("{PLACE}/file"), data: "x".to_owned() })?;
    let denied = wrote.as_ref().is_err_and(Refused::is_denial);
    let expected = if allowed { "allowed" } else { "denied" };
    let met = if allowed { wrote.is_ok() } else { denied };
    out.expect(&format!("writing to a mount labelled {label}"), met, expected, wrote);
    container.finish_and_delete()
}

fn running<'l>(lab: &'l Lab<'l>, mount_label: &str) -> StepResult<Container<'l>> {
    let bundle = labelled(FILES, || {
        lab.bundle(|r| r.set(LABEL, PROGRAM).set(MOUNT_LABEL, mount_label).mount(PLACE, "tmpfs", "tmpfs", &[]))
    })?;
    let container = lab.create(&bundle)?;
    container.started()?;
    Ok(container)
}
