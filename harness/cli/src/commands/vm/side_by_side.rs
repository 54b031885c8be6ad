//! Several machines: the same run in each, results side by side.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use plimsoll_engine::run_id::RunId;
use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::model::{self, Foreign, Host, Report, Runtime};
use plimsoll_vm::machine::{Completed, Live};

use super::matrix::MachineConfig;
use super::runner::MachineRunner;
use crate::args::{DisplayOptions, Run};
use crate::shared::bundled;
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, say};

/// Runs in each machine, keeps each machine's results, and shows all of them side by side.
pub fn run(
    runner: &MachineRunner<'_>,
    machines: &[MachineConfig],
    run: &Run,
    display: DisplayOptions,
) -> Result<ExitCode, Failure> {
    if run.keep.is_some() || run.replay.is_some() {
        return Err(Failure::Usage(
            "--keep and --replay need a single machine: give one kernel, cgroup and lsm".to_owned(),
        ));
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..runner.jobs().min(machines.len()) {
            scope.spawn(|| {
                while let Some(machine) = machines.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let answer = answer(runner, machine, run, display).and_then(|(code, report)| {
                        // At once: what is done stays done when a later machine is interrupted.
                        report.write(&beside(&run.output, machine)).map_err(Failure::host)?;
                        Ok((code, report))
                    });
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((machine, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(machine, _)| machines.iter().position(|other| other == *machine));
    let mut codes = Vec::new();
    let mut reports = Vec::new();
    for (_, answer) in done {
        let (code, report) = answer?;
        codes.push(code);
        reports.push(report);
    }
    deliver(&run.format, &Documents { reports, ..Documents::default() }, display)?;
    Ok(ExitCode::from(gravest(&codes)))
}

/// The exit code and the results of one machine. One that gives no answer has results that say so.
fn answer(
    runner: &MachineRunner<'_>,
    machine: &MachineConfig,
    run: &Run,
    display: DisplayOptions,
) -> Result<(u8, Report), Failure> {
    let name = machine.name();
    let started = Instant::now();
    let mut tell = |live: Live<'_>| {
        if let (Live::Stderr(bytes), false) = (live, display.quiet) {
            String::from_utf8_lossy(bytes).lines().for_each(|line| say(&format!("{name}: {line}")));
        }
    };
    match runner.run(machine, &mut tell) {
        Ok(completed) => {
            let code = u8::try_from(completed.code).unwrap_or(2);
            match results(&completed, &run.output)? {
                Some(report) => Ok((code, report)),
                None => Ok((code, unanswered(machine, run, "the command left no results", started)?)),
            }
        }
        Err(why) => {
            say(&format!("{name}: {why}"));
            super::tail(&why).iter().for_each(|line| say(line));
            Ok((2, unanswered(machine, run, &why.to_string(), started)?))
        }
    }
}

/// The results among the files that came back. They are read as any others are: from disk, where they may stay.
fn results(completed: &Completed, output: &Path) -> Result<Option<Report>, Failure> {
    let output = std::path::absolute(output).map_err(Failure::usage)?;
    let Some(file) = completed.files.iter().find(|file| file.path == output) else { return Ok(None) };
    serde_json::from_slice(&file.content().map_err(Failure::host)?).map(Some).map_err(Failure::host)
}

/// What there is to say of a machine that gave no answer.
fn unanswered(machine: &MachineConfig, run: &Run, why: &str, started: Instant) -> Result<Report, Failure> {
    let took = started.elapsed();
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(took);
    let named = run.subject.runtime.first().cloned().map_or_else(bundled::file, Ok)?;
    let path = named.to_string_lossy().into_owned().into();
    Ok(Report {
        schema: model::SCHEMA.to_owned(),
        plimsoll: env!("CARGO_PKG_VERSION").to_owned(),
        run: RunId::of_self().map_err(Failure::host)?.to_string(),
        runtime: Runtime {
            path,
            version: Foreign::default(),
            version_hung: false,
            sha256: String::new(),
            profile: run.subject.profile.clone(),
            spec: String::new(),
        },
        host: Host {
            kernel: machine.kernel.release.clone(),
            machine: String::new(),
            cgroups: machine.cgroups.to_string(),
            cgroup_view: "host".to_owned(),
            lsms: machine.security_modules(),
            missing_capabilities: Vec::new(),
            accelerator: None,
        },
        partition: None,
        command: Vec::new(),
        started_at: began.as_secs(),
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        cut_short: Some(format!("no answer from the machine: {why}")),
        checks: Vec::new(),
    })
}

/// `results.json` as `results.6.1.0-50-cloud-amd64-v2.json`.
fn beside(output: &Path, machine: &MachineConfig) -> PathBuf {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let extension = output.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    output.with_file_name(format!("{stem}.{}{extension}", machine.name().replace(' ', "-")))
}

/// The gravest of several exit codes: 3, nothing was run, only when that is so of all.
fn gravest(codes: &[u8]) -> u8 {
    [4, 2, 1, 0].into_iter().find(|code| codes.contains(code)).unwrap_or(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_exit_code_wins() {
        assert_eq!(gravest(&[0, 1, 0]), 1);
        assert_eq!(gravest(&[1, 2]), 2);
        assert_eq!(gravest(&[3, 0]), 0);
        assert_eq!(gravest(&[3, 3]), 3);
    }
}
