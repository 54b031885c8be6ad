//! How the runtime takes the listener from a process that may no longer make any system call.
//!
//! Once the filter is in place, even sendmsg(2) can be one that it holds up for the listener, which nobody has yet. So
//! the process writes the number of its descriptor into shared memory, the runtime takes it with pidfd_getfd(2), and
//! the process sees in the same memory that it may go on. Both look instead of sleeping: a futex is a system call.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};

use super::sys;
use crate::error::{Context, Result};

const NOTHING_YET: i32 = 0;
const NO_LISTENER: i32 = -1;

/// Memory that the runtime makes before it clones the process.
#[derive(Debug)]
pub struct Handover(&'static [AtomicI32; 2]);

impl Handover {
    /// # Errors
    /// When there is no memory to share.
    pub fn new() -> Result<Self> {
        sys::shared_numbers().map(Self).doing(|| "share memory for the seccomp listener".into())
    }

    /// One above the number of the descriptor, so that 0 is none.
    fn offered(&self) -> &AtomicI32 {
        &self.0[0]
    }

    fn taken(&self) -> &AtomicI32 {
        &self.0[1]
    }

    /// Process: offers the listener and waits, without a system call, until it is taken; or says that there is none.
    pub(super) fn offer(&self, listener: Option<&OwnedFd>) {
        let Some(listener) = listener else { return self.offered().store(NO_LISTENER, Ordering::Release) };
        self.offered().store(listener.as_raw_fd() + 1, Ordering::Release);
        while self.taken().load(Ordering::Acquire) == 0 {
            std::hint::spin_loop();
        }
    }

    /// Runtime: takes the listener from the process, once it has said that it is about to install its filter. Nothing
    /// when the process could not, and says why in its own way, or died.
    ///
    /// # Errors
    /// When the descriptor cannot be taken.
    pub fn receive(&self, process: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
        loop {
            match self.offered().load(Ordering::Acquire) {
                NOTHING_YET if has_ended(process)? => return Ok(None),
                NOTHING_YET => std::thread::yield_now(),
                NO_LISTENER => return Ok(None),
                offered => {
                    let listener = pidfd_getfd(process, offered - 1, PidfdGetfdFlags::empty())
                        .doing(|| "take the seccomp listener from the container's process".into())?;
                    self.taken().store(1, Ordering::Release);
                    return Ok(Some(listener));
                }
            }
        }
    }
}

fn has_ended(process: BorrowedFd<'_>) -> Result<bool> {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut ended = [PollFd::from_borrowed_fd(process, PollFlags::IN)];
    poll(&mut ended, Some(&now)).map(|count| count > 0).doing(|| "look at the container's process".into())
}
