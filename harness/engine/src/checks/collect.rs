//! Collects the evidence of a rule from a container.

use plimsoll_fixtures::Config;

use super::check::Rule;
use super::need::Need;
use crate::containers::container::Container;
use crate::containers::evidence::Evidence;
use crate::runtime::judgement::StepResult;

impl Rule {
    /// The facts that it judges a configuration by: the host's view only where it needs that.
    ///
    /// # Errors
    /// As [`Container::evidence`].
    pub(crate) fn collect_evidence(&self, container: &Container<'_>, config: &Config) -> StepResult<Evidence> {
        let seen = self.needs.contains(&Need::HostView);
        let outside = if seen { Some(container.observe()?) } else { None };
        let inside = container.answers((self.asks)(config))?;
        let knob_values =
            self.knobs.iter().map(|knob| Ok((*knob, container.knob_value(knob)?))).collect::<StepResult<_>>()?;
        Ok(Evidence { inside, outside, knob_values, bundle: container.bundle.clone() })
    }
}
