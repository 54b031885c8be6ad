//! The two requests of seccomp_unotify(2).
#![expect(unsafe_code, reason = "raw requests; each block says why it is sound")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use super::{Notified, Verdict};

nix::ioctl_readwrite!(notif_recv, b'!', 0, libc::seccomp_notif);
nix::ioctl_readwrite!(notif_send, b'!', 1, libc::seccomp_notif_resp);

/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`
const CONTINUE: u32 = 1;

pub(super) fn receive(descriptor: impl AsFd) -> io::Result<Notified> {
    let data = libc::seccomp_data { nr: 0, arch: 0, instruction_pointer: 0, args: [0; 6] };
    let mut seen = libc::seccomp_notif { id: 0, pid: 0, flags: 0, data };
    // SAFETY: the kernel fills a structure of the size that the request names, which is all integers.
    unsafe { notif_recv(descriptor.as_fd().as_raw_fd(), &raw mut seen) }?;
    let libc::seccomp_notif { id, pid, data, .. } = seen;
    Ok(Notified { id, pid: pid.cast_signed(), number: data.nr.into(), arguments: data.args })
}

pub(super) fn send(descriptor: impl AsFd, id: u64, verdict: Verdict) -> io::Result<()> {
    let (val, error, flags) = match verdict {
        Verdict::Value(value) => (value, 0, 0),
        Verdict::Fails(errno) => (0, -errno, 0),
        Verdict::Goes => (0, 0, CONTINUE),
    };
    let mut answer = libc::seccomp_notif_resp { id, val, error, flags };
    // SAFETY: the kernel reads a structure of the size that the request names, which is all integers.
    unsafe { notif_send(descriptor.as_fd().as_raw_fd(), &raw mut answer) }?;
    Ok(())
}
