//! Circumstances: the same cases are judged again while something around them is different, and nothing that they are about. A
//! circumstance is data, like a case: edits of the base, the state of the caller, the way in which the container comes to be.

use plimsoll_fixtures::Recipe;

use crate::checks::need::Need;
use crate::containers::lab::Lab;
use crate::containers::way::Way;
use crate::runtime::caller::CallerState;
use crate::runtime::judgement::StepResult;

/// The suite as it is: nothing is different.
pub static PLAIN: Circumstance = Circumstance::new("", "the suite as it is");

/// What is different.
#[derive(Clone, Copy, Debug)]
pub struct Circumstance {
    /// Stable name: what follows the `@` in the id of a check.
    pub name: &'static str,
    /// What is different, in one line.
    pub about: &'static str,
    /// What must be there, besides what the check needs.
    pub needs: &'static [Need],
    /// Members of the configuration that it bears on, besides those that it sets: a case that sets one does not hold here.
    pub members: &'static [&'static str],
    /// Rules that look at what it changes, by their ids, `*` at the end for any: their cases do not hold here.
    pub rules: &'static [&'static str],
    /// How the base configuration differs.
    pub edits: fn(&mut Recipe) -> &mut Recipe,
    /// Completes a bundle when all other edits are made.
    pub finish: fn(Recipe) -> Recipe,
    /// In which state the caller is.
    pub caller: CallerState,
    /// An option of `create`, by its name in the profile.
    pub option: Option<&'static str>,
    /// How the container comes to be.
    pub way: Way,
    /// Which of its programs is judged.
    pub program: Program,
    /// Why a runtime may refuse to make the container here. What it makes has to be right.
    pub may_refuse: Option<&'static str>,
    /// Why a broken expectation is only a warning here, whatever the clause says.
    pub advisory: Option<&'static str>,
}

/// A program of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The one that it was made with.
    First,
    /// One that `exec` adds.
    Added,
}

impl Circumstance {
    /// Makes the calls of a lab those of this circumstance.
    ///
    /// # Errors
    /// [`Stop::Skip`](crate::runtime::judgement::Stop::Skip) when its caller cannot execute the runtime.
    pub(crate) fn enter(&self, lab: &Lab<'_>) -> StepResult {
        lab.may_refuse.set(self.may_refuse);
        lab.option.set(self.option);
        lab.called_in(self.caller)
    }

    /// A circumstance that differs in nothing yet.
    #[must_use]
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            needs: &[],
            members: &[],
            rules: &[],
            edits: |recipe| recipe,
            finish: |recipe| recipe,
            caller: CallerState::Clean,
            option: None,
            way: Way::Create,
            program: Program::First,
            may_refuse: None,
            advisory: None,
        }
    }

    /// Where a runtime may refuse, for this reason.
    #[must_use]
    pub const fn may_refuse(mut self, why: &'static str) -> Self {
        self.may_refuse = Some(why);
        self
    }

    /// With these needs.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// Bearing on these members of the configuration.
    #[must_use]
    pub const fn members(mut self, members: &'static [&'static str]) -> Self {
        self.members = members;
        self
    }

    /// Without the cases of these rules.
    #[must_use]
    pub const fn without(mut self, rules: &'static [&'static str]) -> Self {
        self.rules = rules;
        self
    }

    /// With another base, whose bundles are completed by `finish`.
    #[must_use]
    pub const fn base(mut self, edits: fn(&mut Recipe) -> &mut Recipe, finish: fn(Recipe) -> Recipe) -> Self {
        (self.edits, self.finish) = (edits, finish);
        self
    }

    /// With a caller in this state.
    #[must_use]
    pub const fn caller(mut self, caller: CallerState) -> Self {
        self.caller = caller;
        self
    }

    /// With an option of `create`.
    #[must_use]
    pub const fn option(mut self, option: &'static str) -> Self {
        self.option = Some(option);
        self
    }

    /// By an operation that the specification does not have, which is why a breach is a warning.
    #[must_use]
    pub const fn by(mut self, way: Way, program: Program, advisory: &'static str) -> Self {
        (self.way, self.program, self.advisory) = (way, program, Some(advisory));
        self
    }
}
