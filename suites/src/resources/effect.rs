//! What the limits do, seen from inside and by the counters of the kernel.

use std::time::Instant;

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::{Fault, ValueFault};
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_foreign::read;
use serde_json::json;

use super::cpu_effects::{pin, wants};
use super::{cpu, memory};

const MEMORY_AT: &str = "/linux/resources/memory";
const CPU_AT: &str = "/linux/resources/cpu";

/// The counters of memory, and of processor time.
const OOM_KILLS: Knob = Knob { controller: "memory", v1: "memory.oom_control", v2: "memory.events" };
pub(super) const THROTTLED: Knob = Knob::of_both("cpu", "cpu.stat");

pub(super) const SCENARIOS: &[Scenario] = &[KILLED, WAITS, THROTTLES, UNTHROTTLED, FREEZES];

/// A number in a file of lines `name number`.
pub(super) fn counter(container: &Container<'_>, knob: &Knob, name: &str) -> StepResult<u64> {
    let held = container.knob_value(knob)?.map_err(|why| Stop::broken(name, "a counter", why))?;
    let line = held.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).ok_or_else(|| Stop::broken(name, "a number", held.text.clone()))
}

/// No swap, where the kernel would put what does not fit.
fn mebibytes(limit: u64) -> serde_json::Value {
    json!({ "limit": limit << 20, "swap": limit << 20 })
}

const WITH_SWAP: &[Need] = &[Need::Knob(memory::MAX), Need::Knob(memory::SWAP)];

const KILLED: Scenario = Scenario::new(
    "resources.memory.effect/the-kernel-kills",
    &["linux.resources.memory.limit", "linux.resources.memory.disable-oom-killer"],
    &[Fault::Drop(MEMORY_AT), Fault::MoveOut, Fault::Beside],
    |lab, out| {
        let container = lab.running(|r| r.set(MEMORY_AT, mebibytes(40)))?;
        out.expect_eq("kills before", counter(&container, &OOM_KILLS, "oom_kill")?, 0);
        let fits = container.ask(Ask::Allocate(8))?;
        out.expect_eq("a process with 8 MiB", fits, Ok(Reply::Count(0)));
        let killed = container.ask(Ask::Allocate(64))?;
        out.expect_eq("a process with 64 MiB", killed, Ok(Reply::Count(128 + i64::from(libc::SIGKILL))));
        out.expect("kills after", counter(&container, &OOM_KILLS, "oom_kill")? > 0, "one at least", 0);
        container.finish_and_delete()
    },
)
.needs(WITH_SWAP);

/// With the OOM killer disabled, a process that needs more waits.
const WAITS: Scenario = Scenario::new(
    "resources.memory.effect/without-the-killer-it-waits",
    &["linux.resources.memory.disable-oom-killer"],
    &[Fault::Drop("/linux/resources/memory/disableOOMKiller"), Fault::Drop(MEMORY_AT)],
    |lab, out| {
        let mut limits = mebibytes(40);
        limits["disableOOMKiller"] = json!(true);
        let container = lab.running(|r| r.set(MEMORY_AT, limits))?;
        container.tell(Ask::Allocate(64))?;
        let waits = comes_about(lab, || Ok(counter(&container, &OOM_KILLS, "under_oom")? == 1))?;
        out.expect("whether a process waits for memory", waits, "it does", "it does not");
        out.expect_eq("kills", counter(&container, &OOM_KILLS, "oom_kill")?, 0);
        container.delete_by_force()?.ok()?;
        container.wait()
    },
)
.needs(&[Need::Knob(memory::MAX), Need::Knob(memory::SWAP), Need::Knob(memory::OOM)]);

/// Polls for a condition until a deadline. Version 1 has no notification of changes.
pub(super) fn comes_about(lab: &Lab<'_>, mut is_so: impl FnMut() -> StepResult<bool>) -> StepResult<bool> {
    let deadline = lab.driver.deadline();
    while !is_so()? {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::yield_now();
    }
    Ok(true)
}

/// A container that gets its time on a busy machine, too: its group stands beside the busy ones, with the greatest of all
/// shares.
pub(super) fn preferred<'l>(lab: &'l Lab<'_>, mut cpu: serde_json::Value) -> StepResult<Container<'l>> {
    cpu["shares"] = json!(262_144);
    let path = format!("/plimsoll-{}-busy", lab.tag);
    lab.running(|r| r.set("/linux/cgroupsPath", path).set(CPU_AT, cpu))
}

/// A program that wants several periods' worth of time. A quota that throttles is below what a busy machine leaves to each check.
fn spun(lab: &Lab<'_>, quota: i64) -> StepResult<u64> {
    let container = preferred(lab, json!({ "quota": quota, "period": 100_000 }))?;
    container.ask(Ask::Spin(25))?.map_err(|why| Stop::Error(why.to_string()))?;
    let throttled = counter(&container, &THROTTLED, "nr_throttled")?;
    container.finish_and_delete()?;
    Ok(throttled)
}

const THROTTLES: Scenario = Scenario::new(
    "resources.cpu.effect/the-quota-throttles",
    &["linux.resources.cpu.quota", "linux.resources.cpu.period"],
    &[Fault::Drop(cpu::QUOTA_AT), Fault::Take(cpu::QUOTA_AT, "-1"), Fault::MoveOut, Fault::Beside],
    |lab, out| {
        out.expect("periods in which it was throttled", spun(lab, 4_000)? > 0, "one at least", 0);
        Ok(())
    },
)
.needs(&[Need::Knob(cpu::QUOTA)]);

const UNTHROTTLED: Scenario = Scenario::new(
    "resources.cpu.effect/no-quota-does-not-throttle",
    &["linux.resources.cpu.quota"],
    &[Fault::Take(cpu::QUOTA_AT, "10000")],
    |lab, out| {
        out.expect_eq("periods in which it was throttled", spun(lab, -1)?, 0);
        Ok(())
    },
)
.needs(&[Need::Knob(cpu::QUOTA)]);

/// The processor time of the container's init process, in ticks.
fn ticks(container: &Container<'_>) -> StepResult<u64> {
    let text = read::kernel(format!("/proc/{}/stat", container.pid))?;
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<u64> = after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse().ok()).collect();
    Ok(fields.iter().sum())
}

/// Nanoseconds after which a program is said to go on; a few microseconds may be counted late.
const PROGRESS: u64 = 1_000_000;

/// The processor time of the container's init process, in nanoseconds: by proc_pid_schedstat(5), or by ticks where the
/// kernel does not count them.
pub(super) fn run_time(container: &Container<'_>) -> StepResult<u64> {
    const TICK: u64 = 10_000_000;
    let counted = read::kernel(format!("/proc/{}/schedstat", container.pid)).ok();
    let first = counted.and_then(|text| text.split(' ').next()?.parse().ok());
    first.map_or_else(|| Ok(ticks(container)? * TICK), Ok)
}

/// A busy program makes no progress while it is paused, and continues when it is resumed.
const FREEZES: Scenario = Scenario::new(
    "resources.freezer.effect/no-progress-until-resumed",
    &[],
    &[Fault::Ignore(Op::Pause), Fault::Ignore(Op::Resume), Fault::MoveOut],
    |lab, out| {
        // A runtime may give up on a program that gets no time to stop in.
        let container = preferred(lab, json!({}))?;
        // And the runtime itself needs a processor.
        pin(&container)?;
        container.tell(Ask::Spin(60_000))?;
        let begun = run_time(&container)?;
        let works = || Ok(run_time(&container)? > begun + PROGRESS);
        out.expect("a busy program", comes_about(lab, works)?, "makes progress", "it does not");
        container.call(Op::Pause, |values| values)?.ok()?;
        settle(lab, &container)?;
        let (frozen, own) = (run_time(&container)?, clock());
        // The harness works meanwhile, and would see the program do the same.
        while clock() < own + 8 {
            std::hint::spin_loop();
        }
        let more = run_time(&container)? - frozen;
        out.expect("nanoseconds that it runs while it is paused", more < PROGRESS, "next to none", more);
        // One that runs on may get no time beside those who are busier.
        out.expect("the program while it is paused", !wants(&container)?, "wants no processor", "wants one");
        container.call(Op::Resume, |values| values)?.ok()?;
        let goes_on = comes_about(lab, || Ok(run_time(&container)? > frozen + PROGRESS))?;
        out.expect("the program after resume", goes_on, "makes progress", "it does not");
        container.delete_by_force()?.ok()?;
        container.wait()
    },
)
.needs(&[Need::HostView, Need::Operation(Op::Pause), Need::Operation(Op::Resume), Need::Controller("cpu")])
.axis(plimsoll_reports::model::Axis::Compat);

/// Waits until the group has come to a halt: not every runtime does.
fn settle(lab: &Lab<'_>, container: &Container<'_>) -> StepResult {
    const STATE: Knob = Knob { controller: "freezer", v1: "freezer.state", v2: "cgroup.events" };
    let halted = || {
        let held = container.knob_value(&STATE)?;
        Ok(held.is_ok_and(|held| held.text == "FROZEN" || held.text.lines().any(|line| line == "frozen 1")))
    };
    comes_about(lab, halted).map(drop)
}

/// The harness's own processor time, in hundredths of a second.
fn clock() -> i64 {
    let used = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID);
    used.map_or(0, |time| time.tv_sec() * 100 + time.tv_nsec() / 10_000_000)
}

/// The program may run on the listed processors and no others.
const CONFINED: Rule = Rule::new(
    "resources.cpu.confined",
    &["linux.resources.cpu.cpus"],
    |_| vec![Ask::Read("/proc/self/status".into())],
    |config, evidence, out| {
        let status = evidence.inside.read("/proc/self/status").map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let allowed = status.map(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
            cpu::list(line.unwrap_or_default())
        });
        out.expect_eq("processors", allowed, Ok(cpu::list(config.text(cpu::CPUS_AT).unwrap_or_default())));
    },
)
.needs(&[Need::HostView, Need::Knob(cpu::CPUS), Need::Processors(2)]);

pub(super) const CASES: &[Case] = &[
    Case::new(
        &CONFINED,
        "first",
        |r| r.set(cpu::CPUS_AT, "0"),
        &[Fault::Drop(cpu::CPUS_AT), Fault::Take(cpu::CPUS_AT, "\"1\""), Fault::MoveOut, Fault::Beside],
    ),
    Case::new(&CONFINED, "second", |r| r.set(cpu::CPUS_AT, "1"), &[Fault::Value(CPU_AT, ValueFault::Drop)]),
];
