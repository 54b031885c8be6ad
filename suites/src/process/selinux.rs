//! `process.selinuxLabel`: the program runs under it, and the kernel denies what it denies to that label. Types and
//! categories are those of container-selinux, which the policy of `plimsoll vm` has, too.

use std::fs;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Refused};
use plimsoll_fixtures::{Bundle, Recipe};

pub(crate) const LABEL: &str = "/process/selinuxLabel";

/// Of the program, and of the files that are its own.
pub(crate) const PROGRAM: &str = "system_u:system_r:container_t:s0:c1,c2";
pub(crate) const FILES: &str = "system_u:object_r:container_file_t:s0:c1,c2";

const OF_A_HOME: &str = "system_u:object_r:user_home_t:s0";
const OF_ANOTHER: &str = "system_u:object_r:container_file_t:s0:c3,c4";

pub(crate) const NEEDS: &[Need] = &[Need::HostView, Need::SelinuxContext(PROGRAM)];
const CITES: &[&str] = &["config.process.selinux-label-applied"];

const DROP: Fault = Fault::Drop(LABEL);
const CATEGORIES: Fault = Fault::Take(LABEL, r#""system_u:system_r:container_t:s0:c3,c4""#);
const TYPE: Fault = Fault::Take(LABEL, r#""system_u:system_r:kernel_t:s0""#);

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("process.selinux-label/attribute", CITES, &[DROP, CATEGORIES, TYPE], |lab, out| {
        let container = running(lab, |r| r)?;
        out.expect_eq("label, seen from the host", container.observe()?.lsm_label.as_deref(), Some(PROGRAM));
        container.finish_and_delete()
    })
    .needs(NEEDS),
    Scenario::new("process.selinux-label/type-is-enforced", CITES, &[DROP, TYPE], |lab, out| {
        denied(lab, out, OF_A_HOME)
    })
    .needs(NEEDS),
    Scenario::new("process.selinux-label/categories-are-enforced", CITES, &[DROP, CATEGORIES], |lab, out| {
        denied(lab, out, OF_ANOTHER)
    })
    .needs(NEEDS),
    Scenario::new("process.selinux-label/despite-no-new-privileges", CITES, &[DROP, CATEGORIES], |lab, out| {
        let container = running(lab, |r| r.set("/process/noNewPrivileges", true))?;
        out.expect_eq("label, seen from the host", container.observe()?.lsm_label.as_deref(), Some(PROGRAM));
        container.finish_and_delete()
    })
    .needs(NEEDS),
    Scenario::new(
        "process.selinux-label/unknown-is-refused",
        &["config.process.selinux-label-applied", "runtime.create.unappliable-property-error"],
        &[DROP],
        |lab, out| {
            let bundle = lab.bundle(|r| r.set(LABEL, "system_u:system_r:plimsoll_nosuch_t:s0"))?;
            crate::refusal::by_create_or_start(lab, out, &bundle)
        },
    )
    .needs(NEEDS),
];

/// A file of this label is kept from the program, while one of its own is not.
fn denied(lab: &Lab<'_>, out: &mut Judgement, label: &str) -> StepResult {
    let bundle = labelled(FILES, || lab.bundle(|r| r.set(LABEL, PROGRAM).file("/own", "open")))?;
    let secret = || fs::write(bundle.rootfs().join("secret"), "secret").map_err(Stop::error("write a file"));
    labelled(label, secret)?;
    let container = lab.create(&bundle)?;
    container.started()?;
    let own = container.ask(Ask::Read("/own".into()))?;
    out.expect("reading a file of its own", own.is_ok(), "allowed", &own);
    let read = container.ask(Ask::Read("/secret".into()))?;
    let refused = read.as_ref().is_err_and(Refused::is_denial);
    out.expect(&format!("reading a file labelled {label}"), refused, "denied", read);
    container.finish_and_delete()
}

fn running<'l>(lab: &'l Lab<'l>, edits: fn(&mut Recipe) -> &mut Recipe) -> StepResult<Container<'l>> {
    let bundle: Bundle = labelled(FILES, || lab.bundle(|r| edits(r.set(LABEL, PROGRAM))))?;
    let container = lab.create(&bundle)?;
    container.started()?;
    Ok(container)
}

/// Files that are made meanwhile get this label.
pub(crate) fn labelled<T>(label: &str, make: impl FnOnce() -> StepResult<T>) -> StepResult<T> {
    let set = |label: &str| fs::write("/proc/self/attr/fscreate", label).map_err(Stop::error("label new files"));
    set(label)?;
    let made = make();
    // An empty line ends it.
    set("\n")?;
    made
}
