//! A call that was started and is waited for later.

use std::path::Path;

use super::Driver;
use crate::runtime::judgement::{Outcome, StepResult};
use crate::runtime::profile::{Op, Values};
use crate::system::process::{Capture, KEPT, Running, null};

/// A call that is under way.
pub(crate) struct Pending {
    op: Op,
    pub(crate) running: Running,
    command: String,
    stdout: Capture,
    stderr: Capture,
}

impl Driver<'_> {
    /// Begins a call with nothing on standard input; hand it to [`Driver::end`].
    ///
    /// # Errors
    /// As [`Driver::call`], but for the deadline.
    pub(crate) fn begin(&self, op: Op, values: &Values, dir: &Path) -> StepResult<Pending> {
        let ((stdout, out), (stderr, err)) = (Capture::pipe(KEPT)?, Capture::pipe(KEPT)?);
        let (running, command) = self.start(op, values, dir, vec![null()?, out, err])?;
        Ok(Pending { op, running, command, stdout, stderr })
    }

    /// Waits for the end of a call, from now on until its deadline.
    ///
    /// # Errors
    /// As [`Driver::call`].
    pub(crate) fn end(&self, mut call: Pending) -> StepResult<Outcome> {
        let finished = call.running.finish(&mut [&mut call.stdout, &mut call.stderr], self.deadline())?;
        self.settle(call.op, call.command, &finished, call.stdout.text(), call.stderr.text())
    }
}
