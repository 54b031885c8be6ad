//! A hook that fails: an error, the container's process is killed, and the container is destroyed. Only the failure of a poststop hook has
//! no consequence (`runtime.md#lifecycle`).

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, Outcome, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::{Bundle, Recipe};

use super::kind::{self, Kind, POSTSTART, long_annotation, names};

/// How a hook fails.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Exit,
    Signal,
    MissingFile,
}

impl Mode {
    /// Three hooks, of which the second fails.
    fn hooks<'r>(self, recipe: &'r mut Recipe, kind: &Kind) -> &'r mut Recipe {
        let how = if self == Self::Signal { "signal=9" } else { "exit=1" };
        recipe.hook(kind.member, "first", &[]).hook(kind.member, "bad", &[how]).hook(kind.member, "third", &[]);
        match self {
            Self::Exit | Self::Signal => recipe,
            Self::MissingFile => {
                recipe.set(&kind.pointer("/1/path"), "/nowhere/hook").set("/annotations", long_annotation())
            }
        }
    }

    /// What is in the log of a runtime that goes no further.
    fn log(self) -> &'static [&'static str] {
        if self == Self::MissingFile { &["first"] } else { &["first", "bad"] }
    }
}

/// Says nothing of a failure, whichever operation runs the hook.
pub(super) const SILENT: Fault = Fault::All(&[Fault::Succeed(Op::Create), Fault::Succeed(Op::Start)]);

/// Wrong runtimes do not look at the end of a hook, go on with the list, say nothing of it, or say so and let the
/// container be: `$gone` makes the hook harmless.
macro_rules! fails {
    ($mode:ident, $id:literal, $gone:expr, $kind:ident, $member:literal, $slug:literal) => {
        Scenario::new(
            concat!($id, $slug),
            &[
                concat!("runtime.lifecycle.", $slug, "-failure-error"),
                concat!("runtime.lifecycle.", $slug, "-failure-stops-container"),
                "runtime.errors.no-side-effects",
            ],
            &[
                $gone,
                Fault::Reverse(concat!("/hooks/", $member)),
                SILENT,
                Fault::All(&[$gone, Fault::DropLast(concat!("/hooks/", $member)), Fault::Fail(kind::$kind.during)]),
            ],
            |lab, out| fails(&kind::$kind, Mode::$mode, lab, out),
        )
    };
}

macro_rules! exit {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        fails!(
            Exit,
            "hooks.failure-by-exit-code/",
            Fault::Take(concat!("/hooks/", $member, "/1/args/4"), "\"exit=0\""),
            $kind,
            $member,
            $slug
        )
    };
}

macro_rules! signal {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        fails!(
            Signal,
            "hooks.failure-by-signal/",
            Fault::Take(concat!("/hooks/", $member, "/1/args/4"), "\"exit=0\""),
            $kind,
            $member,
            $slug
        )
    };
}

macro_rules! missing_file {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        fails!(
            MissingFile,
            "hooks.failure-by-missing-file/",
            Fault::Drop(concat!("/hooks/", $member, "/1")),
            $kind,
            $member,
            $slug
        )
    };
}

macro_rules! destroys {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.failure-destroys/", $slug),
            &[
                concat!("runtime.lifecycle.", $slug, "-failure-destroys"),
                concat!("runtime.lifecycle.", $slug, "-failure-error"),
                concat!("runtime.lifecycle.", $slug, "-failure-stops-container"),
            ],
            &[Fault::Drop("/hooks/poststop"), Fault::Ignore(Op::State)],
            |lab, out| destroys(&kind::$kind, lab, out),
        )
    };
}

pub(super) const BY_EXIT: &[Scenario] = for_each_kind!(living exit);
pub(super) const BY_SIGNAL: &[Scenario] = for_each_kind!(living signal);
pub(super) const BY_MISSING_FILE: &[Scenario] = for_each_kind!(living missing_file);
pub(super) const DESTROYS: &[Scenario] = for_each_kind!(living destroys);

/// Goes as far as the operation that the hook makes fail; the container, when there was one before. A runtime that
/// runs poststart hooks in create may let create fail instead: another check judges when they run.
pub(super) fn provoke<'l>(
    lab: &'l Lab<'l>,
    kind: &Kind,
    bundle: &Bundle,
    out: &mut Judgement,
) -> StepResult<Option<Container<'l>>> {
    let attempt = lab.try_create(bundle)?;
    if kind.during == Op::Create || (*kind == POSTSTART && !attempt.outcome.succeeded()) {
        attempt.outcome.refused()?;
        return Ok(None);
    }
    let container = attempt.container()?;
    let start = container.start()?;
    out.expect_error("start", &start);
    is_stopped(&container, &start, out)?;
    Ok(Some(container))
}

/// The container's process ends. If start did not fail, it may run the program instead.
pub(super) fn is_stopped(container: &Container<'_>, start: &Outcome, out: &mut Judgement) -> StepResult {
    if start.refused().is_err() && container.greeted().is_ok() {
        out.expect("the container's process", false, "stopped", "it runs the program");
        return Ok(());
    }
    container.wait()
}

/// Since 1.3.0 a poststart hook must not fail; before, that was only worth a warning.
pub(super) fn advise(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    if *kind == POSTSTART && !lab.claims(1, 3) {
        out.advise("that a failing poststart hook is an error came with release 1.3.0");
    }
    Ok(())
}

/// After a failed create the guard sees that nothing is left. After a failed start the caller may have to delete.
fn fails(kind: &Kind, mode: Mode, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    advise(kind, lab, out)?;
    let bundle = lab.bundle(|r| mode.hooks(r, kind).log_program())?;
    if let Some(container) = provoke(lab, kind, &bundle, out)? {
        tidy_up(lab, &container)?;
    }
    let log = bundle.hook_log()?;
    let mut spoke = names(&log);
    if *kind == POSTSTART {
        spoke.retain(|&name| name != "program");
    }
    out.expect_eq("hooks and program that ran", spoke.as_slice(), mode.log());
    Ok(())
}

pub(super) fn tidy_up(lab: &Lab<'_>, container: &Container<'_>) -> StepResult {
    if lab.call_id(Op::State, container.id())?.succeeded() { container.delete_by_force()?.ok() } else { Ok(()) }
}

/// Nobody has to call delete: the poststop hooks have run, and the container is forgotten.
fn destroys(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    advise(kind, lab, out)?;
    let bundle = lab.bundle(|r| r.hook(kind.member, "bad", &["exit=1"]).hook("poststop", "poststop", &[]))?;
    let container = provoke(lab, kind, &bundle, out)?;
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect_eq("the hooks that ran", names(&bundle.hook_log()?), ["bad", "poststop"]);
    out.expect("state of the container", !state.succeeded(), "an error: there is no such container", state.said());
    container.map_or(Ok(()), |container| tidy_up(lab, &container))
}

/// By a draft delete says that a poststop hook failed.
pub(super) const DRAFT: Scenario = Scenario::new(
    "hooks.failure-reported/poststop",
    &["runtime.lifecycle.poststop-failure-error"],
    &[Fault::Drop("/hooks/poststop/1"), Fault::Succeed(Op::Delete)],
    |lab, out| {
        lab.needs_next("that delete tells of it")?;
        let container = lab.stopped(|r| Mode::Exit.hooks(r, &kind::POSTSTOP))?;
        let delete = container.delete()?;
        out.expect("delete", !delete.succeeded(), "an error: an exit code other than 0", delete.said());
        Ok(())
    },
);

/// The second of three poststop hooks fails: delete works as if it had not.
macro_rules! poststop {
    ($mode:ident, $name:literal) => {
        Scenario::new(
            concat!("hooks.failure-", $name, "/poststop"),
            &["runtime.lifecycle.poststop-failure-continues", "runtime.warnings.flow-unchanged"],
            &[Fault::Fail(Op::Delete), Fault::DropLast("/hooks/poststop"), Fault::Ignore(Op::Delete)],
            |lab, out| goes_on(Mode::$mode, lab, out),
        )
    };
}

pub(super) const POSTSTOP: &[Scenario] =
    &[poststop!(Exit, "by-exit-code"), poststop!(Signal, "by-signal"), poststop!(MissingFile, "by-missing-file")];

fn goes_on(mode: Mode, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let container = lab.stopped(|r| mode.hooks(r, &kind::POSTSTOP))?;
    let delete = container.delete()?;
    let mut expected = mode.log().to_vec();
    expected.push("third");
    out.expect_eq("the hooks that ran", names(&container.bundle.hook_log()?), expected);
    if !lab.claims_next() {
        out.expect("delete", delete.succeeded(), "success: exit 0", delete.said());
    }
    let state = container.query_state()?;
    out.expect("state of the container", !state.succeeded(), "an error: there is no such container", state.said());
    Ok(())
}
