//! Collects the evidence of a rule from a container, or from a program that is added to one.

use plimsoll_fixtures::{Config, Edit, Recipe};

use super::check::Rule;
use super::need::Need;
use crate::containers::container::Container;
use crate::containers::evidence::Evidence;
use crate::containers::lab::Lab;
use crate::containers::way::Way;
use crate::runtime::judgement::{Judgement, StepResult};

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

    /// Judges the process of a recipe on a program that `exec` adds to a container of the base configuration, which has the files of
    /// the recipe.
    ///
    /// # Errors
    /// As [`Container::exec`].
    pub fn judge_added(&self, lab: &Lab<'_>, recipe: Recipe, out: &mut Judgement) -> StepResult {
        let config = recipe.config();
        let is_file = |edit: &Edit| edit.path().is_some();
        let files = Recipe { edits: recipe.edits.into_iter().filter(is_file).collect() };
        let container = lab.running_by(Way::Create, &files)?;
        let mut program = container.exec(&config.0["process"])?;
        program.greeted()?;
        let evidence = program.evidence((self.asks)(&config), &container.bundle)?;
        (self.judge)(&config, &evidence, out);
        program.finish()?.ok()?;
        container.finish_and_delete()
    }
}
