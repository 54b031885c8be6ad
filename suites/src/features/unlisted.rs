//! What a runtime supports and does not list: relevant for callers that rely on the document.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::profile::Op;
use serde_json::{Value, json};

use super::{document, said};
use crate::process::capabilities::names;
use crate::seccomp::filter::{SECCOMP, with_rule};

const KINDS: [&str; 6] = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

/// A list may name less than there is.
const INCOMPLETE: &str = "what is listed has to work; nothing says that all that works has to be listed";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "features.hooks/those-that-run-are-listed",
        &["features.hooks-supported"],
        &[Fault::Misreport(Op::Features, "/hooks", r#"["prestart"]"#)],
        |lab, out| {
            let document = document(lab)?;
            let listed = said(&document, "/hooks")?;
            let container = lab.running(|r| KINDS.iter().fold(r, |r, kind| r.hook(kind, kind, &[])))?;
            container.finish_and_delete()?;
            let ran = container.bundle.hook_log()?.into_iter().map(|record| record.name);
            all_listed(out, "hooks that run", ran, listed);
            Ok(())
        },
    )
    .advisory(INCOMPLETE),
    Scenario::new(
        "features.capabilities/those-given-are-listed",
        &["features.linux.capabilities-recognised"],
        &[Fault::Misreport(Op::Features, "/linux/capabilities", r#"["CAP_CHOWN"]"#)],
        given,
    )
    .needs(&[Need::HostView])
    .advisory(INCOMPLETE),
    Scenario::new(
        "features.seccomp/that-works-is-enabled",
        &["features.linux.seccomp-enabled"],
        &[Fault::Misreport(Op::Features, "/linux/seccomp/enabled", "false")],
        |lab, out| {
            let document = document(lab)?;
            let enabled = said(&document, "/linux/seccomp/enabled")?;
            let rule = json!({ "names": ["readahead"], "action": "SCMP_ACT_ERRNO" });
            let container = lab.running(|r| r.set(SECCOMP, with_rule(&rule)))?;
            let works = container.observe()?.status.seccomp == Some(2);
            out.expect("linux.seccomp.enabled", !works || enabled == true, "true, for filters work", enabled);
            container.finish_and_delete()
        },
    )
    .needs(&[Need::HostView]),
];

fn given(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let document = document(lab)?;
    let listed = said(&document, "/linux/capabilities")?;
    let own = Observation::of(nix::unistd::getpid())?.status.capabilities.bounding;
    let container = lab.running(|r| r.set("/process/capabilities/bounding", names(own)))?;
    let given = names(container.observe()?.status.capabilities.bounding);
    all_listed(out, "capabilities that are given", given.into_iter().map(str::to_owned), listed);
    container.finish_and_delete()
}

fn all_listed(out: &mut Judgement, what: &str, found: impl Iterator<Item = String>, listed: &Value) {
    let is_listed = |name: &String| listed.as_array().is_some_and(|listed| listed.contains(&json!(name)));
    let absent: Vec<String> = found.filter(|name| !is_listed(name)).collect();
    out.expect(what, absent.is_empty(), "listed", &absent);
}
