//! Optional members, one by one and all together (`config.md`, `config-linux.md`).

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::Ask;
use serde_json::json;

/// Without it the program runs all the same, as it is configured.
const ABSENT: Rule = Rule::new(
    "config.optional-members",
    &[
        "config.annotations.absent-or-empty",
        "config.linux.may-be-set-for-linux",
        "config.optional-members",
        "config.optional-members-since-1-0-2",
        "config.optional-members-since-1-1-0",
        "config.process.optional-members",
        "config.process.linux.optional-members",
        "config.process.linux.optional-members-since-1-1-0",
        "config.process.linux.optional-members-since-1-2-1",
        "config.mounts.optional-members",
        "config.mounts.posix.optional-members-since-1-1-0",
        "linux.net-devices.optional-members-since-1-3-0",
        "linux.optional-members",
        "linux.optional-members-since-1-3-0",
        "runtime.start.runs-program",
    ],
    |_| vec![Ask::Args, Ask::Cwd],
    |config, evidence, out| {
        let args = evidence.inside.names(&Ask::Args).map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
        out.expect_eq("arguments", args, Ok(config.texts("/process/args")));
        let cwd = evidence.inside.text(&Ask::Cwd).map(String::as_str).ok();
        out.expect_eq("current directory", cwd, config.text("/process/cwd"));
    },
);

/// There is no `/proc` then, which a runtime may have looked for.
const WITHOUT_MOUNTS: Rule = Rule::new(
    "config.no-mounts",
    &["config.mounts.optional-members", "runtime.start.runs-program"],
    |_| vec![Ask::Args, Ask::Cwd],
    ABSENT.judge,
);

pub(super) const NO_MOUNTS: &[Case] = &[
    Case::new(&WITHOUT_MOUNTS, "absent", |r| r.remove("/mounts"), REFUSES),
    Case::new(&WITHOUT_MOUNTS, "empty", |r| r.set("/mounts", json!([])), REFUSES),
    Case::new(&WITHOUT_MOUNTS, "nothing-optional", |r| minimal(r).remove("/mounts"), REFUSES),
];

const REFUSES: &[Fault] = &[Fault::Fail(Op::Create), Fault::Fail(Op::Start), Fault::Take("/process/cwd", "\"/etc\"")];

macro_rules! absent {
    ($($name:literal, $pointer:literal;)*) => {
        &[
            $(Case::new(&ABSENT, $name, |r| r.remove($pointer), REFUSES),)*
            Case::new(&ABSENT, "mount-type", |r| bind(r).remove("/mounts/6/type"), REFUSES),
            Case::new(&ABSENT, "mount-source", |r| r.mount("/m", "tmpfs", "x", &[]).remove("/mounts/6/source"), REFUSES),
            Case::new(&ABSENT, "mount-options", |r| r.mount("/m", "tmpfs", "x", &[]).remove("/mounts/6/options"), REFUSES),
            Case::new(&ABSENT, "empty-collections", empty, REFUSES),
            Case::new(&ABSENT, "all-but-proc", minimal, REFUSES),
        ]
    };
}

pub(super) const CASES: &[Case] = absent! {
    "root-readonly", "/root/readonly";
    "process-terminal", "/process/terminal";
    "process-env", "/process/env";
    "process-capabilities", "/process/capabilities";
    "process-capabilities-bounding", "/process/capabilities/bounding";
    "process-capabilities-effective", "/process/capabilities/effective";
    "process-no-new-privileges", "/process/noNewPrivileges";
    "cgroups-path", "/linux/cgroupsPath";
};

fn bind(recipe: &mut Recipe) -> &mut Recipe {
    recipe.directory_beside("data").mount("/m", "none", "{bundle}/data", &["bind"])
}

/// Nothing but what is required, and the namespaces that keep the host apart.
fn minimal(recipe: &mut Recipe) -> &mut Recipe {
    let process = json!({ "user": { "uid": 0, "gid": 0 }, "args": ["/probe"], "cwd": "/" });
    recipe.set("/process", process).set("/root", json!({ "path": "rootfs" }));
    recipe.set("/mounts", json!([{ "destination": "/proc", "type": "proc", "source": "proc" }]));
    recipe.set("/linux", json!({ "namespaces": [{ "type": "mount" }, { "type": "pid" }] }))
}

fn empty(recipe: &mut Recipe) -> &mut Recipe {
    recipe.set("/annotations", json!({})).set("/hooks", json!({})).set("/mounts/0/options", json!([]));
    recipe.set("/process/env", json!([])).set("/process/rlimits", json!([])).set("/process/capabilities", json!({}));
    recipe.set("/linux/resources", json!({})).set("/linux/devices", json!([])).set("/linux/sysctl", json!({}));
    recipe.set("/linux/maskedPaths", json!([])).set("/linux/readonlyPaths", json!([]))
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "config.optional-members/process-until-start",
        &["config.process.optional-members", "runtime.create.makes-container"],
        &[Fault::Fail(Op::Create)],
        |lab, out| {
            let bundle = lab.bundle(|r| r.remove("/process"))?;
            let outcome = lab.try_create(&bundle)?.outcome;
            out.expect("create without a process", outcome.succeeded(), "success: start needs one", outcome.said());
            crate::refusal::discard(lab, &bundle.id)
        },
    ),
    Scenario::new(
        "config.oci-version/older-minor",
        &["config.oci-version.same-major-compatible"],
        &[Fault::Take("/ociVersion", "[]"), Fault::Fail(Op::Create)],
        |lab, out| {
            for version in ["1.0.0", "1.0.1", "1.0.2"] {
                let container = lab.running(|r| r.set("/ociVersion", version))?;
                out.expect(version, container.ask(Ask::Cwd)?.is_ok(), "answers", ());
                container.finish_and_delete()?;
            }
            Ok(())
        },
    ),
];
