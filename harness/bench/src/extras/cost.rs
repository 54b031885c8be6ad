//! The cost of a container besides time.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;
use plimsoll_engine::process::{Ended, null};
use plimsoll_engine::profile::Op;
use plimsoll_foreign::read;
use plimsoll_reports::model::bench::{Cost, Operation};

use crate::phases::Turn;
use crate::scenario::Scenario;
use crate::site::{STAMP, STAY, Site, Sites};
use crate::subject::Subject;
use crate::trace::tracer::Tracer;
use crate::watch::Watch;

/// How many containers live when what stays for each is counted.
const ALIVE: u32 = 4;

/// Measures one subject with one scenario.
///
/// # Errors
/// When the host or the harness fails, or the subject cannot make the container at all.
pub fn measure(subject: &Subject, scenario: &Scenario, place: &Sites<'_>, watch: &mut Watch) -> io::Result<Cost> {
    let own = subject.root.file_name().unwrap_or_default().to_string_lossy();
    let tag = |what: &str| format!("{}-{own}-{what}", scenario.name);
    let run = place.site(&tag("run"), scenario, STAMP)?;
    let operations = vec![operation(subject, &run, watch)?];
    let (processes, pss_kib, cgroup_kib) =
        if subject.floor { (0.0, 0.0, None) } else { alive(subject, scenario, place, watch, &tag("alive"))? };
    let smallest_limit_kib = smallest_limit(subject, scenario, place, watch, &tag("limit"))?;
    let (subject, scenario) = (subject.name.clone(), scenario.name.clone());
    Ok(Cost { subject, scenario, operations, processes, pss_kib, cgroup_kib, smallest_limit_kib })
}

/// What a whole `run` costs: once under the tracer, which counts, and once by itself for processor time and faults.
fn operation(subject: &Subject, site: &Site, watch: &mut Watch) -> io::Result<Operation> {
    watch.forget()?;
    let call = subject.call(Op::Run, site, |values| values)?;
    let call = call.ok_or_else(|| io::Error::other(format!("{} has no run", subject.name)))?;
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Turn { subject, site, watch: &mut *watch }.run().or_else(|error| error.mishap(0).map(|_| Vec::new()))?;
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let mut tracer = Tracer::new();
    let fds = [null()?, null()?, null()?];
    let (ended, _, _) = tracer.call(&call, &fds, Instant::now() + subject.settings.timeout)?;
    let (peak_kib, tasks) = (tracer.peak_kib(), tracer.appeared());
    let system_calls = tracer.events.iter().filter(|event| !event.call.is_empty()).count();
    tracer.release()?;
    Turn { subject, site, watch }.remove()?;
    if ended != Ended::Exit(0) {
        return Err(io::Error::other(format!("{} under the tracer, run: {ended}", subject.name)));
    }
    let ms = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
    let faults = |usage: &nix::sys::resource::Usage| usage.minor_page_faults() + usage.major_page_faults();
    Ok(Operation {
        name: "run".to_owned(),
        peak_kib,
        user_ms: ms(after.user_time()) - ms(before.user_time()),
        system_ms: ms(after.system_time()) - ms(before.system_time()),
        page_faults: u64::try_from(faults(&after) - faults(&before)).unwrap_or(0),
        system_calls: system_calls as u64,
        tasks: tasks.into(),
    })
}

/// Processes, their proportional memory and what the cgroup is charged with, for one of several that live.
fn alive(
    subject: &Subject,
    scenario: &Scenario,
    place: &Sites<'_>,
    watch: &mut Watch,
    tag: &str,
) -> io::Result<(f64, f64, Option<f64>)> {
    let before = descendants()?;
    let mut made = Vec::new();
    for number in 0..ALIVE {
        let site = place.site(&format!("{tag}{number}"), scenario, STAY)?;
        let mut turn = Turn { subject, site: &site, watch: &mut *watch };
        let started = turn.create().and_then(|(_, pid, mut output)| turn.start(&mut output).map(|_| (pid, output)));
        match started {
            Ok((pid, output)) => made.push((site, pid, output)),
            Err(error) => {
                turn.remove()?;
                let mishap = error.mishap(number)?;
                return Err(io::Error::other(format!("{}: {}: {}", subject.name, mishap.phase, mishap.what)));
            }
        }
    }
    let new: Vec<Pid> = descendants()?.into_iter().filter(|pid| !before.contains(pid)).collect();
    let each = f64::from(ALIVE);
    let pss: u64 = new.iter().map(|pid| pss(*pid)).sum();
    let charged: Vec<f64> = made.iter().filter_map(|(site, ..)| charged(site)).collect();
    for (site, pid, _) in &made {
        let mut turn = Turn { subject, site, watch: &mut *watch };
        let ended = turn.kill(*pid).and_then(|_| turn.delete());
        if ended.is_err() {
            turn.remove()?;
        }
    }
    watch.forget()?;
    let cgroup = (!charged.is_empty()).then(|| charged.iter().sum::<f64>() / charged.len() as f64);
    Ok((new.len() as f64 / each, pss as f64 / each, cgroup))
}

/// All processes below this one.
fn descendants() -> io::Result<Vec<Pid>> {
    let mut found = vec![nix::unistd::getpid()];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        // One that has ended meanwhile has no children any more.
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = read::kernel(task.path().join("children")).unwrap_or_default();
            found.extend(children.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw));
        }
    }
    Ok(found.split_off(1))
}

fn pss(pid: Pid) -> u64 {
    let text = read::kernel(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn charged(site: &Site) -> Option<f64> {
    let files = site.groups.iter().flat_map(|group| ["memory.usage_in_bytes", "memory.current"].map(|f| group.join(f)));
    let bytes: f64 = files.filter_map(|file| read::kernel(file).ok()).find_map(|text| text.trim().parse().ok())?;
    Some(bytes / 1024.0)
}

/// The range in which the limit is looked for, in KiB, and how near the answer is to the truth.
const LEAST: u64 = 64;
const MOST: u64 = 64 * 1024;
const NEAR: f64 = 1.1;

/// The smallest memory limit with which `run` succeeds, by halving; none when it fails even with the greatest.
fn smallest_limit(
    subject: &Subject,
    scenario: &Scenario,
    place: &Sites<'_>,
    watch: &mut Watch,
    tag: &str,
) -> io::Result<Option<u64>> {
    let mut starts = |kib: u64| -> io::Result<bool> {
        let mut limited = scenario.clone();
        limited.recipe.set("/linux/resources/memory", serde_json::json!({ "limit": kib * 1024 }));
        let site = place.site(&format!("{tag}{kib}"), &limited, STAMP)?;
        let mut impatient = subject.clone();
        impatient.settings.timeout = subject.settings.timeout.min(Duration::from_secs(3));
        match (Turn { subject: &impatient, site: &site, watch: &mut *watch }).run() {
            Ok(times) => Ok(!times.is_empty()),
            Err(error) => error.mishap(0).map(|_| false),
        }
    };
    if subject.floor || scenario.bundle.is_some() || !starts(MOST)? {
        return Ok(None);
    }
    let (mut fails, mut works) = (LEAST, MOST);
    while works as f64 / fails as f64 > NEAR {
        let middle = ((fails as f64 * works as f64).sqrt() / 4.0).round() as u64 * 4;
        if middle <= fails || middle >= works {
            break;
        }
        if starts(middle)? { works = middle } else { fails = middle }
    }
    Ok(Some(works))
}
