//! The guard within a check: around one operation that must have no effect.

use std::time::Duration;

use plimsoll_reports::model::Finding;

use crate::containers::lab::Lab;
use crate::guard::{DESCRIPTORS, Guard, GuardSettings};
use crate::runtime::judgement::{StepResult, Stop};
use crate::system::deadline::scaled;

/// Name of the canary in the directory of a check.
pub const CANARY: &str = "canary";

/// How long a process may take to end.
const GRACE: Duration = Duration::from_secs(2);

impl Lab<'_> {
    /// What the guard looks at in a check.
    #[must_use]
    pub fn watched(&self) -> GuardSettings {
        GuardSettings {
            tag: self.tag.clone(),
            canary: self.dir.join(CANARY),
            state_root: self.driver.root.clone(),
            extra_sysctls: Vec::new(),
            grace: scaled(GRACE).min(self.settings.timeout),
        }
    }

    /// The host as it is now, to be compared with what it is after one step of a scenario. Containers of the scenario may
    /// live meanwhile: only what appears, goes or changes is told. That a process has ended is not.
    ///
    /// # Errors
    /// [`Stop::Error`] when something cannot be read.
    pub fn watch(&self) -> StepResult<Watch> {
        Guard::before(self.watched()).map(Watch).map_err(Stop::error("look at the host"))
    }
}

/// The host before one step of a scenario.
#[derive(Debug)]
pub struct Watch(Guard);

impl Watch {
    /// What differs now, after the step that is called `what`; but for descriptors, which a scenario opens itself.
    ///
    /// # Errors
    /// [`Stop::Error`] when something cannot be read.
    pub fn differences(&self, what: &str) -> StepResult<Vec<Finding>> {
        let found = self.0.after().map_err(Stop::error("look at the host"))?;
        let named = |finding: Finding| Finding { what: format!("after {what}: {}", finding.what), ..finding };
        Ok(found.into_iter().filter(|finding| finding.what != DESCRIPTORS).map(named).collect())
    }
}
