//! A process that answers seccomp notifications while a call of the runtime is in progress.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid};

use super::{Listener, Verdict};
use crate::containers::lab::Lab;
use crate::runtime::judgement::{StepResult, Stop};
use crate::system::descriptors::{receive, wait_readable};
use crate::system::sys;

/// Ends when this is dropped.
#[derive(Debug)]
pub struct Agent<'l> {
    listener: Listener<'l>,
    pid: Pid,
    pidfd: OwnedFd,
}

impl Lab<'_> {
    /// A socket for the listeners of filters, and somebody who lets each call go on that is notified of.
    ///
    /// # Errors
    /// As [`Lab::listener`], or when there can be no further process.
    pub fn agent(&self) -> StepResult<Agent<'_>> {
        let listener = self.listener()?;
        match sys::fork().map_err(Stop::error("make a process for a listener"))? {
            ForkResult::Child => serve(&listener.socket, self.driver.deadline()),
            ForkResult::Parent { child } => Ok(Agent { listener, pid: child, pidfd: sys::pidfd_open(child)? }),
        }
    }
}

impl Agent<'_> {
    /// What to set as `linux.seccomp.listenerPath`.
    #[must_use]
    pub fn path(&self) -> String {
        self.listener.path()
    }
}

/// Takes each listener that comes, and answers all of them. It ends by being killed.
fn serve(socket: &UnixListener, deadline: Instant) -> ! {
    let (mut listeners, mut connections): (Vec<OwnedFd>, Vec<UnixStream>) = (Vec::new(), Vec::new());
    loop {
        let mut waited: Vec<_> = std::iter::once(socket.as_fd())
            .chain(listeners.iter().map(AsFd::as_fd))
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        if poll(&mut waited, PollTimeout::NONE).is_err() {
            continue;
        }
        let is = |at: usize, flags: PollFlags| waited[at].revents().is_some_and(|seen| seen.intersects(flags));
        // Nobody is left who could make a call.
        let gone: Vec<bool> = (1..waited.len()).map(|at| is(at, PollFlags::POLLHUP)).collect();
        let calls: Vec<bool> = (1..waited.len()).map(|at| is(at, PollFlags::POLLIN)).collect();
        let comes = is(0, PollFlags::POLLIN);
        for (listener, _) in listeners.iter().zip(&calls).filter(|(_, calls)| **calls) {
            // Who made the call may have ended meanwhile.
            if let Ok(notified) = super::sys::receive(listener) {
                drop(super::sys::send(listener, notified.id, Verdict::Goes));
            }
        }
        let mut gone = gone.into_iter();
        listeners.retain(|_| gone.next() != Some(true));
        if comes && let Ok((stream, _)) = socket.accept() {
            // The listener comes with the first message. The rest is left unread: who sends it may wait for an answer before it ends.
            let until = deadline.max(Instant::now() + Duration::from_secs(1));
            if wait_readable(&[&stream], until).unwrap_or(false)
                && let Ok((_, fds)) = receive(stream.as_raw_fd())
            {
                listeners.extend(fds);
            }
            connections.push(stream);
        }
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        // It may have been ended already; either way it is our child to reap.
        match (sys::pidfd_signal(self.pidfd.as_fd(), libc::SIGKILL), waitpid(self.pid, None)) {
            (Ok(()) | Err(_), Ok(_) | Err(_)) => {}
        }
    }
}
