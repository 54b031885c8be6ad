//! Every value that the document lists can be used in a configuration.

use std::os::unix::net::UnixListener;
use std::path::Path;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::{Attempt, Lab};
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use serde_json::{Value, json};

use super::{document, kernel, said};
use crate::process::capabilities::names;
use crate::seccomp::filter::{SECCOMP, with_rule};

/// Needs a socket that listens: see [`filtered`].
const NOTIFY: &str = "SCMP_ACT_NOTIFY";

/// Filters of both byte orders at once cannot be loaded, so a word for another one shows nothing.
const BIG_ENDIAN: &[&str] = &[
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_SHEB",
];

/// One scenario a row: id, clause, where the words are listed, and how a configuration uses one of them.
macro_rules! listed {
    ($($id:literal, $clause:literal, $at:literal, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("features.", $id),
            &[concat!("features.", $clause)],
            &[Fault::Misreport(Op::Features, $at, r#"["PLIMSOLL"]"#)],
            |lab, out| each(lab, out, $at, $edits),
        )),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = listed! {
    "hooks/listed-ones-run", "hooks-supported", "/hooks", |lab, out, kind| {
        let container = lab.running(|r| r.hook(kind, kind, &[]))?;
        container.finish_and_delete()?;
        let ran: Vec<String> = container.bundle.hook_log()?.into_iter().map(|record| record.name).collect();
        out.expect_eq("the hooks that ran", ran, [kind]);
        Ok(())
    };
    "namespaces/listed-types-are-recognised", "linux.namespaces-recognised", "/linux/namespaces",
        |lab, out, kind| if kernel::has_namespace(kind) {
            used(lab, out, kind, |r| match kind {
                "user" => crate::namespaces::usual_user(r),
                _ => r.inherit_namespace(kind).new_namespace(kind),
            })
        } else { Ok(()) };
    "seccomp/listed-actions-are-recognised", "linux.seccomp-actions-recognised", "/linux/seccomp/actions",
        |lab, out, action| if kernel::has_action(action) {
            filtered(lab, out, action, &rule(action, &json!([])), |r| r)
        } else { Ok(()) };
    "seccomp/listed-operators-are-recognised", "linux.seccomp-operators-recognised", "/linux/seccomp/operators",
        |lab, out, operator| {
            let comparison = json!([{ "index": 1, "value": 1, "valueTwo": 1, "op": operator }]);
            filtered(lab, out, operator, &rule("SCMP_ACT_ERRNO", &comparison), |r| r)
        };
    "seccomp/listed-architectures-are-recognised", "linux.seccomp-archs-recognised", "/linux/seccomp/archs",
        |lab, out, arch| {
            if BIG_ENDIAN.contains(&arch) {
                return Ok(());
            }
            let rule = rule("SCMP_ACT_ERRNO", &json!([]));
            filtered(lab, out, arch, &rule, |r| r.set("/linux/seccomp/architectures", [arch]))
        };
    "seccomp/supported-flags-work", "linux.seccomp-supported-flags-work", "/linux/seccomp/supportedFlags",
        |lab, out, flag| {
            // It is about notifications, and the kernel wants a listener for it.
            let waits = flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";
            let action = if waits { NOTIFY } else { "SCMP_ACT_ERRNO" };
            filtered(lab, out, flag, &rule(action, &json!([])), |r| r.set("/linux/seccomp/flags", [flag]))
        };
    "memory-policy/listed-modes-are-recognised", "linux.memory-policy-modes-recognised", "/linux/memoryPolicy/modes",
        |lab, out, mode| policy(lab, out, mode, None);
    "memory-policy/listed-flags-are-recognised", "linux.memory-policy-flags-recognised", "/linux/memoryPolicy/flags",
        |lab, out, flag| policy(lab, out, "MPOL_BIND", Some(flag));
};

const MISREAD: &[Fault] = &[Fault::Misreport(Op::Features, "/mountOptions", r#"["PLIMSOLL"]"#)];

pub(super) const OPTIONS: &[Scenario] = &[
    Scenario::new(
        "features.mounts/listed-options-are-recognised",
        &["features.mount-options-recognised"],
        MISREAD,
        |lab, out| options(lab, out, |option| !IDMAP.contains(&option)),
    ),
    // Before that, the kernel maps no ids of what lies on a tmpfs, as bundles do.
    Scenario::new(
        "features.mounts/listed-mapping-of-ids-is-recognised",
        &["features.mount-options-recognised"],
        &[Fault::Fail(Op::Create), Fault::Fail(Op::Start)],
        |lab, out| options(lab, out, |option| IDMAP.contains(&option)),
    )
    .needs(&[Need::Kernel(6, 3)]),
];

const IDMAP: &[&str] = &["idmap", "ridmap"];

/// All these options at once, a mount for each; one by one only to tell which it was that was not understood.
fn options(lab: &Lab<'_>, out: &mut Judgement, is_meant: fn(&str) -> bool) -> StepResult {
    let document = document(lab)?;
    let listed = said(&document, "/mountOptions")?.as_array().into_iter().flatten().filter_map(Value::as_str);
    let listed: Vec<&str> = listed.filter(|option| is_meant(option) && kernel::mounts_with(&lab.dir, option)).collect();
    if listed.is_empty() {
        return Err(Stop::Skip("its features list no such option that this kernel mounts with".into()));
    }
    let together =
        lab.bundle(|r| listed.iter().enumerate().fold(r, |r, (at, option)| mounted(r, option, &format!("/m{at}"))))?;
    let attempt = lab.try_create(&together)?;
    if !attempt.outcome.succeeded() {
        return listed.iter().try_for_each(|option| used(lab, out, option, |r| mounted(r, option, "/m")));
    }
    out.expect("create with all of them", attempt.outcome.succeeded(), "success", attempt.outcome.said());
    lived(attempt, |_| Ok(()))
}

/// The kernel gives what is listed and what the harness holds itself.
pub(super) const CAPABILITIES: &[Scenario] = &[Scenario::new(
    "features.capabilities/listed-ones-are-given",
    &["features.linux.capabilities-recognised"],
    &[Fault::Take("/process/capabilities/bounding", r#"["CAP_CHOWN"]"#)],
    |lab, out| {
        let document = document(lab)?;
        let listed = said(&document, "/linux/capabilities")?;
        let own = Observation::of(nix::unistd::getpid())?.status.capabilities.bounding;
        let is_listed = |name: &&str| listed.as_array().is_some_and(|listed| listed.contains(&json!(name)));
        let wanted: Vec<&str> = names(own).into_iter().filter(is_listed).collect();
        let container = lab.running(|r| r.set("/process/capabilities/bounding", &wanted))?;
        let given = names(container.observe()?.status.capabilities.bounding);
        let absent: Vec<&str> = wanted.into_iter().filter(|name| !given.contains(name)).collect();
        out.expect_eq("listed capabilities that are not given", absent, [""; 0]);
        container.finish_and_delete()
    },
)
.needs(&[Need::HostView])];

/// Judges each word that is listed at `pointer`.
fn each(
    lab: &Lab<'_>,
    out: &mut Judgement,
    pointer: &str,
    judge: fn(&Lab<'_>, &mut Judgement, &str) -> StepResult,
) -> StepResult {
    let document = document(lab)?;
    let words = said(&document, pointer)?.as_array();
    out.expect(pointer, words.is_some(), "an array", document.pointer(pointer));
    words.into_iter().flatten().try_for_each(|word| judge(lab, out, word.as_str().unwrap_or_default()))
}

/// A container whose configuration uses the word is made and its program runs.
pub(super) fn used(
    lab: &Lab<'_>,
    out: &mut Judgement,
    word: &str,
    edits: impl FnOnce(&mut Recipe) -> &mut Recipe,
) -> StepResult {
    let attempt = lab.try_create(&lab.bundle(edits)?)?;
    let outcome = &attempt.outcome;
    out.expect(&format!("create with {word}"), outcome.succeeded(), "success, for features has it", outcome.said());
    if !outcome.succeeded() {
        return Ok(());
    }
    lived(attempt, |_| Ok(()))
}

/// The container of a successful attempt runs, and is observed while its program runs.
pub(super) fn lived<T>(attempt: Attempt<'_>, look: impl FnOnce(&Container<'_>) -> StepResult<T>) -> StepResult<T> {
    let container = attempt.container()?;
    container.started()?;
    let seen = look(&container)?;
    container.finish_and_delete()?;
    Ok(seen)
}

/// A filesystem refuses a word that was handed to it instead of being understood.
pub(super) fn mounted<'r>(recipe: &'r mut Recipe, option: &str, at: &str) -> &'r mut Recipe {
    const DATA: &str = "{bundle}/data";
    let recipe = recipe.beside("data/file", "content").directory(at);
    match option {
        // Words about sources, so there has to be one. Some are crun's own.
        "bind" | "rbind" => recipe.mount(at, "none", DATA, &[option]),
        "copy-symlink" | "src-nofollow" | "dest-nofollow" => recipe.mount(at, "none", DATA, &["bind", option]),
        "idmap" | "ridmap" => {
            let range = json!([{ "containerID": 0, "hostID": 1000, "size": 10 }]);
            recipe.push(
                "/mounts",
                json!({
                    "destination": at, "type": "none", "source": DATA, "options": ["rbind", option],
                    "uidMappings": range, "gidMappings": range,
                }),
            )
        }
        "remount" => recipe.mount(at, "tmpfs", "tmpfs", &[]).mount(at, "tmpfs", "tmpfs", &[option]),
        _ => recipe.mount(at, "tmpfs", "tmpfs", &[option]),
    }
}

/// A rule for a call that nothing in the container makes.
fn rule(action: &str, args: &Value) -> Value {
    json!({ "names": ["readahead"], "action": action, "args": args })
}

/// As [`used`], of a filter with this rule. When it asks for notifications, a socket listens for the descriptor; nobody
/// has to take it, for the call is never made.
fn filtered(
    lab: &Lab<'_>,
    out: &mut Judgement,
    word: &str,
    rule: &Value,
    edits: impl FnOnce(&mut Recipe) -> &mut Recipe,
) -> StepResult {
    let path = lab.dir.join(format!("listener-{word}"));
    let listener = (rule["action"] == NOTIFY).then(|| UnixListener::bind(&path)).transpose()?;
    used(lab, out, word, |r| {
        let r = edits(r.set(SECCOMP, with_rule(rule)));
        if listener.is_some() { r.set("/linux/seccomp/listenerPath", path.to_string_lossy()) } else { r }
    })
}

fn policy(lab: &Lab<'_>, out: &mut Judgement, mode: &str, flag: Option<&str>) -> StepResult {
    if !Path::new("/proc/self/numa_maps").exists() {
        return Err(Stop::Skip("the kernel has no memory policies: CONFIG_NUMA".into()));
    }
    if !kernel::has_policy(mode, flag) {
        return Ok(());
    }
    let mut policy = json!({ "mode": mode });
    if kernel::policy_has_nodes(mode) {
        policy["nodes"] = json!("0");
    }
    if let Some(flag) = flag {
        policy["flags"] = json!([flag]);
    }
    used(lab, out, flag.unwrap_or(mode), |r| r.set("/linux/memoryPolicy", policy))
}
