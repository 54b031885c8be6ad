//! The default state directory: what `XDG_RUNTIME_DIR` decides, and for whom.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use plimsoll_engine::caller::CallerState;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::FIRST_ID;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_reports::model::Axis;

use super::compat;
use crate::namespaces::{range, user};

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.create.default-root/of-another-user", &[Need::HostView, Need::Namespace("user")],
        &[Fault::StateIn("../elsewhere")], of_another_user;
};

/// The shell of root and the services of root differ in this variable, so that the one does not see the containers of the
/// other where it decides. Either way has its users.
pub(super) const ADVICE: &[Scenario] = &[Scenario::new(
    "compat.create.default-root/of-root-whatever-the-variable-says",
    super::UNSPECIFIED,
    &[Fault::StateIn("own")],
    |lab, out| {
        // What the runtime makes in /run is the check's own.
        lab.mount_tmpfs(Path::new("/run"))?;
        let [first, second] = ["first", "second"].map(|name| directory(lab, name, 0));
        let (first, second) = (first?, second?);
        lab.driver.leave_root_out(&first)?;
        let container = lab.running(|r| r)?;
        lab.driver.leave_root_out(&second)?;
        let found = container.query_state()?;
        out.expect("state with another XDG_RUNTIME_DIR", found.succeeded(), "the container of root", found.said());
        lab.driver.leave_root_out(&first)?;
        container.finish_and_delete()
    },
)
.needs(&[Need::HostView, Need::File("/run")])
.axis(Axis::Compat)
.advisory(super::DIFFERS)];

/// Who is not root has the state in a directory of the own, and nowhere else.
fn of_another_user(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    lab.called_in(CallerState::User(FIRST_ID))?;
    let (own, other) = (directory(lab, "own", FIRST_ID)?, directory(lab, "other", FIRST_ID)?);
    lab.driver.leave_root_out(&own)?;
    let container = lab.running(rootless)?;
    out.expect("XDG_RUNTIME_DIR", holds(&own, container.id())?, "with the state in a directory of the runtime", &own);
    lab.driver.leave_root_out(&other)?;
    let lost = container.query_state()?;
    out.expect("state with another XDG_RUNTIME_DIR", !lost.succeeded(), "an error: no container", lost.stdout);
    lab.driver.leave_root_out(&own)?;
    container.finish_and_delete()
}

/// What every user may ask for: one user, and no control group.
fn rootless(recipe: &mut Recipe) -> &mut Recipe {
    user(recipe, &[range(0, FIRST_ID, 1)]).remove("/linux/cgroupsPath")
}

fn directory(lab: &Lab<'_>, name: &str, owner: u32) -> StepResult<PathBuf> {
    let dir = lab.dir.join(name);
    fs::create_dir(&dir)?;
    chown(&dir, Some(owner), Some(owner))?;
    Ok(dir)
}

/// Whether a directory in this one has an entry of this name.
fn holds(dir: &Path, name: &str) -> io::Result<bool> {
    let entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    Ok(entries.iter().any(|entry| entry.path().join(name).exists()))
}
