//! Merges the parts of a run that was split over several machines.

use std::collections::BTreeMap;

use crate::model::{Check, Report};

/// Puts parts together. Each comes with the name of its file, for messages.
///
/// # Errors
/// When they are not the parts of one run: another runtime, another selection, a part or a check missing or doubled. One
/// line, which names the file and what is wrong with it.
pub fn merge(parts: &[(String, Report)]) -> Result<Report, String> {
    let [(first_file, first), others @ ..] = parts else { return Err("there is nothing to merge".to_owned()) };
    for (file, report) in others {
        if let Some(differs) = difference(first, report) {
            return Err(format!("{file} is not from the same run as {first_file}: {differs}"));
        }
    }
    complete(parts)?;
    let checks = collected(parts)?;
    if let Some(whole) = first.partition.map(|partition| partition.whole) {
        let count = checks.len() as u64;
        if count != whole {
            return Err(format!("the parts contain {count} of {whole} checks: a part is incomplete or was edited"));
        }
    }
    let reasons: Vec<String> = parts.iter().filter_map(|(_, report)| report.cut_short.clone()).collect();
    Ok(Report {
        checks,
        started_at: parts.iter().map(|(_, report)| report.started_at).min().unwrap_or(first.started_at),
        duration_ms: parts.iter().map(|(_, report)| report.duration_ms).sum(),
        cut_short: (!reasons.is_empty()).then(|| reasons.join("; ")),
        partition: None,
        ..first.clone()
    })
}

/// What two reports must have in common to be of one run.
fn difference(one: &Report, other: &Report) -> Option<String> {
    let facts = [
        ("version of plimsoll", &one.plimsoll, &other.plimsoll),
        ("SHA-256 of the runtime", &one.runtime.sha256, &other.runtime.sha256),
        ("profile", &one.runtime.profile, &other.runtime.profile),
        ("release of the specification", &one.runtime.spec, &other.runtime.spec),
        ("kernel", &one.host.kernel, &other.host.kernel),
        ("machine", &one.host.machine, &other.host.machine),
        ("cgroups", &one.host.cgroups, &other.host.cgroups),
        ("cgroup view", &one.host.cgroup_view, &other.host.cgroup_view),
    ];
    let differs = facts.iter().find(|(_, one, other)| one != other);
    differs.map(|(what, one, other)| format!("the {what} is {other:?} and not {one:?}"))
}

/// Each part is there, once.
fn complete(parts: &[(String, Report)]) -> Result<(), String> {
    let mut seen: BTreeMap<u32, &str> = BTreeMap::new();
    let mut of = None;
    for (file, report) in parts {
        let Some(partition) = report.partition else { continue };
        let whole = *of.get_or_insert((partition.of, partition.whole));
        if whole != (partition.of, partition.whole) {
            return Err(format!("{file} is a part of another selection or of another number of parts"));
        }
        if let Some(other) = seen.insert(partition.part, file) {
            return Err(format!("{file} and {other} are both part {} of {}", partition.part, partition.of));
        }
    }
    let Some((of, _)) = of else { return Ok(()) };
    if let Some((file, _)) = parts.iter().find(|(_, report)| report.partition.is_none()) {
        return Err(format!("{file} is not a part: it was created without --partition"));
    }
    match (1..=of).find(|part| !seen.contains_key(part)) {
        Some(part) => Err(format!("part {part} of {of} is missing")),
        None => Ok(()),
    }
}

/// All checks, sorted; none twice.
fn collected(parts: &[(String, Report)]) -> Result<Vec<Check>, String> {
    let mut checks: BTreeMap<&str, (&str, &Check)> = BTreeMap::new();
    for (file, report) in parts {
        for check in &report.checks {
            if let Some((other, _)) = checks.insert(&check.id, (file, check)) {
                return Err(format!("the check {} is in {other} and in {file}", check.id));
            }
        }
    }
    Ok(checks.into_values().map(|(_, check)| check.clone()).collect())
}
