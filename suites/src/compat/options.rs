//! Command-line options that callers of runc use.

use nix::unistd::Pid;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::process::Ended;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::PATH;
use plimsoll_foreign::read;
use plimsoll_reports::model::Axis;
use serde_json::Value;

use super::UNSPECIFIED;
use super::update::{self, Limit};

const MIB: u64 = 1 << 20;

/// One scenario a row: an option of update, the limit that it changes with its controller, and two values.
macro_rules! of_update {
    ($($name:literal, $limit:expr, $controller:literal, $values:expr;)*) => {
        &[$(Scenario::new(
            concat!("compat.update.option/", $name),
            UNSPECIFIED,
            &[Fault::Forget(Op::Update, $name), Fault::Ignore(Op::Update)],
            |lab, out| by_option(lab, out, $name, &$limit, $values),
        )
        .needs(&[Need::Option(Op::Update, $name), Need::HostView, Need::Controller($controller)])
        .axis(Axis::Compat)),*]
    };
}

/// As above, for limits of which the kernel may know nothing.
macro_rules! beside {
    ($($name:literal, $limit:expr, $values:expr $(, $at:literal => $value:expr $(, $option:literal)?)?;)*) => {
        &[$(Scenario::new(
            concat!("compat.update.option/", $name),
            UNSPECIFIED,
            &[Fault::Forget(Op::Update, $name), Fault::Ignore(Op::Update)],
            |lab, out| {
                let others: &[Other] = &[$(($at, $value, [None $(, Some($option))?].into_iter().flatten().last()))?];
                with_others(lab, out, $name, &$limit, $values, others)
            },
        )
        .needs(&[Need::Option(Op::Update, $name), Need::HostView, Need::Knob($limit.knob())])
        .axis(Axis::Compat)),*]
    };
}

pub(super) const OF_UPDATE: &[Scenario] = of_update! {
    "memory", update::BYTES, "memory", [64 * MIB, 128 * MIB];
    "memory-reservation", update::SOFT, "memory", [32 * MIB, 16 * MIB];
    "cpu-share", update::SHARES, "cpu", [512, 2048];
    "cpu-quota", update::QUOTA, "cpu", [50_000, 70_000];
    "cpu-period", update::PERIOD, "cpu", [50_000, 70_000];
    "pids-limit", update::NUMBER, "pids", [100, 200];
};

/// Limits that not every kernel has, or which take another one to stand beside them, which is set before and given with the option.
pub(super) const OF_UPDATE_BESIDE: &[Scenario] = beside! {
    "cpu-burst", update::BURST, [10_000, 20_000], "/cpu/quota" => 50_000;
    "cpu-idle", update::IDLE, [0, 1];
    "memory-swap", update::SWAP, [128 * MIB, 256 * MIB], "/memory/limit" => 64 * MIB, "memory";
    "blkio-weight", update::WEIGHT, [300, 500];
};

fn by_option(lab: &Lab<'_>, out: &mut Judgement, name: &'static str, limit: &Limit, values: [u64; 2]) -> StepResult {
    with_others(lab, out, name, limit, values, &[])
}

/// Each of the others: where it stands in the resources, its value, and the option that it is given by, if it is.
type Other = (&'static str, u64, Option<&'static str>);

fn with_others(
    lab: &Lab<'_>,
    out: &mut Judgement,
    name: &'static str,
    limit: &Limit,
    values: [u64; 2],
    others: &[Other],
) -> StepResult {
    let container = lab.running(|r| {
        let r = r.set(update::RESOURCES, limit.resources(values[0]));
        others.iter().fold(r, |r, (at, value, _)| r.set(&format!("{}{at}", update::RESOURCES), value))
    })?;
    let old = limit.value(&container)?;
    let given = |call: Values| {
        let named = others.iter().filter_map(|(_, value, option)| Some(((*option)?, value)));
        named.fold(call, |call, (option, value)| call.with(option, value.to_string()))
    };
    container.call(Op::Update, |call| given(call).with(name, values[1].to_string()))?.ok()?;
    let new = limit.value(&container)?;
    update::judge(out, limit, values, &old, &new);
    container.finish_and_delete()
}

/// One scenario a row: an option of exec, edits of the container, the option's value, and whether the program has what it
/// asks for.
macro_rules! of_exec {
    ($($name:literal, $edits:expr, $value:literal, $what:literal, $has:expr;)*) => {
        &[$(Scenario::new(
            concat!("compat.exec.option/", $name),
            UNSPECIFIED,
            &[Fault::Forget(Op::Exec, $name)],
            |lab, out| {
                let has: fn(&Observation) -> bool = $has;
                let options = |call: Values| call.with_words("args", &[PATH]).with($name, $value);
                super::inherit::with_options(lab, $edits, options, |first, added| {
                    out.expect("the container", !has(first), concat!("not ", $what), &first.status);
                    out.expect("the program of exec", has(added), $what, &added.status);
                })
            },
        )
        .needs(&[Need::Option(Op::Exec, $name), Need::HostView])
        .axis(Axis::Compat)),*]
    };
}

/// `CAP_SYS_TIME`, which the base does not give.
const SYS_TIME: u64 = 1 << 25;

pub(super) const OF_EXEC: &[Scenario] = of_exec! {
    "no-new-privs", |r| r.set("/process/noNewPrivileges", false), "", "without new privileges", |seen| seen.status.no_new_privs;
    "additional-gids", |r| r, "5000", "in group 5000", |seen| seen.status.groups.contains(&5000);
    "cap", |r| r, "CAP_SYS_TIME", "able to set the time", |seen| seen.status.capabilities.bounding & SYS_TIME != 0;
};

pub(super) const SCENARIOS: &[Scenario] = super::compat! {
    "compat.update.option/cpuset-cpus",
        &[Need::Option(Op::Update, "cpuset-cpus"), Need::HostView, Need::Controller("cpuset"), Need::Processors(2)],
        &[Fault::Forget(Op::Update, "cpuset-cpus"), Fault::Ignore(Op::Update)], |lab, out| {
            let container = lab.running(|r| r.set("/linux/resources/cpu/cpus", "0-1"))?;
            let held = || super::cgroup_value(&container, "cpuset", "cpuset.cpus", "cpuset.cpus");
            out.expect_eq("processors before", held()?, "0-1");
            container.call(Op::Update, |call| call.with("cpuset-cpus", "1"))?.ok()?;
            out.expect_eq("processors after update", held()?, "1");
            container.finish_and_delete()
        };
    "compat.run.keep/the-container-stays", &[Need::Option(Op::Run, "keep")], &[Fault::Forget(Op::Run, "keep")],
        |lab, out| {
            let bundle = lab.bundle(|r| r.args(&[PATH, "exit=3"]))?;
            let outcome = lab.call(Op::Run, &lab.values(&bundle).with("keep", ""))?;
            out.expect_eq("how run ends", outcome.ended, Ended::Exit(3));
            let state = super::queries::printed(lab, Op::State, &Values::default().with("id", &bundle.id))?;
            out.expect_eq("status", &state["status"], "stopped");
            lab.call_id(Op::Delete, &bundle.id)?.ok()
        };
    "compat.run.detach/returns-while-the-program-runs",
        &[Need::Option(Op::Run, "detach"), Need::Option(Op::Run, "pid-file")],
        &[Fault::Ignore(Op::Run), Fault::Forget(Op::Run, "pid-file")], |lab, out| {
            let bundle = lab.bundle(|r| r.args(&[PATH, "hang"]))?;
            lab.call(Op::Run, &lab.values(&bundle).with("detach", ""))?.ok()?;
            let state = super::queries::printed(lab, Op::State, &Values::default().with("id", &bundle.id))?;
            out.expect_eq("status", &state["status"], "running");
            let named = lab.named_in(&lab.pid_file(&bundle))?.unwrap_or_default();
            out.expect_eq("the pid file", named.trim(), state["pid"].to_string());
            crate::refusal::discard(lab, &bundle.id)
        };
    "compat.exec.detach/returns-while-the-program-runs",
        &[Need::Option(Op::Exec, "detach"), Need::Option(Op::Exec, "pid-file"), Need::HostView],
        &[Fault::Ignore(Op::Exec), Fault::Forget(Op::Exec, "pid-file")], |lab, out| {
            let container = lab.running(|r| r)?;
            let pid_file = lab.dir.join("exec.pid");
            let options = |call: Values| call.with("detach", "").with("pid-file", pid_file.to_string_lossy());
            container.call(Op::Exec, |call| options(call).with_words("args", &[PATH, "hang"]))?.ok()?;
            let pid = lab.named_in(&pid_file)?.and_then(|text| text.trim().parse().ok());
            let pid = pid.ok_or_else(|| Stop::broken("the pid file", "names the program", "no number is in it"))?;
            let (first, added) = (container.observe()?, Observation::of(Pid::from_raw(pid))?);
            out.expect_eq("its pid namespace", added.namespace("pid"), first.namespace("pid"));
            container.finish_and_delete()
        };
    "compat.kill.all/reaches-each-process", &[Need::Option(Op::Kill, "all"), Need::Operation(Op::Exec)],
        &[Fault::Ignore(Op::Kill)], |lab, out| {
            // With a pid namespace of its own the kernel would do it. Without the option some do it as well.
            let container = lab.running(|r| r.inherit_namespace("pid"))?;
            let mut program = container.exec(&super::process(&[PATH]))?;
            program.greeted()?;
            let signal = lab.settings.profile.signal(nix::sys::signal::Signal::SIGKILL);
            container.call(Op::Kill, |call| call.with("all", "").with("signal", signal))?.ok()?;
            container.wait()?;
            let ended = program.finish()?.ended;
            out.expect("how the program of exec ends", ended != Ended::Exit(0), "by the signal", ended);
            container.delete()?.ok()
        };
    "compat.list.quiet/ids-alone", &[Need::Option(Op::List, "quiet")], &[Fault::Forget(Op::List, "quiet")], |lab, out| {
        let containers = [lab.created(|r| r)?, lab.running(|r| r)?];
        let listed = lab.call(Op::List, &Values::default().with("quiet", ""))?;
        let mut ids: Vec<&str> = listed.stdout.lines().collect();
        ids.sort_unstable();
        out.expect_eq("lines", ids, containers.each_ref().map(|container| container.id()));
        containers.iter().try_for_each(|container| container.delete_by_force()?.ok())
    };
    "compat.log.json/an-error-is-an-object", &[Need::Option(Op::Create, "log")],
        &[Fault::Forget(Op::Create, "log"), Fault::Forget(Op::Create, "log-format")], |lab, out| {
            let log = lab.dir.join("log");
            let bundle = lab.bundle(|r| r.remove("/root"))?;
            let values = lab.values(&bundle).with("log", log.to_string_lossy()).with("log-format", "json");
            let outcome = lab.call(Op::Create, &values)?;
            out.expect("create", outcome.refused().is_ok(), "an error", outcome.said());
            let text = read::text_if_there(&log, read::DOCUMENT)?.unwrap_or_default();
            let mut entries = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
            let is_error = |entry: Value| entry["level"] == "error" && entry["msg"].is_string();
            let has_error = entries.any(|entry| entry.is_ok_and(is_error));
            out.expect("the log", has_error, "an object with level error and msg", &text);
            Ok(())
        };
    "compat.spec.document/makes-a-container", &[Need::HostView, Need::Operation(Op::Spec), Need::Limit("RLIMIT_NOFILE", 1024)], &[Fault::Ignore(Op::Spec)], |lab, out| {
        let dir = lab.dir.join("spec");
        std::fs::create_dir(&dir)?;
        lab.call(Op::Spec, &Values::default().with("bundle", dir.to_string_lossy()))?.ok()?;
        let written = read::text_if_there(&dir.join("config.json"), read::DOCUMENT)?.unwrap_or_default();
        let mut config: Value = serde_json::from_str(&written).unwrap_or_default();
        out.expect("ociVersion", config["ociVersion"].is_string(), "a string", &config["ociVersion"]);
        config["process"]["terminal"] = false.into();
        config["process"]["args"] = [PATH].into_iter().collect();
        // It has no variable that names the container, and none is expected.
        let container = lab.running(|r| r.raw(config.to_string()).remove("/process/env"))?;
        let (seen, host) = (container.observe()?, Observation::of(nix::unistd::getpid())?);
        for name in ["mnt", "pid", "net", "ipc", "uts"] {
            let own = seen.namespace(name);
            out.expect(name, own != host.namespace(name), "a namespace of its own", own);
        }
        container.finish_and_delete()
    };
};
