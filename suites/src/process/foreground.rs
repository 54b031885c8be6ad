//! `run`: create, start, wait and delete in one call. It is not an operation of the specification, but users of runc rely on it.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::process::Ended;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, PATH};
use plimsoll_reports::model::Axis;

/// See `data/practice.jsonl`.
const UNSPECIFIED: &[&str] = &[];
const RUN: &[Need] = &[Need::Operation(Op::Run)];

/// `run` ends as the program does, and nothing of the container is left.
fn ends_with(lab: &Lab<'_>, out: &mut Judgement, code: i32) -> StepResult {
    let bundle = lab.bundle(|r| r)?;
    let mut program = lab.run(&bundle)?;
    program.greeted()?;
    program.tell(Ask::Exit(code))?;
    out.expect_eq("how run ends", program.finish()?.ended, Ended::Exit(code));
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect("after run", !state.succeeded(), "no container of this id", state.stdout);
    Ok(())
}

const LIES: &[Fault] = &[Fault::Ignore(Op::Run), Fault::Succeed(Op::Run)];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "process.run.exit-code/zero",
        UNSPECIFIED,
        &[Fault::Ignore(Op::Run), Fault::Fail(Op::Run)],
        |lab, out| ends_with(lab, out, 0),
    )
    .needs(RUN)
    .axis(Axis::Compat),
    Scenario::new("process.run.exit-code/one", UNSPECIFIED, LIES, |lab, out| ends_with(lab, out, 1))
        .needs(RUN)
        .axis(Axis::Compat),
    Scenario::new("process.run.exit-code/forty-two", UNSPECIFIED, LIES, |lab, out| ends_with(lab, out, 42))
        .needs(RUN)
        .axis(Axis::Compat),
    Scenario::new("process.run.exit-code/largest", UNSPECIFIED, LIES, |lab, out| ends_with(lab, out, 255))
        .needs(RUN)
        .axis(Axis::Compat),
    Scenario::new("process.run.exit-code/of-a-signal", UNSPECIFIED, LIES, |lab, out| {
        for signal in [9, 15] {
            // The first process of a pid namespace cannot end itself so.
            let args = [PATH, "hook", "ends", "/tmp/log", "no-stdin", &format!("signal={signal}")];
            let bundle = lab.bundle(|r| r.inherit_namespace("pid").args(&args))?;
            out.expect_eq("how run ends", lab.run(&bundle)?.finish()?.ended, Ended::Exit(128 + signal));
        }
        Ok(())
    })
    .needs(RUN)
    .axis(Axis::Compat),
    Scenario::new(
        "process.run.refused/no-such-program",
        UNSPECIFIED,
        &[Fault::Succeed(Op::Run), Fault::Take("/process/args/0", "\"/probe\"")],
        |lab, out| {
            let bundle = lab.bundle(|r| r.args(&["/no/such/program"]))?;
            lab.run(&bundle)?.finish()?.refused()?;
            let state = lab.call_id(Op::State, &bundle.id)?;
            out.expect("after the refusal", !state.succeeded(), "no container of this id", state.stdout);
            Ok(())
        },
    )
    .needs(RUN)
    .axis(Axis::Compat),
];
