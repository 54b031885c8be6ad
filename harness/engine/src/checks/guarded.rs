//! Runs the body of a check on a lab of its own, compares the host before and after, and cleans up.

use std::any::Any;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use plimsoll_reports::model::{Call, Finding};

use crate::containers::lab::Lab;
use crate::containers::watch::CANARY;
use crate::guard::{self, Change, Guard};
use crate::runtime::judgement::{StepResult, Stop};
use crate::runtime::settings::Settings;
use crate::system::proc::files::about;
use crate::system::saved_mounts;

/// A finished run, and what it left.
#[derive(Debug)]
pub struct GuardedRun {
    /// How it ended.
    pub result: StepResult,
    /// What it left.
    pub left: Vec<Finding>,
    /// The calls.
    pub calls: Vec<Call>,
}

/// How a scenario ended: by itself, or by a panic.
pub(super) type Caught = std::thread::Result<StepResult>;

/// A check that ran on its lab, and what it left behind.
pub(super) struct LabRun<'s> {
    pub(super) lab: Lab<'s>,
    pub(super) result: Caught,
    pub(super) left: Vec<Finding>,
    pub(super) changes: Vec<Change>,
}

pub(super) fn run_on_lab<'s>(
    settings: &'s Settings,
    tag: &str,
    run: impl FnOnce(&Lab<'s>) -> StepResult,
) -> io::Result<LabRun<'s>> {
    let started = Instant::now();
    let dir = settings.dir.join(tag);
    fs::create_dir(&dir)?;
    guard::plant_canary(&dir.join(CANARY))?;
    let lab = Lab::new(settings, dir, tag.to_owned());
    saved_mounts::save()?;
    let guard = Guard::before_all(lab.watched())?;
    let result = catch_unwind(AssertUnwindSafe(|| run(&lab).or_else(|stop| lab.accept_refusal(stop))));
    lab.take_down();
    // A check that ended early leaves its processes; they are not waited for.
    let looked = if matches!(result, Ok(Ok(()) | Err(Stop::Unsupported(_)))) {
        guard.after()
    } else {
        guard.after_within(Duration::ZERO)
    };
    let (mut left, mut changes) = match looked.and_then(|left| Ok((left, settings.kernel.changes()?))) {
        Ok(found) => found,
        Err(why) => {
            guard::sweep(tag)?;
            return Err(why);
        }
    };
    if settings.exclusive {
        let undone: Vec<io::Result<()>> = changes.iter().map(Change::undo).collect();
        let each = || changes.iter().zip(&undone);
        // What cannot be put back is there still, and says nothing of others.
        let gone: Vec<Change> = each().filter(|(_, undone)| undone.is_ok()).map(|(change, _)| change.clone()).collect();
        // Without the runtime these come again, too.
        let others = guard::made_by_others(&gone, started.elapsed(), || settings.kernel.changes())?;
        let own = |change: &&Change| !others.contains(change);
        left.extend(each().filter(|(change, _)| own(change)).map(|(change, undone)| change.finding(undone)));
        changes.retain(|change| own(&change));
    }
    Ok(LabRun { lab, result, left, changes })
}

/// Runs `run` on a lab of its own, in an isolated process ([`crate::sandbox::isolate`]), and cleans up after it.
///
/// # Errors
/// When the lab cannot be set up or removed.
pub fn run_guarded(settings: &Settings, tag: &str, run: impl FnOnce(&Lab<'_>) -> StepResult) -> io::Result<GuardedRun> {
    let run = run_on_lab(settings, tag, run)?;
    let calls = run.lab.driver.calls();
    clear(run.lab, run.left.is_empty(), |_| Ok(()))?;
    let result = run.result.unwrap_or_else(|panic| Err(Stop::Error(panic_text(&*panic))));
    Ok(GuardedRun { result, left: run.left, calls })
}

/// Removes a lab, and whatever the guard found to be left. `last` gets its directory when
/// nothing lives in it.
pub(super) fn clear(lab: Lab<'_>, clean: bool, last: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let (dir, tag) = (lab.dir.clone(), lab.tag.clone());
    drop(lab);
    if !clean {
        guard::sweep(&tag)?;
        guard::detach_below(&dir)?;
    }
    last(&dir)?;
    fs::remove_dir_all(&dir).or_else(|why| if clean { Err(why) } else { if_gone(why) }).map_err(|why| {
        // Only words for an error that is on its way.
        let mounts = guard::below(&dir).unwrap_or_default();
        about(format!("{} with the mounts {mounts:?}", dir.display()), &why)
    })
}

/// A directory that the runtime has removed is among the findings, and is gone as it should be.
fn if_gone(why: io::Error) -> io::Result<()> {
    if why.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(why) }
}

/// Whether a finding is a change outside of the container, which no check makes itself.
pub(crate) fn is_harm(finding: &Finding) -> bool {
    const OWN: [&str; 4] = ["cgroups", "host mounts", "processes", "state directory"];
    !OWN.contains(&finding.what.as_str())
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the check panicked: {}", text.unwrap_or("without a message"))
}

/// Removes a directory of a check whose own process could not.
pub fn discard(dir: &Path) {
    if let Err(why) = fs::remove_dir_all(dir) {
        debug_assert!(why.kind() == io::ErrorKind::NotFound, "{why}");
    }
}
