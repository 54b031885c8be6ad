//! A hook that waits while the harness observes: it connects to a socket, and continues when the harness closes the connection.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::containers::container::Container;
use crate::containers::lab::Lab;
use crate::runtime::driver::pending::Pending;
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::Op;
use crate::system::deadline::scaled;
use crate::system::orphans;
use crate::system::process::wait_readable;

/// How long the hook is held up by a runtime that answers nothing meanwhile, as one does that lets each operation on a
/// container wait for the one before.
const AT_MOST: Duration = Duration::from_secs(2);

/// Where a hook and the harness meet.
#[derive(Debug)]
pub struct HookBarrier {
    path: PathBuf,
}

impl Lab<'_> {
    /// A place for a hook to be held up at.
    #[must_use]
    pub fn hook_barrier(&self) -> HookBarrier {
        HookBarrier { path: self.dir.join(format!("m{}", self.next())) }
    }
}

impl HookBarrier {
    /// The option of the hook that comes here.
    #[must_use]
    pub fn option(&self) -> String {
        format!("barrier={}", self.path.display())
    }
}

impl Container<'_> {
    /// The operation `delete`, and, while a hook of it is held up at `barrier`, the operation `state`. What that comes to,
    /// or none when no hook came.
    ///
    /// # Errors
    /// [`Stop::Timeout`] when one of the calls does not end, [`Stop::Broken`] when delete fails.
    pub fn state_within_delete(&self, barrier: &HookBarrier) -> StepResult<Option<Outcome>> {
        // Bound only now: what the runtime takes for a hook of an earlier operation finds nobody.
        let socket = UnixListener::bind(&barrier.path).map_err(Stop::error("bind the socket of a hook"))?;
        socket.set_nonblocking(true)?;
        let delete = self.pending(Op::Delete)?;
        let answer = self.arrived_hook(&socket, &delete)?.map(|hook| self.state_before(hook)).transpose()?;
        self.lab.driver.end(delete)?.ok()?;
        Ok(answer)
    }

    fn pending(&self, op: Op) -> StepResult<Pending> {
        self.lab.driver.begin(op, &self.values(), &self.lab.dir)
    }

    /// The hook that has come before delete was at its end.
    fn arrived_hook(&self, socket: &UnixListener, delete: &Pending) -> StepResult<Option<UnixStream>> {
        let deadline = self.lab.driver.deadline();
        let waited = [std::os::fd::AsFd::as_fd(socket), std::os::fd::AsFd::as_fd(delete.running.pidfd())];
        // A runtime may wait for one of its own that only we can reap.
        while !wait_readable(&waited, deadline.min(Instant::now() + Duration::from_millis(20)))? {
            orphans::reap().map_err(Stop::error("reap what the runtime has left to us"))?;
            if Instant::now() >= deadline {
                break;
            }
        }
        Ok(socket.accept().ok().map(|(hook, _)| hook))
    }

    fn state_before(&self, hook: UnixStream) -> StepResult<Outcome> {
        let state = self.pending(Op::State)?;
        wait_readable(&[state.running.pidfd()], Instant::now() + scaled(AT_MOST))?;
        drop(hook);
        self.lab.driver.end(state)
    }
}
