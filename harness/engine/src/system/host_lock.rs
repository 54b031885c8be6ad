//! A lock for the host. Checks of several runs share it; a run that restores the host takes it exclusively, so that no other run loses
//! track of what its own runtime changed, or attributes the restored state to it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::system::descriptors::wait_readable;

/// All runs on this host lock these files, which every kernel has and root alone can open: nobody else may stop a run.
const HOST: &str = "/proc/sys/kernel/usermodehelper/bset";
/// Held by the run that wants the host alone until it has it. Others start nothing more, so it waits for what is under way.
const TURN: &str = "/proc/sys/kernel/usermodehelper/inheritable";

/// What a run holds of the host.
#[derive(Debug)]
pub(crate) struct HostLock<'p> {
    host: &'p Path,
    turn: &'p Path,
    held: Option<Held>,
    /// Held while this run waits to be alone.
    waits: Option<Flock<File>>,
    /// Whether another run was seen.
    others: bool,
}

/// It is given back when it is dropped.
#[derive(Debug)]
enum Held {
    /// With other runs.
    Shared(#[expect(dead_code, reason = "held")] Flock<File>),
    Alone(#[expect(dead_code, reason = "held")] Flock<File>),
}

impl HostLock<'static> {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::between(Path::new(HOST), Path::new(TURN))
    }
}

impl<'p> HostLock<'p> {
    pub(crate) fn between(host: &'p Path, turn: &'p Path) -> Self {
        Self { host, turn, held: None, waits: None, others: false }
    }

    /// Whether this run may start a check beside those of other runs. Not while another has the host alone, or waits for that.
    pub(crate) fn share(&mut self) -> io::Result<bool> {
        if matches!(self.held, Some(Held::Alone(_))) {
            return Ok(true);
        }
        let turn = lock(self.turn, FlockArg::LockSharedNonblock)?;
        if turn.is_some() && self.held.is_none() {
            self.held = lock(self.host, FlockArg::LockSharedNonblock)?.map(Held::Shared);
        }
        let shares = turn.is_some() && self.held.is_some();
        self.others |= !shares;
        Ok(shares)
    }

    /// Whether another run waits for what this one holds.
    pub(crate) fn others_wait(&mut self) -> io::Result<bool> {
        let waits =
            self.held.is_some() && self.waits.is_none() && lock(self.turn, FlockArg::LockSharedNonblock)?.is_none();
        self.others |= waits;
        Ok(waits)
    }

    /// Whether other runs were on this host since this one began, as far as it met them.
    pub(crate) fn met_others(&mut self) -> io::Result<bool> {
        self.others |= self.waits.is_none() && lock(self.turn, FlockArg::LockExclusiveNonblock)?.is_none();
        Ok(self.others)
    }

    /// Whether this run has the host alone. It asks again until it has: others end their checks meanwhile, and start none. Where
    /// another waits already, it keeps what it holds.
    pub(crate) fn have_alone(&mut self) -> io::Result<bool> {
        if matches!(self.held, Some(Held::Alone(_))) {
            return Ok(true);
        }
        if self.waits.is_none() {
            self.waits = lock(self.turn, FlockArg::LockExclusiveNonblock)?;
        }
        if self.waits.is_some() {
            self.held = None;
            self.held = lock(self.host, FlockArg::LockExclusiveNonblock)?.map(Held::Alone);
        }
        if self.held.is_some() {
            self.waits = None;
        }
        let alone = matches!(self.held, Some(Held::Alone(_)));
        self.others |= !alone;
        Ok(alone)
    }

    /// This run has no check under way: others may have their turn.
    pub(crate) fn release(&mut self) {
        (self.held, self.waits) = (None, None);
    }
}

/// Two questions whether it is this run's turn are this far apart.
const MOMENT: Duration = Duration::from_millis(20);
/// A longer wait is reported to the user.
const LONG: Duration = Duration::from_secs(2);

/// The time in which it is the turn of other runs.
#[derive(Debug, Default)]
pub(crate) struct Delay {
    since: Option<Instant>,
    told: bool,
}

impl Delay {
    /// Waits a moment. Says once that it has been long.
    pub(crate) fn wait(&mut self) -> io::Result<bool> {
        let since = *self.since.get_or_insert_with(Instant::now);
        wait_readable::<OwnedFd>(&[], Instant::now() + MOMENT)?;
        let is_news = !self.told && since.elapsed() > LONG;
        self.told |= is_news;
        Ok(is_news)
    }
}

/// The lock, unless somebody holds one that excludes it.
fn lock(path: &Path, how: FlockArg) -> io::Result<Option<Flock<File>>> {
    match Flock::lock(File::open(path)?, how) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, why)) => Err(why.into()),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// Directories to lock, which no other test has.
    struct Place(TempDir, TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap())
        }

        fn run(&self) -> HostLock<'_> {
            HostLock::between(self.0.path(), self.1.path())
        }
    }

    #[test]
    fn checks_of_two_runs_go_on_beside_each_other() {
        let place = Place::new();
        let (mut one, mut other) = (place.run(), place.run());
        assert!(one.share().unwrap() && other.share().unwrap() && one.share().unwrap());
    }

    #[test]
    fn nobody_shares_a_host_that_another_has_alone() {
        let place = Place::new();
        let (mut one, mut other) = (place.run(), place.run());
        assert!(one.have_alone().unwrap() && one.share().unwrap());
        assert!(!other.share().unwrap() && !other.have_alone().unwrap());
        one.release();
        assert!(other.have_alone().unwrap());
    }

    #[test]
    fn who_waits_is_next_and_others_start_nothing_more() {
        let place = Place::new();
        let (mut waiting, mut other) = (place.run(), place.run());
        assert!(other.share().unwrap());
        assert!(!waiting.have_alone().unwrap());
        assert!(!other.share().unwrap());
        other.release();
        assert!(!other.share().unwrap());
        assert!(waiting.have_alone().unwrap());
        waiting.release();
        assert!(other.share().unwrap());
    }

    #[test]
    fn two_that_shared_get_it_alone_one_after_the_other() {
        let place = Place::new();
        let (mut one, mut other) = (place.run(), place.run());
        assert!(one.share().unwrap() && other.share().unwrap());
        assert!(!one.have_alone().unwrap());
        assert!(!other.have_alone().unwrap() && other.others_wait().unwrap());
        other.release();
        assert!(one.have_alone().unwrap());
        one.release();
        assert!(other.have_alone().unwrap());
    }
}
