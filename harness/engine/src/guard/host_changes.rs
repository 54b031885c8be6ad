//! Changes of the host during a run of several checks at a time: each of these checks runs again alone, on the restored host. A change
//! that does not occur again was made by another program, and is left as it is.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_reports::model::Finding;

use crate::guard::{Change, KernelState};
use crate::system::deadline::scaled;
use crate::system::host_lock::{Delay, HostLock};

/// How long a run waits for the checks of others that cannot wait for ever: it was interrupted, or judges nothing.
const FOR_OTHERS: Duration = Duration::from_secs(10);

/// The state of the kernel that checks are to leave, and what has changed since.
#[derive(Debug)]
pub struct HostChanges {
    expected: Arc<KernelState>,
    /// Undone by this run, and not yet known whose. What another run has undone is not among them.
    undone: Vec<Change>,
    /// Changes that could not be undone; they cannot be attributed any more.
    stuck: Vec<Finding>,
    /// Loop devices that were attached or detached meanwhile. Programs do that all the time, and one that is about to mount a device
    /// must find it.
    loops: Vec<Change>,
    lock: HostLock<'static>,
}

impl HostChanges {
    pub(crate) fn new(expected: &Arc<KernelState>) -> Self {
        Self {
            expected: Arc::clone(expected),
            undone: Vec::new(),
            stuck: Vec::new(),
            loops: Vec::new(),
            lock: HostLock::new(),
        }
    }

    /// The host is expected to stay as it is when the checks of other runs have ended.
    ///
    /// # Errors
    /// When something of it cannot be read.
    pub fn since_now() -> io::Result<Self> {
        let mut host = Self::new(&Arc::default());
        host.wait_for_others()?;
        host.begin()?;
        host.lock.release();
        Ok(host)
    }

    /// The same, from now on.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        self.expected = Arc::new(KernelState::now()?);
        Ok(())
    }

    /// The state to be found after a check.
    pub(crate) fn expected(&self) -> Arc<KernelState> {
        Arc::clone(&self.expected)
    }

    /// What differs at this time.
    pub(crate) fn look(&self) -> io::Result<Vec<Change>> {
        self.expected.changes()
    }

    /// Whose turn it is on this host.
    pub(crate) fn lock(&mut self) -> &mut HostLock<'static> {
        &mut self.lock
    }

    /// Puts the host back, before a check runs by itself. This run has the host alone.
    pub(crate) fn put_back(&mut self) -> io::Result<()> {
        for change in self.look()? {
            self.take_back(change);
        }
        Ok(())
    }

    fn take_back(&mut self, change: Change) {
        if change.is_of_a_loop_device() {
            self.expect(&change);
            self.loops.push(change);
            return;
        }
        let undone = change.undo();
        if undone.is_err() {
            self.expect(&change);
            self.stuck.push(change.finding(&undone));
            return;
        }
        self.undone.retain(|before| !before.is_about_the_same(&change));
        self.undone.push(change);
    }

    fn expect(&mut self, change: &Change) {
        Arc::make_mut(&mut self.expected).accept(change);
    }

    /// What differs for good since the host was last known to be as expected.
    #[must_use]
    pub fn stuck(&self) -> &[Finding] {
        &self.stuck
    }

    /// These came again when a check ran by itself, which has undone them.
    pub(crate) fn blame(&mut self, changes: &[Change]) {
        let same_file = |device: &Change| changes.iter().any(|again| again.attaches_the_file_of(device));
        // One that is gone by itself needs no detaching.
        self.loops.extract_if(.., |device| same_file(device)).for_each(|device| device.undo().unwrap_or_default());
        self.undone.retain(|change| !changes.iter().any(|again| again.is_about_the_same(change)));
    }

    /// No check of this run is under way. Another run that waits to be alone finds the host as it was: that is what it will hold its
    /// checks against.
    pub(crate) fn let_others_in(&mut self) -> io::Result<()> {
        if self.lock.others_wait()? {
            self.put_back()?;
            self.lock.release();
        }
        Ok(())
    }

    /// Puts the host back when no check will run any more that could tell whose doing it was. It waits some time for the checks of
    /// other runs, which may be looking for the same change. Returned are the changes.
    ///
    /// # Errors
    /// When the host cannot be looked at, or its lock cannot be opened.
    pub fn leave(&mut self) -> io::Result<Vec<Change>> {
        if !self.look()?.is_empty() {
            self.wait_for_others()?;
            self.put_back()?;
        }
        Ok(std::mem::take(&mut self.undone))
    }

    fn wait_for_others(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + scaled(FOR_OTHERS);
        let mut delay = Delay::default();
        while !self.lock.have_alone()? && Instant::now() < deadline {
            delay.wait()?;
        }
        Ok(())
    }

    /// No check is left that could have made the changes that were undone. They are how the host is now, unless another run was
    /// seen, whose runtime may have made them. Returned are those, and the loop devices that were attached, each with whether it is
    /// left: the runtime may have done it in one of its calls.
    pub(crate) fn accept(&mut self) -> io::Result<Vec<(Change, bool)>> {
        self.stuck.clear();
        let loops = std::mem::take(&mut self.loops).into_iter().map(|change| (change, true));
        let undone = std::mem::take(&mut self.undone);
        let left = !undone.is_empty() && !self.lock.met_others()?;
        for change in undone.iter().filter(|_| left) {
            change.redo().unwrap_or_default();
            self.expect(change);
        }
        Ok(undone.into_iter().map(|change| (change, left)).chain(loops).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn change(path: &Path, after: &str) -> Change {
        Change::Value { path: path.to_owned(), before: Some("3".into()), after: Some(after.into()) }
    }

    fn changes(undone: Vec<Change>) -> HostChanges {
        HostChanges { undone, ..HostChanges::new(&Arc::default()) }
    }

    #[test]
    fn what_did_not_come_again_is_left_as_it_was_made() {
        let dir = tempfile::tempdir().unwrap();
        let (own, others) = (dir.path().join("own"), dir.path().join("others"));
        for path in [&own, &others] {
            std::fs::write(path, "3").unwrap();
        }
        let mut host = changes(vec![change(&own, "4"), change(&others, "4")]);
        // The runtime made it again, with another value.
        host.blame(&[change(&own, "5")]);
        assert_eq!(host.accept().unwrap(), [(change(&others, "4"), true)]);
        let value = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!((value(&own), value(&others)), ("3".into(), "4".into()));
    }

    #[test]
    fn what_cannot_be_put_back_is_told_until_all_that_may_have_done_it_have_had_their_turn() {
        let gone = Change::Value { path: "/nowhere/setting".into(), before: None, after: Some("1".into()) };
        let mut host = changes(Vec::new());
        host.take_back(gone);
        assert!(host.stuck()[0].observed.contains("cannot be put back"), "{:?}", host.stuck());
        assert!(host.accept().unwrap().is_empty() && host.stuck().is_empty());
    }

    /// Number 4095 is beyond those that a kernel makes by itself.
    #[test]
    fn a_loop_device_stays_until_a_check_attached_the_same_file_again() {
        let device = |number: u32, file: &str| Change::Value {
            path: format!("/sys/block/loop{number}/loop/backing_file").into(),
            before: None,
            after: Some(file.into()),
        };
        let mut host = changes(Vec::new());
        host.take_back(device(4095, "/image"));
        host.take_back(device(4094, "/other"));
        assert!(host.stuck().is_empty() && host.undone.is_empty());
        host.blame(&[device(4093, "/image")]);
        assert_eq!(host.loops, [device(4094, "/other")]);
    }

    /// What was undone here may be the doing of another run's runtime, which has undone it, too, and has ended since.
    #[test]
    fn nothing_is_made_again_where_another_run_was_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("setting");
        std::fs::write(&path, "3").unwrap();
        // Not those of the runs that are on this host at this time.
        let files: &'static [std::path::PathBuf; 2] =
            Box::leak(Box::new(["host", "turn"].map(|name| dir.path().join(name))));
        files.iter().for_each(|file| std::fs::write(file, "").unwrap());
        let lock = || HostLock::between(&files[0], &files[1]);
        let mut host = HostChanges { lock: lock(), ..changes(vec![change(&path, "4")]) };
        let mut other = lock();
        assert!(other.have_alone().unwrap() && !host.lock().have_alone().unwrap());
        drop(other);
        assert_eq!(host.accept().unwrap(), [(change(&path, "4"), false)]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "3");
    }

    /// Another run has undone it before this one could.
    #[test]
    fn what_was_not_undone_here_is_not_made_again() {
        let mut host = changes(Vec::new());
        host.put_back().unwrap();
        assert!(host.undone.is_empty());
    }
}
