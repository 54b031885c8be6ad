//! Socket activation, see sd_listen_fds(3): the service manager passes the number of sockets in `LISTEN_FDS` and the process that they are
//! for in `LISTEN_PID`. A runtime passes its own on to the program, which is process 1 of its namespace. It does not pass their names
//! (`LISTEN_FDNAMES`): engines put them into the configuration.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::{Lab, Sockets};
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Flaw};

use super::compat;
use super::hand_over::{PLACES, given};

const HOST: &[Need] = &[Need::HostView];

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.create.sockets/passed-on", HOST,
        &[Fault::Forget(Op::Create, "sockets"), Fault::Flawed(Flaw::Descriptor)], |lab, out| {
            let container = activated(lab, Sockets::Own)?;
            out.expect_eq("descriptors from 3 on", places(&container)?, &PLACES[..2]);
            out.expect_eq("variables LISTEN_PID", told(&container, "LISTEN_PID=")?, ["LISTEN_PID=1"]);
            container.finish_and_delete()
        };
    "compat.create.sockets/listen-fds-set", HOST,
        &[Fault::Forget(Op::Create, "sockets")], |lab, out| {
            let container = activated(lab, Sockets::Own)?;
            out.expect_eq("variables LISTEN_FDS", told(&container, "LISTEN_FDS=")?, ["LISTEN_FDS=2"]);
            container.finish_and_delete()
        };
    "compat.create.sockets/of-another-process", HOST,
        &[Fault::Flawed(Flaw::Descriptor), Fault::Push("/process/env", "\"LISTEN_FDS=2\"")], |lab, out| {
            let container = activated(lab, Sockets::OfAnother)?;
            out.expect_eq("descriptors from 3 on", places(&container)?, [""; 0]);
            out.expect_eq("variables of sockets", told(&container, "LISTEN_")?, [""; 0]);
            container.finish_and_delete()
        };
};

/// A container whose creator was given two sockets, or inherited what was said of those of another process.
fn activated<'l>(lab: &'l Lab<'_>, whose: Sockets) -> StepResult<Container<'l>> {
    let container = lab.try_create_activated(&lab.bundle(|r| r)?, given(2)?, whose)?.container()?;
    container.started()?;
    Ok(container)
}

fn places(container: &Container<'_>) -> StepResult<Vec<String>> {
    let evidence = container.evidence(vec![Ask::Fds])?;
    let fds = evidence.inside.fds().map_err(|why| Stop::broken("descriptors", "a list of them", why.to_string()))?;
    Ok(fds.iter().filter(|(number, _)| **number > 2).map(|(_, place)| place.clone()).collect())
}

fn told(container: &Container<'_>, beginning: &str) -> StepResult<Vec<String>> {
    let evidence = container.evidence(vec![Ask::Environ])?;
    let names = evidence
        .inside
        .names(&Ask::Environ)
        .map_err(|why| Stop::broken("variables", "a list of them", why.to_string()))?;
    Ok(names.iter().filter(|name| name.starts_with(beginning)).cloned().collect())
}
