//! Configurations that must be refused. `create` or `start` may apply process settings, so either may refuse; no program may run and no
//! container may remain.

use plimsoll_fixtures::Recipe;

use crate::containers::lab::Lab;
use crate::runtime::judgement::{Judgement, StepResult, Stop};
use crate::runtime::profile::Op;

impl Lab<'_> {
    /// Expects that `bad` is refused on top of `good`, by `create` or else by `start`, while `good` alone runs: so the
    /// refusal is for what is bad.
    ///
    /// # Errors
    /// [`Stop::Broken`] when `good` does not run, or the runtime goes on with `bad`.
    pub fn refuses(
        &self,
        out: &mut Judgement,
        good: impl Fn(&mut Recipe) -> &mut Recipe,
        bad: impl FnOnce(&mut Recipe) -> &mut Recipe,
    ) -> StepResult {
        self.control(&good)?;
        self.refused(out, |recipe| bad(good(recipe)))
    }

    /// Expects that a configuration is refused, by `create` or else by `start`.
    ///
    /// # Errors
    /// [`Stop::Broken`] when the runtime goes on with it, or leaves a container.
    pub fn refused(&self, out: &mut Judgement, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult {
        let bundle = self.bundle(edits)?;
        let attempt = self.try_create(&bundle)?;
        if !attempt.outcome.succeeded() {
            attempt.outcome.refused()?;
            let state = self.call_id(Op::State, &bundle.id)?;
            out.expect("after the refusal", !state.succeeded(), "no container of this id", state.stdout);
            return Ok(());
        }
        let container = attempt.container()?;
        let started = container.start()?;
        if started.succeeded() {
            if container.greeted().is_ok() {
                let both = "both worked, and the program runs";
                return Err(Stop::broken("create and start", "one of them refuses this configuration", both));
            }
            out.expect_error("create, then start", &started);
            return container.delete_by_force()?.ok();
        }
        started.refused()?;
        out.expect("the program after the refusal", !container.has_spoken(), "has not run", "it has spoken");
        container.delete_by_force()?.ok()
    }
}
