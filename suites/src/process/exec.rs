//! Programs that `exec` adds to a running container. It is not an operation of the specification, but users of runc rely on it, and its
//! process is one as in `config.json`, so the same rules judge it.

use plimsoll_engine::check::{Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::process::Ended;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Flaw, PATH};
use plimsoll_fixtures::{Config, Recipe};
use plimsoll_reports::model::Axis;
use serde_json::{Value, json};

use super::{args, capabilities, cwd, env, identity, privileges, rlimits, stdio};

const EXEC: &[Need] = &[Need::Operation(Op::Exec)];
/// See `data/practice.jsonl`.
const UNSPECIFIED: &[&str] = &[];

type Edits = fn(&mut Recipe) -> &mut Recipe;

/// Judges a program of `exec` by a rule for programs of `create`; the edits make its process from that of the base.
fn judged(lab: &Lab<'_>, out: &mut Judgement, rule: &Rule, edits: Edits) -> StepResult {
    let mut recipe = Recipe::default();
    edits(recipe.directory("/work"));
    rule.judge_added(lab, recipe, out)
}

/// One row each: id, rule, edits of the process, and the faults that turn it red.
macro_rules! by_rules {
    ($($id:literal, $rule:expr, $edits:expr, $proves:expr;)*) => {
        &[$(Scenario::new($id, UNSPECIFIED, $proves, |lab, out| judged(lab, out, &$rule, $edits))
            .needs(EXEC)
            .axis(Axis::Compat)),*]
    };
}

const USER: &str = "/process/user";

pub(super) const BY_RULES: &[Scenario] = by_rules! {
    "process.exec.args/verbatim", args::ARGV, |r| r.args(&["/probe", "", "a b", "größe", "$HOME"]),
        &[Fault::OfExec(&Fault::Drop("/process/args/1")), Fault::Ignore(Op::Exec)];
    "process.exec.env/verbatim", env::VERBATIM, |r| r.set("/process/env", ["PATH=/bin", "B=2", "A=x=y", "C="]),
        &[Fault::OfExec(&Fault::DropLast("/process/env"))];
    "process.exec.cwd/applied", cwd::APPLIED, |r| r.set("/process/cwd", "/work"),
        &[Fault::OfExec(&Fault::Take("/process/cwd", "\"/\""))];
    "process.exec.user/uid", identity::UID, |r| r.set(USER, json!({ "uid": 1000, "gid": 1001 })),
        &[Fault::OfExec(&Fault::Take("/process/user/uid", "0"))];
    "process.exec.user/gid", identity::GID, |r| r.set(USER, json!({ "uid": 1000, "gid": 1001 })),
        &[Fault::OfExec(&Fault::Take("/process/user/gid", "0"))];
    "process.exec.user/groups", identity::GROUPS,
        |r| r.set(USER, json!({ "uid": 1000, "gid": 1001, "additionalGids": [7, 5000] })),
        &[Fault::OfExec(&Fault::DropLast("/process/user/additionalGids"))];
    "process.exec.user/no-groups", identity::GROUPS, |r| r.set(USER, json!({ "uid": 1000, "gid": 1001 })),
        &[Fault::OfExec(&Fault::Take("/process/user/additionalGids", "[7]"))];
    "process.exec.user/umask", identity::MASK, |r| r.set("/process/user/umask", 0o077),
        &[Fault::OfExec(&Fault::Drop("/process/user/umask"))];
    "process.exec.capabilities/fewer", capabilities::INSIDE,
        |r| capabilities::only(r, capabilities::HELD, &["CAP_CHOWN"]), &[Fault::OfExec(&Fault::Drop("/process/capabilities"))];
    "process.exec.capabilities/none", capabilities::INSIDE,
        |r| capabilities::only(r, &[], &[]), &[Fault::OfExec(&Fault::Take("/process/capabilities/bounding", r#"["CAP_CHOWN"]"#))];
    "process.exec.capabilities/more", capabilities::INSIDE,
        |r| capabilities::only(r, capabilities::HELD, &["CAP_CHOWN", "CAP_SYS_NICE"]),
        &[Fault::OfExec(&Fault::DropLast("/process/capabilities/bounding"))];
    "process.exec.no-new-privileges/true", privileges::NO_NEW, |r| r.set("/process/noNewPrivileges", true),
        &[Fault::OfExec(&Fault::Take("/process/noNewPrivileges", "false"))];
    "process.exec.no-new-privileges/false", privileges::NO_NEW, |r| r.set("/process/noNewPrivileges", false),
        &[Fault::OfExec(&Fault::Take("/process/noNewPrivileges", "true"))];
    "process.exec.rlimits/applied", rlimits::LIMITS,
        |r| r.push("/process/rlimits", json!({ "type": "RLIMIT_MSGQUEUE", "soft": 4096, "hard": 8192 })),
        &[Fault::OfExec(&Fault::Drop("/process/rlimits"))];
    "process.exec.fds/only-stdio", stdio::INSIDE, |r| r, &[Fault::Flawed(Flaw::Descriptor)];
};

/// A process of the base with these arguments.
fn process(args: &[&str]) -> Value {
    let mut process = Config::base().0["process"].clone();
    process["args"] = json!(args);
    process
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("process.exec.namespaces/of-the-container", UNSPECIFIED, &[Fault::Ignore(Op::Exec)], |lab, out| {
        let asks = [Ask::Namespaces, Ask::Read("/proc/self/cgroup".into())];
        let container = lab.running(|r| r.new_namespace("network"))?;
        let mut program = container.exec(&process(&[PATH]))?;
        program.greeted()?;
        let (first, second) = (container.ask_all(&asks)?, program.ask_all(&asks)?);
        out.expect_eq("namespaces", &second[0], &first[0]);
        out.expect_eq("control groups", &second[1], &first[1]);
        program.finish()?.ok()?;
        container.finish_and_delete()
    })
    .needs(EXEC)
    .axis(Axis::Compat),
    Scenario::new(
        "process.exec.exit-code/of-the-program",
        UNSPECIFIED,
        &[Fault::Ignore(Op::Exec), Fault::Succeed(Op::Exec)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            for code in [0, 1, 42, 255] {
                let mut program = container.exec(&process(&[PATH]))?;
                program.greeted()?;
                program.tell(Ask::Exit(code))?;
                out.expect_eq("how exec ends", program.finish()?.ended, Ended::Exit(code));
            }
            container.finish_and_delete()
        },
    )
    .needs(EXEC)
    .axis(Axis::Compat),
    Scenario::new(
        "process.exec.stdio/standard-error-is-the-callers",
        UNSPECIFIED,
        &[Fault::OfExec(&Fault::Flawed(Flaw::Mute)), Fault::OfExec(&Fault::Flawed(Flaw::Swapped))],
        |lab, out| {
            const SAID: &str = "said on standard error";
            let container = lab.running(|r| r)?;
            let mut program = container.exec(&process(&[PATH]))?;
            program.greeted()?;
            let written = program.ask_all(&[Ask::Write { path: "/proc/self/fd/2".into(), data: SAID.into() }])?;
            out.expect("writing to descriptor 2", written.iter().all(Result::is_ok), "works", &written);
            let heard = program.finish()?.stderr;
            out.expect("what the caller gets", heard.contains(SAID), SAID, heard);
            container.finish_and_delete()
        },
    )
    .needs(EXEC)
    .axis(Axis::Compat),
    Scenario::new(
        "process.exec.exit-code/of-a-signal",
        UNSPECIFIED,
        &[Fault::Ignore(Op::Exec), Fault::Succeed(Op::Exec)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            for signal in [9, 15] {
                let args = [PATH, "hook", "ends", "/tmp/log", "no-stdin", &format!("signal={signal}")];
                let program = container.exec(&process(&args))?;
                out.expect_eq("how exec ends", program.finish()?.ended, Ended::Exit(128 + signal));
            }
            container.finish_and_delete()
        },
    )
    .needs(EXEC)
    .axis(Axis::Compat),
    Scenario::new(
        "process.exec.refused/no-such-program",
        UNSPECIFIED,
        &[Fault::Succeed(Op::Exec), Fault::Take("/process/args/0", "\"/probe\"")],
        |lab, out| {
            let container = lab.running(|r| r)?;
            let outcome = container.exec(&process(&["/no/such/program"]))?.finish()?;
            outcome.refused()?;
            out.expect("the container", container.is_alive()?, "keeps running", "its process has ended");
            out.expect_eq("its status", container.state()?.status(), "running");
            container.finish_and_delete()
        },
    )
    .needs(EXEC)
    .axis(Axis::Compat),
    Scenario::new("process.exec.refused/stopped-container", UNSPECIFIED, &[Fault::Succeed(Op::Exec)], |lab, out| {
        let container = lab.stopped(|r| r)?;
        let outcome = container.exec(&process(&[PATH]))?.finish()?;
        out.expect("exec", !outcome.succeeded(), "an error: an exit code other than 0", outcome.said());
        container.delete()?.ok()
    })
    .needs(EXEC)
    .axis(Axis::Compat),
    Scenario::new(
        "process.exec.cpu-affinity/final",
        &["config.process.exec-cpu-affinity-final-effect"],
        &[Fault::Drop("/process/execCPUAffinity"), Fault::Take("/process/execCPUAffinity/final", "\"0\"")],
        |lab, out| {
            let container = lab.running(|r| r.set("/ociVersion", "1.2.1"))?;
            let mut affine = process(&[PATH]);
            affine["execCPUAffinity"] = json!({ "initial": "0", "final": "1" });
            let mut program = container.exec(&affine)?;
            program.greeted()?;
            let evidence = program.evidence(vec![Ask::Read(STATUS.into())], &container.bundle)?;
            let status = evidence.inside.read(STATUS).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let allowed = status.as_deref().ok().and_then(|text| text.lines().find(|l| l.starts_with(ALLOWED)));
            out.expect_eq("processors", allowed, Some(&*format!("{ALLOWED}\t1")));
            program.finish()?.ok()?;
            container.finish_and_delete()
        },
    )
    .needs(&[Need::Operation(Op::Exec), Need::File("/sys/devices/system/cpu/cpu1")])
    .axis(Axis::Compat),
    Scenario::new(
        "process.exec.cpu-affinity/no-final",
        &["config.process.exec-cpu-affinity-final-unset"],
        &[Fault::OfExec(&Fault::Take("/process/execCPUAffinity/final", "\"1\""))],
        |lab, out| {
            // The group may widen what the runtime has set before; no other processor comes from nowhere.
            let container = lab.running(|r| r.set("/ociVersion", "1.2.1"))?;
            let mut affine = process(&[PATH]);
            affine["execCPUAffinity"] = json!({ "initial": "0" });
            let mut program = container.exec(&affine)?;
            program.greeted()?;
            let evidence = program.evidence(vec![Ask::Read(STATUS.into())], &container.bundle)?;
            let status = evidence.inside.read(STATUS).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let allowed = status.as_deref().ok().and_then(|text| text.lines().find_map(|l| l.strip_prefix(ALLOWED)));
            let of_the_group = container.observe()?.status.cpus_allowed;
            let right = allowed.map(str::trim).is_some_and(|found| found == "0" || found == of_the_group);
            out.expect("processors", right, format!("0, or {of_the_group} of the group"), allowed);
            program.finish()?.ok()?;
            container.finish_and_delete()
        },
    )
    .needs(&[Need::Operation(Op::Exec), Need::HostView, Need::File("/sys/devices/system/cpu/cpu1")])
    .axis(Axis::Compat),
];

const STATUS: &str = "/proc/self/status";
const ALLOWED: &str = "Cpus_allowed_list:";
