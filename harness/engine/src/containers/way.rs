//! The ways in which a container comes to run its program: `create` and `start`, or one call of `run`.

use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::bundle::Bundle;

use crate::containers::channel::Channel;
use crate::containers::console::terminal;
use crate::containers::container::Container;
use crate::containers::lab::Lab;
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::Op;
use crate::system::process::{Capture, KEPT, Running};

/// How a container comes to run its program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// `create`, then `start`.
    #[default]
    Create,
    /// `run`, which returns when the program ends, and has deleted the container then.
    Run,
    /// `run --detach`, which returns when the program has started.
    RunDetached,
}

/// A call of `run` in the foreground that is under way.
#[derive(Debug)]
pub(crate) struct Call {
    running: Running,
    command: String,
}

impl Lab<'_> {
    /// A container of this recipe whose program runs and has spoken.
    ///
    /// # Errors
    /// As [`Lab::create`] and [`Container::started`].
    pub fn running_by(&self, way: Way, recipe: &Recipe) -> StepResult<Container<'_>> {
        let bundle = self.build(recipe)?;
        match way {
            Way::Create => {
                let container = self.create(&bundle)?;
                container.started()?;
                Ok(container)
            }
            Way::Run => self.run_in_the_foreground(&bundle),
            Way::RunDetached => {
                let container = self.try_run_detached(&bundle)?.container()?;
                container.greeted_as_configured()?;
                Ok(container)
            }
        }
    }

    fn run_in_the_foreground(&self, bundle: &Bundle) -> StepResult<Container<'_>> {
        let (mut stderr, err) = Capture::pipe(KEPT)?;
        let (mut channel, fds) = if bundle.config.flag("/process/terminal") {
            let terminal = terminal(None)?;
            let channel = Channel::terminal(terminal.master, self.settings.timeout)?;
            (channel, vec![terminal.slave.try_clone()?, terminal.slave.try_clone()?, terminal.slave])
        } else {
            let (channel, input, output) = Channel::pipes(self.settings.timeout)?;
            (channel, vec![input, output, err])
        };
        let (running, command) = self.driver.start(Op::Run, &self.values(bundle), &self.dir, fds)?;
        let call = Call { running, command };
        let Some(hello) = channel.hello(call.running.pidfd())? else {
            let outcome = call.end(self, &mut channel, &mut stderr)?;
            self.note_refusal(&outcome, bundle);
            outcome.ok()?;
            return Err(Stop::broken("run", "runs the program", format!("it ended silently: {}", outcome.stderr)));
        };
        let container = Container::new(self, bundle.clone(), self.pid_of(bundle)?, channel, stderr)?;
        container.is_in_foreground(call);
        container.confirm_greeting(&hello)?;
        Ok(container)
    }
}

impl Call {
    /// Waits for the end of the call.
    pub(crate) fn end(self, lab: &Lab<'_>, channel: &mut Channel, stderr: &mut Capture) -> StepResult<Outcome> {
        let end = self.running.finish(&mut [channel.answers(), stderr], lab.driver.deadline())?;
        lab.driver.settle(Op::Run, self.command, &end, String::new(), stderr.text())
    }
}
