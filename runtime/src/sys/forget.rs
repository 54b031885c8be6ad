//! What a process forgets before others may look into it: descriptors, arguments, environment, freed memory.

use std::alloc::{GlobalAlloc, Layout};
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use super::checked;

/// Closes every descriptor from `first` on but those that are kept. For a process that ends by execve(2) or `_exit`: what
/// owned them must not be used, nor dropped, any more.
///
/// # Errors
/// As close_range(2).
pub fn close_all_but(first: u32, kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut kept: Vec<u32> = kept.iter().map(|fd| fd.as_raw_fd().unsigned_abs()).collect();
    kept.sort_unstable();
    let mut next = first;
    for fd in kept.into_iter().filter(|fd| *fd >= first) {
        if next < fd {
            close(next, fd - 1)?;
        }
        next = fd + 1;
    }
    close(next, u32::MAX)
}

fn close(first: u32, last: u32) -> io::Result<()> {
    // SAFETY: touches no memory. The owners of the descriptors are never used again, as the caller promises.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(drop)
}

/// Overwrites the arguments and the environment that this process was executed with. `stat` is its `/proc/PID/stat`,
/// whose fields 48 to 51 tell where they are. proc_pid_stat(5).
///
/// # Errors
/// When these fields are missing.
pub fn wipe_arguments(stat: &str) -> io::Result<()> {
    // The name, in parentheses, may hold anything. The field after it is the third.
    let fields: Vec<_> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace().collect();
    let field = |number: usize| -> io::Result<usize> {
        let text = fields.get(number - 3).ok_or_else(|| io::Error::other("no such field"))?;
        text.parse().map_err(io::Error::other)
    };
    for area in [field(48)?..field(49)?, field(50)?..field(51)?] {
        wipe(area);
    }
    Ok(())
}

fn wipe(area: Range<usize>) {
    for address in area {
        // SAFETY: the kernel put the strings there, above the stack, and they stay writable. Pointers to them, as
        // `environ` has, lead to empty strings then. Nobody holds a reference: the standard library copies.
        unsafe { std::ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(0) };
    }
}

static SCRUBS: AtomicBool = AtomicBool::new(false);

/// From now on freed memory is overwritten, where [`Scrubbing`] is the allocator.
pub fn scrub_freed_memory() {
    SCRUBS.store(true, Ordering::Relaxed);
}

/// An allocator that can overwrite what is freed, so that a process that others look into holds no more than it still uses.
#[derive(Debug)]
pub struct Scrubbing<A>(pub A);

// SAFETY: hands everything on to an allocator; memory is written only while it is the caller's to give back.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Scrubbing<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if SCRUBS.load(Ordering::Relaxed) {
            // SAFETY: the caller gives back `layout.size()` bytes.
            unsafe { memory.write_bytes(0, layout.size()) };
            // The compiler must not take it for a write that nobody reads.
            std::hint::black_box(memory);
        }
        // SAFETY: as the caller promises.
        unsafe { self.0.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !SCRUBS.load(Ordering::Relaxed) {
            // SAFETY: as the caller promises.
            return unsafe { self.0.realloc(memory, layout, size) };
        }
        // SAFETY: `size` is not 0 and does not overflow with this alignment, as the caller promises.
        let new = unsafe { self.0.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both are as large as that, and apart from each other.
            unsafe { new.copy_from_nonoverlapping(memory, layout.size().min(size)) };
            // SAFETY: as the caller promises.
            unsafe { self.dealloc(memory, layout) };
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_memory_is_overwritten() {
        /// Keeps what it is given back, so that it can be looked at.
        struct Keeping;
        // SAFETY: memory of the system that is never given back.
        unsafe impl GlobalAlloc for Keeping {
            unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
                // SAFETY: as the caller promises.
                unsafe { std::alloc::System.alloc(layout) }
            }
            unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
        }
        scrub_freed_memory();
        let layout = Layout::from_size_align(16, 1).unwrap();
        // SAFETY: the memory is 16 bytes large, 32 after the reallocation, and never unmapped.
        unsafe {
            let old = Scrubbing(Keeping).alloc(layout);
            old.write_bytes(7, 16);
            let new = Scrubbing(Keeping).realloc(old, layout, 32);
            assert_eq!(std::slice::from_raw_parts(new, 16), [7; 16]);
            assert_eq!(std::slice::from_raw_parts(old, 16), [0; 16]);
        }
    }
}
