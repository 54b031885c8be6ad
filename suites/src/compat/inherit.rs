//! What a program of exec inherits from its container. It is not given a whole process, so all settings come from what the runtime knows
//! of the container.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::{Describe, Octal};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::kernel_name;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::PATH;
use serde_json::{Value, json};

use super::compat;
use crate::namespaces::{clocks, usual_user};
use crate::process::selinux::PROGRAM;
use crate::seccomp::filter::{self, SECCOMP, with_rule};

const SEEN: &[Need] = &[Need::Operation(Op::Exec), Need::HostView];

/// The command-line form: the probe, and nothing said of its process.
pub(super) fn plain(values: Values) -> Values {
    values.with_words("args", &[PATH])
}

/// The container's init process and a program of exec, as the host sees both.
pub(super) fn side_by_side(
    lab: &Lab<'_>,
    edits: impl FnOnce(&mut Recipe) -> &mut Recipe,
    judge: impl FnOnce(&Observation, &Observation),
) -> StepResult {
    with_options(lab, edits, plain, judge)
}

/// As [`side_by_side`], of a program of exec with these options.
pub(super) fn with_options(
    lab: &Lab<'_>,
    edits: impl FnOnce(&mut Recipe) -> &mut Recipe,
    options: impl FnOnce(Values) -> Values,
    judge: impl FnOnce(&Observation, &Observation),
) -> StepResult {
    let container = lab.running(edits)?;
    let mut program = container.exec_with(options)?;
    let hello = program.greeted()?;
    let pid = program.pid(&hello)?;
    let elsewhere = || Stop::broken("the program of exec", "in the container's pid namespace", "elsewhere");
    judge(&container.observe()?, &Observation::of(pid.ok_or_else(elsewhere)?)?);
    program.finish()?.ok()?;
    container.finish_and_delete()
}

/// One scenario a type of namespace: its name in `/proc/PID/ns`, and edits that give the container one of its own.
macro_rules! namespaces {
    ($($kind:literal, $name:literal, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("compat.exec.namespace/", $kind),
            super::UNSPECIFIED,
            &[Fault::ExecBeside($name), Fault::ExecOutside],
            |lab, out| shared(lab, out, $kind, $edits),
        )
        .needs(&[Need::Operation(Op::Exec), Need::HostView, Need::Namespace($name)])
        .axis(plimsoll_reports::model::Axis::Compat)),*]
    };
}

pub(super) const NAMESPACES: &[Scenario] = namespaces! {
    "pid", "pid", |r| r;
    "network", "net", |r| r.new_namespace("network");
    "mount", "mnt", |r| r;
    "ipc", "ipc", |r| r;
    "uts", "uts", |r| r;
    "user", "user", usual_user;
    "cgroup", "cgroup", |r| r.new_namespace("cgroup");
    "time", "time", |r| r.new_namespace("time");
};

fn shared(lab: &Lab<'_>, out: &mut Judgement, kind: &str, edits: fn(&mut Recipe) -> &mut Recipe) -> StepResult {
    if kind == "time" {
        clocks::supported(lab)?;
    }
    let name = kernel_name(kind);
    side_by_side(lab, edits, |first, added| {
        let (first, added) = (first.namespace(name), added.namespace(name));
        out.expect(
            kind,
            added.is_some() && added == first,
            format!("that of the container, {}", first.describe()),
            added,
        );
    })
}

/// One scenario a row: id, edits, faults, and what the two processes are to have in common.
macro_rules! inherited {
    ($($id:literal, $edits:expr, $proves:expr, $of:expr;)*) => {
        compat! { $(
            concat!("compat.exec.inherited/", $id), SEEN, $proves, |lab, out| {
                let of: fn(&Observation) -> Value = $of;
                side_by_side(lab, $edits, |first, added| out.expect_eq($id, of(added), of(first)))
            };
        )* }
    };
}

const USER: &str = "/process/user";
const WITHOUT: &[Fault] = &[Fault::ExecBeside("")];

pub(super) const INHERITED: &[Scenario] = inherited! {
    "users-and-groups",
        |r| r.set(USER, json!({ "uid": 1000, "gid": 1001, "additionalGids": [7, 5000] })),
        &[Fault::OfExec(&Fault::Take("/process/user/uid", "0")), Fault::OfExec(&Fault::Take("/process/user/gid", "0")),
            Fault::OfExec(&Fault::DropLast("/process/user/additionalGids")), Fault::ExecBeside("")],
        |seen| json!([seen.status.uids, seen.status.gids, seen.status.groups]);
    "umask", |r| r.set("/process/user/umask", 0o027), WITHOUT,
        |seen| json!(Octal(seen.status.umask).describe());
    "capabilities", |r| r,
        &[Fault::OfExec(&Fault::Push("/process/capabilities/bounding", "\"CAP_SYS_TIME\"")),
            Fault::OfExec(&Fault::Take("/process/capabilities/bounding", r#"["CAP_CHOWN"]"#)), Fault::ExecBeside("")],
        |seen| json!(seen.status.capabilities);
    "no-new-privileges", |r| r.set("/process/noNewPrivileges", true),
        &[Fault::OfExec(&Fault::Take("/process/noNewPrivileges", "false")), Fault::ExecBeside("")],
        |seen| json!(seen.status.no_new_privs);
    "limits", |r| r.push("/process/rlimits", json!({ "type": "RLIMIT_MSGQUEUE", "soft": 4096, "hard": 8192 })),
        &[Fault::OfExec(&Fault::Drop("/process/rlimits")), Fault::ExecBeside("")],
        |seen| json!(seen.limits.get("RLIMIT_MSGQUEUE"));
    "environment", |r| r.set("/process/env", ["PATH=/bin", "OWN=1"]),
        &[Fault::OfExec(&Fault::DropLast("/process/env"))],
        |seen| json!(seen.environ.iter().filter(|variable| variable.starts_with("OWN")).collect::<Vec<_>>());
    "current-directory", |r| r.directory("/work").set("/process/cwd", "/work"),
        &[Fault::OfExec(&Fault::Take("/process/cwd", "\"/\""))], |seen| json!(seen.cwd);
    "filter", |r| r.set(SECCOMP, with_rule(&json!({ "names": ["readahead"], "action": "SCMP_ACT_ERRNO" }))), WITHOUT,
        |seen| json!(seen.status.seccomp);
    "oom-score", |r| r.set("/process/oomScoreAdj", 500), WITHOUT, |seen| json!(seen.oom_score_adj);
};

/// What the configuration says of programs of exec holds for one that comes without a process of its own.
pub(super) const CONFIGURED: &[Scenario] = &[Scenario::new(
    "compat.exec.configured/cpu-affinity",
    &["config.process.exec-cpu-affinity-final-effect"],
    &[Fault::Drop("/process/execCPUAffinity"), Fault::Take("/process/execCPUAffinity/final", "\"0\"")],
    |lab, out| {
        let affinity = json!({ "initial": "0", "final": "1" });
        side_by_side(
            lab,
            |r| r.set("/ociVersion", "1.2.1").set("/process/execCPUAffinity", affinity),
            |_, added| out.expect_eq("processors", added.status.cpus_allowed.as_str(), "1"),
        )
    },
)
.needs(&[Need::Operation(Op::Exec), Need::HostView, Need::File("/sys/devices/system/cpu/cpu1")])
.axis(plimsoll_reports::model::Axis::Compat)];

/// One scenario a security module: its label is that of the container.
macro_rules! labels {
    ($($id:literal, $pointer:literal, $label:expr, $need:expr;)*) => {
        compat! { $(
            concat!("compat.exec.label/", $id), &[Need::Operation(Op::Exec), Need::HostView, $need],
                &[Fault::OfExec(&Fault::Drop($pointer))], |lab, out| {
                    side_by_side(lab, |r| r.set($pointer, $label), |first, added| {
                        out.expect_eq("label", &added.lsm_label, &first.lsm_label);
                    })
                };
        )* }
    };
}

pub(super) const LABELS: &[Scenario] = labels! {
    "apparmor", "/process/apparmorProfile", "plimsoll-confined", Need::ApparmorProfile("plimsoll-confined");
    "selinux", "/process/selinuxLabel", PROGRAM, Need::SelinuxContext(PROGRAM);
};

/// One scenario a row: a filter, which is judged by the calls of a program of exec.
macro_rules! filters {
    ($($id:literal, $seccomp:expr;)*) => {
        compat! { $(
            concat!("compat.exec.filter/", $id), SEEN, &[Fault::ExecBeside(""), Fault::Drop(SECCOMP)],
                |lab, out| filtered(lab, out, &$seccomp);
        )* }
    };
}

fn rule(action: &str) -> Value {
    with_rule(&json!({ "names": ["readahead"], "action": action }))
}

pub(super) const FILTERS: &[Scenario] = filters! {
    "error", with_rule(&json!({ "names": ["readahead"], "action": "SCMP_ACT_ERRNO", "errnoRet": filter::UNUSUAL }));
    "default-error", filter::by_default("SCMP_ACT_ERRNO", Some(filter::UNUSUAL));
    "kill", rule("SCMP_ACT_KILL_PROCESS");
    "trap", rule("SCMP_ACT_TRAP");
    "trace", rule("SCMP_ACT_TRACE");
    "arguments", with_rule(&json!({
        "names": ["readahead"], "action": "SCMP_ACT_ERRNO",
        "args": [{ "index": 1, "op": "SCMP_CMP_GE", "value": 0x2_0000_0005_u64 }],
    }));
};

fn filtered(lab: &Lab<'_>, out: &mut Judgement, seccomp: &Value) -> StepResult {
    let container = lab.running(|r| r.set(SECCOMP, seccomp))?;
    let config = container.bundle.config.clone();
    let mut program = container.exec_with(plain)?;
    program.greeted()?;
    let evidence = program.evidence(filter::asks(&config), &container.bundle)?;
    filter::judge(&config, &evidence, out);
    program.finish()?.ok()?;
    container.finish_and_delete()
}
