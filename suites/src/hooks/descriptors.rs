//! The descriptors of a hook: the three standard streams. A descriptor of the runtime gives access to what the runtime may do, and in hooks
//! that run in the container it is a way out. Hooks are as trusted as the runtime, so this is a warning.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_reports::model::Axis;

use super::kind::{self, IT, Kind, Lifecycle};

macro_rules! descriptors {
    ($kind:ident, $member:literal, $slug:literal, $($_rest:tt)*) => {
        Scenario::new(
            concat!("hooks.descriptors/", $slug),
            &[],
            &[Fault::Push(concat!("/hooks/", $member, "/0/args"), "\"open=/\"")],
            |lab, out| standard_alone(&kind::$kind, lab, out),
        )
        .axis(Axis::Security)
    };
}

pub(super) const SCENARIOS: &[Scenario] = for_each_kind!(descriptors);

fn standard_alone(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &[]))?;
    let fds = &lifecycle.record(IT)?.fds;
    // Without /proc there is nothing to be seen; the program of the container has one.
    out.expect("descriptors that are open", fds.keys().all(|fd| (0..=2).contains(fd)), "0, 1 and 2 at most", fds);
    Ok(())
}
