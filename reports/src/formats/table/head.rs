//! What was tested, where, and with which version.

use super::page::Page;
use crate::model::proof::Proof;
use crate::model::{Host, Report, Runtime};

/// What every document says of where it comes from.
pub(super) struct Origin<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) host: &'a Host,
    pub(super) plimsoll: &'a str,
    pub(super) run: &'a str,
}

impl<'a> From<&'a Report> for Origin<'a> {
    fn from(report: &'a Report) -> Self {
        Origin { runtime: &report.runtime, host: &report.host, plimsoll: &report.plimsoll, run: &report.run }
    }
}

impl<'a> From<&'a Proof> for Origin<'a> {
    fn from(proof: &'a Proof) -> Self {
        Origin { runtime: &proof.runtime, host: &proof.host, plimsoll: &proof.plimsoll, run: &proof.run }
    }
}

pub(super) fn head(page: &mut Page, origin: &Origin<'_>) {
    let Origin { runtime, host, plimsoll, run } = origin;
    let cgroups = match host.cgroup_view.as_str() {
        "host" => format!("{}, as mounted on the host", host.cgroups),
        view => format!("{}, through a private {view} view", host.cgroups),
    };
    let some = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    page.value(0, "runtime", runtime.path.raw());
    page.value(0, "version", &some(runtime.version.raw(), runtime.no_version()));
    page.value(0, "sha256", &runtime.sha256.chars().take(12).collect::<String>());
    page.value(
        0,
        "profile",
        &format!("{}, tested against release {} of the specification", runtime.profile, runtime.spec),
    );
    page.value(0, "kernel", &format!("{} {}", host.kernel, host.machine));
    page.value(0, "cgroups", &cgroups);
    page.value(0, "LSMs", &some(&host.lsms.join(", "), "none"));
    if !host.missing_capabilities.is_empty() {
        page.value(0, "lacking", &host.missing_capabilities.join(", "));
    }
    if let Some(accelerator) = &host.accelerator {
        let note = if accelerator == "tcg" { ", emulated in software: times are not meaningful" } else { "" };
        page.value(0, "machine", &format!("virtual ({accelerator}){note}"));
    }
    page.value(0, "plimsoll", &format!("{plimsoll}, run {run}"));
    page.blank();
}
