//! Hooks run one after another: each list in order, kind after kind, with the program in between.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::probe::{Ask, Reply};

use super::kind::{self, Kind, Lifecycle, names};

macro_rules! listed {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.listed-order/", $slug),
            &["config.hooks.listed-order", concat!("runtime.lifecycle.", $slug, "-invoked")],
            &[
                Fault::Reverse(concat!("/hooks/", $member)),
                Fault::DropLast(concat!("/hooks/", $member)),
                Fault::Push(concat!("/hooks/", $member, "/0/args"), "\"detach\""),
            ],
            |lab, out| listed(&kind::$kind, lab, out),
        )
    };
}

pub(super) const LISTED: &[Scenario] = for_each_kind!(listed);

/// The first one takes its time, so that hooks that run side by side are found out.
fn listed(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| {
        r.hook(kind.member, "first", &["delay=100"]).hook(kind.member, "second", &[]).hook(kind.member, "third", &[])
    })?;
    out.expect_eq("the hooks that ran", names(&lifecycle.after_delete), ["first", "second", "third"]);
    Ok(())
}

pub(super) const BETWEEN: &[Scenario] = &[
    Scenario::new(
        "hooks.order/prestart-before-create-runtime",
        &["config.hooks.prestart.before-create-runtime"],
        &[Fault::Move("/hooks/prestart", "/hooks/createRuntime"), Fault::Drop("/hooks/prestart")],
        |lab, out| one_before_the_other("prestart", "createRuntime", lab, out),
    ),
    Scenario::new(
        "hooks.order/create-runtime-before-create-container",
        &["config.hooks.create-container.after-create-runtime"],
        &[Fault::Move("/hooks/createRuntime", "/hooks/createContainer"), Fault::Drop("/hooks/createContainer")],
        |lab, out| one_before_the_other("createRuntime", "createContainer", lab, out),
    ),
    Scenario::new(
        "hooks.order/start-container-before-program",
        &["config.hooks.start-container.before-program"],
        &[Fault::Push("/hooks/startContainer/0/args", "\"detach\""), Fault::Drop("/hooks/startContainer")],
        start_container_before_program,
    ),
    Scenario::new(
        "hooks.order/whole-lifecycle",
        &["runtime.lifecycle.step-order", "config.hooks.summary-table"],
        &[
            Fault::Move("/hooks/prestart", "/hooks/createRuntime"),
            Fault::Move("/hooks/createContainer", "/hooks/prestart"),
            Fault::Drop("/hooks/startContainer"),
            Fault::Move("/hooks/poststart", "/hooks/createRuntime"),
            Fault::Move("/hooks/poststop", "/hooks/poststart"),
        ],
        whole_life,
    ),
];

/// Two hooks of each kind: all of the first kind come before any of the second, whatever their order in the document.
fn one_before_the_other(first: &str, second: &str, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| {
        r.hook(second, "c", &[]).hook(second, "d", &[]).hook(first, "a", &["delay=50"]).hook(first, "b", &[])
    })?;
    out.expect_eq("the hooks that ran", names(&lifecycle.after_create), ["a", "b", "c", "d"]);
    Ok(())
}

/// What a slow hook does is done when the program begins.
fn start_container_before_program(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let container = lab.running(|r| r.log_program().hook("startContainer", "hook", &["delay=100", "write=/effect"]))?;
    let log = container.bundle.hook_log()?;
    out.expect_eq("who spoke", names(&log), ["hook", "program"]);
    let effect = container.ask(Ask::Read("/effect".into()))?;
    out.expect_eq("what the program reads of the hook's file", effect, Ok(Reply::Bytes(b"hook".to_vec())));
    container.finish_and_delete()
}

/// All kinds and the program in one time line. Program and poststart hook run side by side once the program is
/// executed, so either may speak first. The slow startContainer hook holds the program up, and nothing may overtake it.
fn whole_life(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    const ORDER: [&str; 6] =
        ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];
    let options = |member: &str| if member == "startContainer" { vec!["delay=100"] } else { Vec::new() };
    let lifecycle = Lifecycle::of(lab, |r| {
        ORDER.iter().rev().fold(r.log_program(), |r, &member| r.hook(member, member, &options(member)))
    })?;
    let all = names(&lifecycle.after_delete);
    let hooks: Vec<&str> = all.iter().copied().filter(|&name| name != "program").collect();
    out.expect_eq("the hooks that ran", hooks, ORDER);
    let place = |name| {
        let found = all.iter().position(|&spoke| spoke == name);
        found.ok_or_else(|| Stop::broken(name, "in the log", all.describe()))
    };
    let program = place("program")?;
    let between = place("startContainer")? < program && program < place("poststop")?;
    out.expect("the place of the program", between, "after startContainer, before poststop", &all);
    let steps = [lifecycle.after_create.len(), lifecycle.after_start.len(), lifecycle.after_delete.len()];
    out.expect_eq("records after create, start and delete", steps, [3, 6, 7]);
    Ok(())
}
