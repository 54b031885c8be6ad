//! Scheduling, I/O priority, execution domain, memory policy: calls that libc has no safe wrapper for.

use std::io;

use super::checked;

/// `sched_setattr(2)` on this process.
///
/// # Errors
/// As sched_setattr(2).
pub fn sched_setattr(attr: &libc::sched_attr) -> io::Result<()> {
    // SAFETY: the structure outlives the call and names its own size.
    checked(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const *attr, 0) }).map(drop)
}

/// `ioprio_set(2)` on this process: class and priority in one number.
///
/// # Errors
/// As ioprio_set(2).
pub fn ioprio_set(value: i32) -> io::Result<()> {
    const IOPRIO_WHO_PROCESS: libc::c_int = 1;
    // SAFETY: numbers only.
    checked(unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value) }).map(drop)
}

/// `personality(2)`.
///
/// # Errors
/// As personality(2).
pub fn personality(domain: u64) -> io::Result<()> {
    // SAFETY: a number only.
    checked(unsafe { libc::personality(domain) }.into()).map(drop)
}

/// `set_mempolicy(2)`: `nodes` is a bit mask, lowest node first.
///
/// # Errors
/// As set_mempolicy(2).
pub fn set_mempolicy(mode: i32, nodes: &[u64]) -> io::Result<()> {
    // One more bit than there are: the kernel takes one off before it reads the mask.
    let bits = nodes.len() * 64 + 1;
    let mask = if nodes.is_empty() { std::ptr::null() } else { nodes.as_ptr() };
    let bits = if nodes.is_empty() { 0 } else { bits };
    // SAFETY: the mask has at least `bits - 1` bits and outlives the call.
    checked(unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, mask, bits) }).map(drop)
}
