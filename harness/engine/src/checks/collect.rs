//! What a rule looks at in a container.

use plimsoll_fixtures::Config;

use super::check::Rule;
use super::need::Need;
use crate::containers::container::Container;
use crate::containers::evidence::Evidence;
use crate::runtime::judgement::Told;

impl Rule {
    /// The facts that it judges a configuration by: the host's view only where it needs that.
    ///
    /// # Errors
    /// As [`Container::evidence`].
    pub(crate) fn look_at(&self, container: &Container<'_>, config: &Config) -> Told<Evidence> {
        let seen = self.needs.contains(&Need::HostView);
        let outside = if seen { Some(container.observe()?) } else { None };
        let inside = container.answers((self.asks)(config))?;
        let held = self.looks.iter().map(|knob| Ok((*knob, container.held(knob)?))).collect::<Told<_>>()?;
        Ok(Evidence { inside, outside, held, bundle: container.bundle.clone() })
    }
}
