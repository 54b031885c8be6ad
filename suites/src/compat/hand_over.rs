//! What the caller of create passes: descriptors, a terminal, and the current directory as the bundle.

use std::fs::File;
use std::os::fd::OwnedFd;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::console::Console;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::{Ask, Flaw, Reply};
use serde_json::json;

use super::compat;
use crate::refusal;

const PRESERVE: &[Need] = &[Need::HostView, Need::Option(Op::Create, "preserve-fds")];
const LEAK: &[Fault] = &[Fault::Flawed(Flaw::Descriptor)];

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.create.preserve-fds/none", PRESERVE, LEAK, |lab, out| preserved(lab, out, 0, 0);
    "compat.create.preserve-fds/one", PRESERVE, LEAK, |lab, out| preserved(lab, out, 1, 1);
    "compat.create.preserve-fds/three", PRESERVE, LEAK, |lab, out| preserved(lab, out, 3, 3);
    "compat.create.preserve-fds/five", PRESERVE, LEAK, |lab, out| preserved(lab, out, 5, 5);
    "compat.create.preserve-fds/more-than-there-are", PRESERVE, LEAK, |lab, out| preserved(lab, out, 1, 4);
    "compat.create.preserve-fds/no-socket-variables", PRESERVE, &[Fault::Push("/process/env", "\"LISTEN_FDS=1\"")],
        |lab, out| {
            // Passing descriptors is not socket activation without the variables for it.
            let container = lab.try_create_with(&lab.bundle(|r| r)?, given(1)?)?.container()?;
            container.started()?;
            let names = match container.ask(Ask::Environ)? {
                Ok(Reply::Names(names)) => names,
                _ => Vec::new(),
            };
            let told: Vec<&String> = names.iter().filter(|name| name.starts_with("LISTEN_")).collect();
            out.expect("the environment", !names.is_empty() && told.is_empty(), "no LISTEN_ variable", told);
            container.finish_and_delete()
        };
    "compat.create.bundle/the-current-directory", &[Need::Option(Op::Create, "bundle")],
        &[Fault::Fail(Op::Create), Fault::Lie("/bundle", "\".\"")], |lab, out| {
            let bundle = lab.bundle(|r| r)?;
            let attempt = lab.try_create_from(&bundle.dir, &bundle, |values| values.without("bundle"))?;
            let container = attempt.container()?;
            container.started()?;
            out.expect_eq("bundle", container.state()?.0["bundle"].as_str(), bundle.dir.to_str());
            container.finish_and_delete()
        };
    "compat.create.terminal/without-a-socket", &[], &[Fault::Drop("/process/terminal"), Fault::Succeed(Op::Create)],
        |lab, out| {
            // There is no receiver for the terminal.
            let bundle = lab.bundle(|r| r.set("/process/terminal", true))?;
            let watch = lab.watch()?;
            let values = Values::default()
                .with("id", &bundle.id)
                .with("bundle", bundle.dir.to_string_lossy())
                .with("pid-file", lab.pid_file(&bundle).to_string_lossy());
            let outcome = lab.call(Op::Create, &values)?;
            out.expect("create", outcome.refused().is_ok(), "an error: nobody receives the terminal", outcome.said());
            if outcome.succeeded() {
                return refusal::discard(lab, &bundle.id);
            }
            out.expect_no_effect(&outcome, watch.differences("create")?);
            Ok(())
        };
    "compat.create.terminal/socket-without-one", &[], &[Fault::Take("/process/terminal", "true")], |lab, out| {
        // Some refuse it, some ignore the socket: either way no terminal is sent.
        let console = Console::bind(&lab.dir.join("unused"))?;
        let bundle = lab.bundle(|r| r.set("/process/terminal", false))?;
        let path = console.path().to_string_lossy().into_owned();
        let attempt = lab.try_create_from(&lab.dir, &bundle, |values| values.with("console-socket", path))?;
        let made = attempt.outcome.succeeded();
        if made {
            let container = attempt.container()?;
            container.started()?;
            let terminal = container.ask(Ask::Terminal)?;
            let none = matches!(&terminal, Ok(Reply::Terminal(terminal)) if terminal.tty == [false; 3]);
            out.expect("standard descriptors", none, "no terminals", terminal);
            container.finish_and_delete()?;
        }
        out.expect("a terminal on the socket", !console.was_called()?, "none", "a connection");
        out.expect_eq("containers of the id", lab.call_id(Op::State, &bundle.id)?.succeeded(), false);
        Ok(())
    };
    "compat.create.terminal/sized-at-its-first-moment", &[],
        &[Fault::Drop("/process/consoleSize"), Fault::Take("/process/consoleSize/height", "24")], |lab, out| {
            let container = lab.running(|r| {
                r.set("/process/terminal", true).set("/process/consoleSize", json!({ "height": 33, "width": 99 }))
            })?;
            let terminal = container.ask(Ask::Terminal)?;
            let first = if let Ok(Reply::Terminal(terminal)) = &terminal { terminal.size_at_start } else { None };
            out.expect_eq("rows and columns when the program started", first, Some([33, 99]));
            container.finish_and_delete()
        };
};

/// Directories that every host has.
pub(super) const PLACES: [&str; 5] = ["/dev", "/proc", "/proc/sys", "/sys", "/sys/kernel"];

/// Directories that the program is to get, each another one.
pub(super) fn given(count: usize) -> StepResult<Vec<OwnedFd>> {
    PLACES.iter().take(count).map(|place| Ok(File::open(place)?.into())).collect()
}

/// The program gets the descriptors that were handed over, in order, and none besides; a runtime may refuse to hand on
/// more than there are.
fn preserved(lab: &Lab<'_>, out: &mut Judgement, count: usize, said: usize) -> StepResult {
    let bundle = lab.bundle(|r| r)?;
    let attempt = lab.try_create_saying(&bundle, given(count)?, said)?;
    if said > count && !attempt.outcome.succeeded() {
        let state = lab.call_id(Op::State, &bundle.id)?;
        out.expect("state after the refusal", !state.succeeded(), "an error: no container", state.stdout);
        return Ok(());
    }
    let container = attempt.container()?;
    container.started()?;
    let evidence = container.evidence(vec![Ask::Fds])?;
    let fds = evidence.inside.fds();
    let places: Result<Vec<&str>, _> = fds.map(|fds| fds.iter().skip(3).map(|(_, place)| &**place).collect());
    out.expect_eq("descriptors from 3 on", places, Ok(PLACES[..count].to_vec()));
    out.expect(
        "numbers",
        fds.is_ok_and(|fds| fds.keys().copied().eq(0..3 + i32::try_from(count).unwrap_or(0))),
        "no gap",
        fds,
    );
    container.finish_and_delete()
}
