//! Options of exec besides the process: descriptors, a cgroup, a terminal, a paused container.

use std::fs;
use std::path::PathBuf;

use nix::unistd::Pid;
use plimsoll_engine::cgroup;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::console::Console;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::{Ask, PATH};
use plimsoll_foreign::read;

use super::compat;
use super::hand_over::{PLACES, given};
use super::inherit::plain;
use super::pause::{await_another, is_frozen, pause, resume};
use crate::refusal;

/// A group within each one of the container.
const BELOW: &str = "below";

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.exec.option/preserve-fds", &[Need::HostView, Need::Option(Op::Exec, "preserve-fds")],
        &[Fault::Forget(Op::Exec, "preserve-fds")], |lab, out| {
            let container = lab.running(|r| r)?;
            let mut program = container.exec_handing(given(2)?, |call| plain(call).with("preserve-fds", "2"))?;
            program.greeted()?;
            let evidence = program.evidence(vec![Ask::Fds], &container.bundle)?;
            let fds = evidence.inside.fds().map(|fds| fds.iter().skip(3).map(|(_, place)| &**place).collect::<Vec<_>>());
            out.expect_eq("descriptors from 3 on", fds, Ok(PLACES[..2].to_vec()));
            program.finish()?.ok()?;
            container.finish_and_delete()
        };
    "compat.exec.option/tty", &[Need::HostView, Need::Option(Op::Exec, "tty")],
        &[Fault::Forget(Op::Exec, "tty")], |lab, out| {
            let (console, container) = (Console::bind(&lab.dir.join("tty"))?, lab.running(|r| r)?);
            let socket = console.path().to_string_lossy().into_owned();
            let pid = added(lab, &container, |call| call.with("tty", "").with("console-socket", socket))?;
            let _terminal = console.receive(lab.driver.deadline())?;
            let fds = Observation::of(pid)?.fds;
            let is_terminal = |fd: i32| fds.get(&fd).is_some_and(|place| place.starts_with("/dev/pts/"));
            out.expect("standard streams", (0..3).all(is_terminal), "the terminal of the container", &fds);
            container.finish_and_delete()
        };
    "compat.exec.option/cgroup", &[Need::HostView, Need::Option(Op::Exec, "cgroup")],
        &[Fault::Forget(Op::Exec, "cgroup")], |lab, out| {
            let container = lab.running(|r| r)?;
            let made = groups_below(&container)?;
            let mut program = container.exec_with(|call| plain(call).with("cgroup", BELOW))?;
            let hello = program.greeted()?;
            let pid = program.pid(&hello)?.ok_or_else(|| Stop::broken("exec", "in the container's pid namespace", "elsewhere"))?;
            for group in &made {
                out.expect_eq(&format!("a process of {}", group.display()), members(group)?.contains(&pid), true);
            }
            program.finish()?.ok()?;
            made.iter().try_for_each(fs::remove_dir)?;
            container.finish_and_delete()
        };
    "compat.exec.refused/cgroup-above-the-container", &[Need::HostView, Need::Option(Op::Exec, "cgroup")],
        &[Fault::Succeed(Op::Exec), Fault::Forget(Op::Exec, "cgroup")], |lab, out| {
            let container = lab.running(|r| r)?;
            for outside in ["..", "../..", "below/../.."] {
                refusal::leaves(&container, lab, out, "exec in a group above", || {
                    container.call(Op::Exec, |call| plain(call).with_words("args", &[PATH, "exit=0"]).with("cgroup", outside))
                })?;
            }
            container.finish_and_delete()
        };
    "compat.exec.refused/paused-container", &[Need::HostView, Need::Operation(Op::Exec), Need::Operation(Op::Pause)],
        &[Fault::Succeed(Op::Exec), Fault::Ignore(Op::Exec)], |lab, out| {
            // It would stand still with the others, and its caller wait.
            let container = lab.running(|r| r)?;
            pause(&container)?;
            // Some come back while the kernel is still at it, and say `running` until then.
            is_frozen(lab, &container)?;
            refusal::leaves(&container, lab, out, "exec in a paused container", || {
                container.call(Op::Exec, |call| call.with_words("args", &[PATH, "exit=0"]))
            })?;
            resume(&container)?;
            container.finish_and_delete()
        };
    "compat.exec.option/ignore-paused",
        &[Need::HostView, Need::Option(Op::Exec, "ignore-paused"), Need::Operation(Op::Pause)],
        &[Fault::Forget(Op::Exec, "ignore-paused")], |lab, out| {
            let container = lab.running(|r| r)?;
            pause(&container)?;
            let mut program = container.exec_with(|call| plain(call).with("ignore-paused", ""))?;
            let came = await_another(lab, &container, &program)?;
            out.expect("the program of exec", came, "waits in the container", "the call has ended");
            resume(&container)?;
            if came {
                program.greeted()?;
            }
            out.expect_eq("whether the call succeeds", program.finish()?.succeeded(), true);
            container.finish_and_delete()
        };
};

/// The one process that a detached exec with these options adds to the container.
pub(super) fn added(
    lab: &Lab<'_>,
    container: &Container<'_>,
    options: impl FnOnce(Values) -> Values,
) -> StepResult<Pid> {
    let pid_file = lab.dir.join("added.pid");
    let detached = |call: Values| call.with("detach", "").with("pid-file", pid_file.to_string_lossy());
    container.call(Op::Exec, |call| options(detached(call)).with_words("args", &[PATH, "hang"]))?.ok()?;
    let pid = lab.named_in(&pid_file)?.and_then(|text| text.trim().parse().ok());
    let pid = pid.ok_or_else(|| Stop::broken("the pid file", "names the program", "no number is in it"))?;
    Ok(Pid::from_raw(pid))
}

/// Makes a group in each one that is the container's.
fn groups_below(container: &Container<'_>) -> StepResult<Vec<PathBuf>> {
    let top: Vec<PathBuf> = cgroup::hierarchies()?.into_iter().map(|hierarchy| hierarchy.mount).collect();
    let own = container.observe()?.cgroups.into_iter().filter_map(|group| group.dir).filter(|dir| !top.contains(dir));
    own.map(|dir| {
        let below = dir.join(BELOW);
        fs::create_dir(&below)?;
        // In version 1 a new cgroup has no CPUs, and takes no processes.
        for file in ["cpuset.mems", "cpuset.cpus"].into_iter().filter(|file| dir.join(file).exists()) {
            let text = read::kernel(dir.join(file)).map_err(Stop::error("read what processors a group has"))?;
            if !text.trim().is_empty() {
                fs::write(below.join(file), text)?;
            }
        }
        Ok(below)
    })
    .collect()
}

fn members(group: &std::path::Path) -> StepResult<Vec<Pid>> {
    let text = read::kernel(group.join("cgroup.procs")).map_err(Stop::error("read who is in a group"))?;
    Ok(text.lines().filter_map(|line| line.parse().ok()).map(Pid::from_raw).collect())
}
