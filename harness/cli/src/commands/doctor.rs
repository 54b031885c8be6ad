//! `plimsoll doctor`: what this host lacks, how many checks need it, and whether a virtual machine has it.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::process::ExitCode;

use plimsoll_engine::check::Check;
use plimsoll_engine::host;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Profile;
use plimsoll_reports::text::plural;
use plimsoll_vm::kernel::Kernel;
use plimsoll_vm::qemu;

use crate::args::Doctor;
use crate::shared::failure::Failure;
use crate::shared::output::print;
use crate::shared::requirements::{self, Missing};

/// Says what is missing; that is no failure.
pub fn doctor(args: &Doctor) -> Result<ExitCode, Failure> {
    let profile = Profile::load(&args.profile).map_err(Failure::usage)?;
    requirements::has_proc()?;
    let facts = host::facts("host").map_err(Failure::host)?;
    let have = host::abilities(&profile, &facts).map_err(Failure::host)?;
    let checks = plimsoll_suites::all();
    let gaps = gaps(&checks, |need| need.unmet(&have));
    let missing = requirements::missing()?;
    let is_lost = |check: &&Check| missing.is_some() || check.needs().any(|need| need.unmet(&have).is_some());
    let lost = checks.iter().filter(is_lost).count();
    let mut text = format!("kernel   {}\ncgroups  {}\n", facts.kernel, facts.cgroups);
    writeln!(text, "checks   {} of {} can run here", checks.len() - lost, checks.len()).map_err(Failure::host)?;
    if let Some(Missing { what, way }) = &missing {
        writeln!(text, "  {lost:>4} checks: {what}; {way}; `plimsoll vm` can provide it").map_err(Failure::host)?;
    }
    // Without the privilege to look, nothing else can be checked.
    for gap in gaps.iter().filter(|_| missing.is_none()) {
        let machine = if gap.closed_by_vm { "; `plimsoll vm` can provide it" } else { "" };
        writeln!(text, "  {:>4} {}: {}{machine}", gap.checks, plural(gap.checks, "check"), gap.reason)
            .map_err(Failure::host)?;
    }
    for line in advice(&facts.cgroups) {
        writeln!(text, "{line}").map_err(Failure::host)?;
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Something that is missing.
struct Gap {
    reason: String,
    checks: usize,
    closed_by_vm: bool,
}

/// What is missing, the costliest first.
fn gaps(checks: &[Check], unmet: impl Fn(&Need) -> Option<String>) -> Vec<Gap> {
    let mut found: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for check in checks {
        let missing = check.needs().filter_map(|need| Some((unmet(need)?, need.is_of_host())));
        for (reason, of_host) in missing {
            found.entry(reason).or_insert((0, of_host)).0 += 1;
        }
    }
    let gap = |(reason, (checks, closed_by_vm))| Gap { reason, checks, closed_by_vm };
    let mut gaps: Vec<Gap> = found.into_iter().map(gap).collect();
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.checks));
    gaps
}

/// Other obstacles, and what to do about them.
fn advice(cgroups: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if cgroups != "v2" {
        lines.push(format!("cgroups  {cgroups}: `plimsoll vm --cgroup v2 -- run …` has version 2 only"));
    }
    if cgroups == "hybrid" {
        lines.push(
            "cgroups  hybrid, which crun refuses; `plimsoll run --cgroup-view v1` shows it only version 1".into(),
        );
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let has_qemu = env::split_paths(&path).any(|dir| dir.join(qemu::PROGRAM_NAME).is_file());
    lines.push(match (has_qemu, Kernel::find(None)) {
        (false, _) => format!("vm       {} is not installed: apt-get install qemu-system-x86", qemu::PROGRAM_NAME),
        (true, Ok(kernel)) => format!("vm       ready, with kernel {}", kernel.release),
        (true, Err(why)) => format!("vm       {why}"),
    });
    lines
}
