//! A block device for limits: a loop device on a file of the check, or one of null_blk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use nix::fcntl::{Flock, FlockArg};
use plimsoll_foreign::read;

use crate::containers::lab::Lab;
use crate::runtime::judgement::{StepResult, Stop};
use crate::system::sys;

/// How large it is, in bytes.
const SIZE: u64 = 4 << 20;

/// A loop device may be taken by somebody else between the answer that it is free and the attempt to take it.
const TRIES: usize = 8;

/// A block device that can be read; it is given back when this is dropped.
#[derive(Debug)]
pub struct Disk {
    /// Its numbers.
    pub numbers: (u32, u32),
    /// Its directory in sysfs.
    sys: PathBuf,
    /// The scheduler that it had before.
    scheduler: Option<String>,
    /// Its lock keeps other checks from it: there is one of null_blk for all, and a scheduler that goes forgets the weights.
    _open: Flock<File>,
}

impl Lab<'_> {
    /// A block device of this check.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the kernel has none to give.
    pub fn disk(&self) -> StepResult<Disk> {
        let looped = self.loop_device();
        let found = looped.or_else(|why| Disk::named("nullb0").map_err(|_| why));
        found.map_err(|why| Stop::Skip(format!("no block device ({why}): load the module loop or null_blk")))
    }

    fn loop_device(&self) -> io::Result<Disk> {
        let control = OpenOptions::new().read(true).write(true).open("/dev/loop-control")?;
        let path = self.dir.join("disk");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        file.set_len(SIZE)?;
        let mut last = io::Error::other("no loop device is free");
        for _ in 0..TRIES {
            let name = format!("loop{}", sys::loop_get_free(control.as_fd())?);
            let device = OpenOptions::new().read(true).write(true).open(format!("/dev/{name}"))?;
            match sys::loop_configure(device.as_fd(), file.as_fd()) {
                Ok(()) => return Disk::of(&name, device),
                Err(why) => last = why,
            }
        }
        Err(last)
    }
}

impl Disk {
    fn named(name: &str) -> io::Result<Self> {
        Self::of(name, File::open(format!("/dev/{name}"))?)
    }

    fn of(name: &str, open: File) -> io::Result<Self> {
        let sys = PathBuf::from("/sys/block").join(name);
        let text = read::kernel(sys.join("dev"))?;
        let numbers = text.trim().split_once(':').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let numbers = numbers.ok_or_else(|| io::Error::other(format!("{}: {text}", sys.display())))?;
        let locked = Flock::lock(open, FlockArg::LockExclusive).map_err(|(_, why)| io::Error::from(why))?;
        Ok(Self { numbers, sys, scheduler: None, _open: locked })
    }

    /// Lets this scheduler see to it.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the kernel does not have it.
    pub fn schedule(&mut self, name: &str) -> StepResult {
        let file = self.sys.join("queue/scheduler");
        let before = read::kernel(&file)?;
        // The active one is in brackets.
        let own = before.split(['[', ']']).nth(1).map(str::to_owned);
        fs::write(&file, name)
            .map_err(|why| Stop::Skip(format!("no scheduler {name} for block devices ({why}): load its module")))?;
        self.scheduler = own;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(scheduler) = &self.scheduler {
            // A device that is about to vanish has nothing to restore.
            fs::write(self.sys.join("queue/scheduler"), scheduler).ok();
        }
    }
}
