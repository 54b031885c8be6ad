//! One entry: `args` is the argument vector, `env` the environment.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Op;
use plimsoll_engine::settings::LEAK;
use plimsoll_fixtures::probe;
use serde_json::json;

use super::kind::{self, IT, Kind, Lifecycle};

macro_rules! argv {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.args/", $slug),
            &["config.hooks.entry.args-argv"],
            &[
                Fault::Take(concat!("/hooks/", $member, "/0/args/0"), "\"/some/path\""),
                Fault::DropLast(concat!("/hooks/", $member, "/0/args")),
            ],
            |lab, out| argv(&kind::$kind, lab, out),
        )
    };
}

macro_rules! env {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.env/", $slug),
            &["config.hooks.entry.env-applied"],
            &[
                Fault::Drop(concat!("/hooks/", $member, "/0/env")),
                Fault::DropLast(concat!("/hooks/", $member, "/0/env")),
                Fault::Push(concat!("/hooks/", $member, "/0/env"), "\"HOME=/root\""),
            ],
            |lab, out| env(&kind::$kind, lab, out),
        )
    };
}

pub(super) const ARGV: &[Scenario] = for_each_kind!(argv);
pub(super) const ENV: &[Scenario] = for_each_kind!(env);

/// The vector as it stands: `argv[0]` is not the path, nothing is split, joined, expanded or left out.
fn argv(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let odd = ["note=two words", "note=$HOME \"'*", "note=é\n", "note="];
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &odd))?;
    let expected = lifecycle.bundle.config.texts(&kind.pointer("/0/args"));
    out.expect_eq("argv of the hook", &lifecycle.record(IT)?.args, &expected);
    Ok(())
}

/// The environment is the list and nothing else, least of all the runtime's own.
fn env(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let env = ["ZEBRA=1", "ALPHA=two words", "EMPTY=", "EQUAL=a=b", "lower=é"];
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &[]).set(&kind.pointer("/0/env"), env))?;
    let mut expected = lifecycle.bundle.config.texts(&kind.pointer("/0/env"));
    let mut observed = lifecycle.record(IT)?.env.clone();
    expected.sort_unstable();
    observed.sort_unstable();
    out.expect_eq("environment of the hook, sorted", &observed, &expected);
    let leaked = observed.iter().any(|entry| entry.starts_with(LEAK));
    out.expect("the runtime's own environment", !leaked, format!("no {LEAK}"), &observed);
    Ok(())
}

pub(super) const OTHERS: &[Scenario] = &[
    Scenario::new(
        "hooks.env/order",
        &["config.hooks.entry.env-applied"],
        &[Fault::Reverse("/hooks/createRuntime/0/env"), Fault::Reverse("/hooks/startContainer/0/env")],
        env_order,
    )
    .advisory("the specification takes its meaning from POSIX's environ, where the order means nothing"),
    Scenario::new(
        "hooks.env/empty",
        &["config.hooks.entry.env-applied"],
        &[Fault::Drop("/hooks/createRuntime/0/env"), Fault::Drop("/hooks/startContainer/0/env")],
        env_empty,
    )
    .advisory("the specification does not say whether an empty list is an empty environment, or as good as none"),
    Scenario::new(
        "hooks.args/absent",
        &["config.hooks.optional-members", "config.hooks.entry.path-executed"],
        &[Fault::Fail(Op::Create), Fault::Drop("/hooks/createRuntime"), Fault::Drop("/hooks/startContainer")],
        args_absent,
    ),
];

const BOTH: [Kind; 2] = [kind::CREATE_RUNTIME, kind::START_CONTAINER];

/// The specification speaks of POSIX's `environ`, where the order is kept but means nothing.
fn env_order(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let env = ["D=1", "A=2", "C=3", "B=4"];
    let lifecycle = Lifecycle::of(lab, |r| {
        BOTH.iter().fold(r, |r, kind| r.hook(kind.member, kind.member, &[]).set(&kind.pointer("/0/env"), env))
    })?;
    for kind in &BOTH {
        let expected = lifecycle.bundle.config.texts(&kind.pointer("/0/env"));
        out.expect_eq(&format!("environment of {}", kind.member), &lifecycle.record(kind.member)?.env, &expected);
    }
    Ok(())
}

fn env_empty(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| {
        BOTH.iter().fold(r, |r, kind| r.hook(kind.member, kind.member, &[]).set(&kind.pointer("/0/env"), [""; 0]))
    })?;
    for kind in &BOTH {
        let env = &lifecycle.record(kind.member)?.env;
        out.expect(&format!("environment of {}", kind.member), env.is_empty(), "nothing", env);
    }
    Ok(())
}

/// A hook with only a path, which gets its arguments from a variable.
fn args_absent(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| {
        let outside = json!({ "path": "{probe}", "env": ["PLIMSOLL_HOOK=hook createRuntime {rootfs}/hooks.log"] });
        let inside = json!({ "path": probe::PATH, "env": ["PLIMSOLL_HOOK=hook startContainer /hooks.log"] });
        r.push("/hooks/createRuntime", outside).push("/hooks/startContainer", inside)
    })?;
    for kind in &BOTH {
        out.expect_eq(&format!("runs of {}", kind.member), lifecycle.runs(kind.member)[2], 1);
    }
    Ok(())
}
