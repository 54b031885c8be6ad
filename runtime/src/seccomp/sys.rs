//! seccomp(2), and memory that two processes share.
#![expect(unsafe_code, reason = "raw system calls, and a mapping that a fork does not copy")]

use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::AtomicI32;

use rustix::io::{Errno, Result};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

use super::instruction::Instruction;

const SET_MODE_FILTER: libc::c_uint = 1;

/// `SECCOMP_FILTER_FLAG_NEW_LISTENER`.
pub(super) const NEW_LISTENER: u32 = 1 << 3;

/// `struct sock_fprog`.
#[repr(C)]
struct Program {
    length: u16,
    instructions: *const Instruction,
}

/// Installs a program for this thread, from now on. With [`NEW_LISTENER`] the result is the listener, which is closed
/// on exec.
pub(super) fn install(program: &[Instruction], flags: u32) -> Result<Option<OwnedFd>> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::TOOBIG)?;
    let program = Program { length, instructions: program.as_ptr() };
    // SAFETY: the kernel reads `length` instructions, which outlive the call, and checks each of them.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, std::ptr::from_ref(&program)) };
    match libc::c_int::try_from(result) {
        // SAFETY: with this flag the call returns a new descriptor that nobody else owns.
        Ok(listener @ 0..) if flags & NEW_LISTENER != 0 => Ok(Some(unsafe { OwnedFd::from_raw_fd(listener) })),
        Ok(0) => Ok(None),
        // With TSYNC the kernel names a thread that cannot follow instead of an errno.
        Ok(1..) => Err(Errno::SRCH),
        _ => Err(last_errno()),
    }
}

/// Whether the kernel knows the flags: it looks at them before it looks at the program, of which there is none here.
pub(super) fn knows_flags(flags: u32) -> bool {
    let none = std::ptr::null::<Program>();
    // SAFETY: the kernel answers a null pointer with EFAULT and installs nothing.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, none) };
    result == -1 && last_errno() == Errno::FAULT
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

/// Two numbers, both 0, that this process and its later children share. They are never unmapped: a runtime that needs
/// them does so once and lives shortly.
pub(super) fn shared_numbers() -> Result<&'static [AtomicI32; 2]> {
    let size = size_of::<[AtomicI32; 2]>();
    let (rights, kind) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory of this program.
    let mapped = unsafe { mmap_anonymous(std::ptr::null_mut(), size, rights, kind)? };
    // SAFETY: the mapping is aligned to a page, zeroed and never unmapped, and atomics may be shared.
    Ok(unsafe { &*mapped.cast::<[AtomicI32; 2]>() })
}
