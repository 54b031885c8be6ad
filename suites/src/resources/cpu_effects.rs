//! What burst, idle and shares of `linux.resources.cpu` do. No verdict is one about time: the first is a counter that stays 0
//! without a burst, the others the ratio of two programs that want the same processor.

use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Stat;
use plimsoll_fixtures::probe::Ask;
use serde_json::json;

use super::cpu;
use super::effect::{THROTTLED, comes_about, counter, preferred, run_time};
use super::pod::Pod;

pub(super) const SCENARIOS: &[Scenario] = &[BURSTS, IDLE, SHARES];

/// More than two periods, in which the unused quota is saved.
const REST: Duration = Duration::from_millis(120);
/// The second tells of the first, where the machine is not too busy.
const ATTEMPTS: u32 = 20;

/// Whoever has rested may use more than the quota in one period, and the kernel counts such periods. A machine may be too
/// busy to let it; then the next rest will do.
const BURSTS: Scenario = Scenario::new(
    "resources.cpu.effect/the-burst-is-used",
    &["linux.resources.cpu.burst"],
    &[Fault::Drop(cpu::BURST_AT), Fault::Take(cpu::BURST_AT, "0"), Fault::MoveOut, Fault::Beside],
    |lab, out| {
        let container = preferred(lab, json!({ "quota": 20_000, "period": 50_000, "burst": 20_000 }))?;
        let (deadline, mut bursts) = (lab.driver.deadline(), 0);
        for _ in 0..ATTEMPTS {
            thread::sleep(REST);
            container.ask(Ask::Spin(30))?.map_err(|why| Stop::Error(why.to_string()))?;
            bursts = counter(&container, &THROTTLED, "nr_bursts")?;
            if bursts > 0 || Instant::now() >= deadline {
                break;
            }
        }
        out.expect("periods with more than the quota", bursts > 0, "one at least", bursts);
        container.finish_and_delete()
    },
)
.needs(&[Need::Knob(cpu::BURST)]);

const IDLE: Scenario = Scenario::new(
    "resources.cpu.effect/an-idle-group-yields",
    &["linux.resources.cpu.idle"],
    &[Fault::Drop(cpu::IDLE_AT), Fault::Take(cpu::IDLE_AT, "0"), Fault::MoveOut, Fault::Beside],
    |lab, out| yields(lab, out, cpu::IDLE_AT, 1),
)
.needs(&[Need::HostView, Need::Knob(cpu::IDLE)]);

const SHARES: Scenario = Scenario::new(
    "resources.cpu.effect/few-shares-are-little-time",
    &["linux.resources.cpu.shares"],
    &[Fault::Drop(cpu::SHARES_AT), Fault::Take(cpu::SHARES_AT, "1024"), Fault::MoveOut, Fault::Beside],
    |lab, out| yields(lab, out, cpu::SHARES_AT, 2),
)
.needs(&[Need::HostView, Need::Knob(cpu::SHARES)]);

/// Nanoseconds that the program of the usual group is given. Of these the other may have the fifth; the kernel gives it the
/// hundredth at most, and without the limit it would get as many.
const COMPETITION: u64 = 60_000_000;

/// How often they are given as much again when the other had more: an emulated processor that stands still for a while
/// counts that as time of whoever it was at.
const ROUNDS: u64 = 5;

fn yields(lab: &Lab<'_>, out: &mut Judgement, at: &str, limit: u32) -> StepResult {
    let pod = Pod::make(lab)?;
    // What else the machine does takes time from both.
    pod.set("cpu.shares", "262144").or_else(|_| pod.set("cpu.weight", "10000"))?;
    let limited = lab.running(|r| r.set("/linux/cgroupsPath", pod.within("limited")).set(at, limit))?;
    let usual = lab.running(|r| r.set("/linux/cgroupsPath", pod.within("usual")))?;
    for container in [&limited, &usual] {
        pin(container)?;
        container.tell(Ask::Spin(60_000))?;
    }
    compete(lab, out, &limited, &usual)?;
    for container in [&usual, &limited] {
        container.delete_by_force()?.ok()?;
        container.wait()?;
    }
    pod.remove()
}

fn compete(lab: &Lab<'_>, out: &mut Judgement, limited: &Container<'_>, usual: &Container<'_>) -> StepResult {
    let both = comes_about(lab, || Ok(wants(limited)? && wants(usual)?))?;
    out.expect("both programs", both, "want to run", "they do not");
    // The usual one is looked at before and after the other: a delay between two looks makes its time longer alone.
    let (usual_before, limited_before) = (run_time(usual)?, run_time(limited)?);
    let (mut usual_had, mut limited_had) = (0, 0);
    for round in 1..=ROUNDS {
        let enough = comes_about(lab, || Ok(run_time(usual)? >= usual_before + round * COMPETITION))?;
        limited_had = run_time(limited)? - limited_before;
        usual_had = run_time(usual)? - usual_before;
        out.expect("the usual group", enough, "makes progress", usual_had);
        if !enough || limited_had * 5 < usual_had {
            break;
        }
    }
    let few = format!("less than the fifth of {usual_had}");
    out.expect("nanoseconds of the limited group", limited_had * 5 < usual_had, few, limited_had);
    Ok(())
}

/// Has a program compete for the first processor that the harness may use.
pub(super) fn pin(container: &Container<'_>) -> StepResult {
    let own = sched_getaffinity(Pid::from_raw(0))?;
    let first = (0..CpuSet::count()).find(|&number| own.is_set(number).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(first.unwrap_or(0))?;
    Ok(sched_setaffinity(container.pid, &one)?)
}

/// Whether a program waits for a processor or has it.
pub(super) fn wants(container: &Container<'_>) -> StepResult<bool> {
    Ok(Stat::of(container.pid)?.is_some_and(|stat| stat.state == 'R'))
}
