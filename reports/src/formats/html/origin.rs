//! Where the verdicts come from: runtime, host, harness.

use maud::{Markup, html};

use super::mutants::Part;
use super::untrusted::Line;
use crate::model::{Host, Report, Runtime};

/// The facts of each run and proof.
pub(super) fn origins(reports: &[Report], proofs: &[Part<'_>]) -> Markup {
    html! {
        section aria-labelledby="origin" {
            h2 id="origin" { "Runtime and host" }
            div.origins {
                @for report in reports {
                    (origin(&report.runtime, &report.host, &report.plimsoll, &report.run, report.started_at))
                }
                @for Part { proof, .. } in proofs {
                    (origin(&proof.runtime, &proof.host, &proof.plimsoll, &proof.run, proof.started_at))
                }
            }
        }
    }
}

fn origin(runtime: &Runtime, host: &Host, plimsoll: &str, run: &str, started_at: u64) -> Markup {
    let list = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(", ") };
    let version = if runtime.version.is_empty() { runtime.no_version() } else { runtime.version.raw() };
    let rows = [
        ("runtime", runtime.path.raw().to_owned()),
        ("version", version.to_owned()),
        ("SHA-256", runtime.sha256.clone()),
        ("profile", runtime.profile.clone()),
        ("tested against", format!("release {} of the specification", runtime.spec)),
        ("kernel", format!("{} {}", host.kernel, host.machine)),
        ("cgroups", host.cgroups.clone()),
        ("cgroup view", host.cgroup_view.clone()),
        ("security modules", list(&host.lsms)),
        ("lacking", list(&host.missing_capabilities)),
        ("plimsoll", plimsoll.to_owned()),
        ("run", run.to_owned()),
        ("began", crate::text::moment(started_at)),
    ];
    html! {
        dl.facts { @for (name, value) in &rows { dt { (name) } dd { (Line(value)) } } }
    }
}
