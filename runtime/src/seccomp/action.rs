//! Actions as the values that a filter returns.

use crate::config::Action;

// `SECCOMP_RET_…` of linux/seccomp.h.
pub(super) const KILL_PROCESS: u32 = 0x8000_0000;
const KILL_THREAD: u32 = 0;
const TRAP: u32 = 0x0003_0000;
const ERRNO: u32 = 0x0005_0000;
const NOTIFY: u32 = 0x7fc0_0000;
const TRACE: u32 = 0x7ff0_0000;
const LOG: u32 = 0x7ffc_0000;
pub(super) const ALLOW: u32 = 0x7fff_0000;

/// The value for an action; `number` is the errno, or what a tracer is told, and EPERM when it is not given.
pub(super) fn value(action: Action, number: Option<u32>) -> u32 {
    let number = number.unwrap_or(libc::EPERM.unsigned_abs()) & 0xffff;
    match action {
        Action::Kill | Action::KillThread => KILL_THREAD,
        Action::KillProcess => KILL_PROCESS,
        Action::Trap => TRAP,
        Action::Errno => ERRNO | number,
        Action::Trace => TRACE | number,
        Action::Allow => ALLOW,
        Action::Log => LOG,
        Action::Notify => NOTIFY,
    }
}
