//! The id of a run. It names the process that owns the run, so that anyone can find out whether it is alive.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;

use nix::unistd::Pid;

use crate::system::proc::stat::Stat;

/// What every such name begins with.
pub(crate) const PREFIX: &str = "plimsoll-";

/// Inode of the first pid namespace, in which every process has a number. `PROC_PID_INIT_INO` of the kernel.
pub(crate) const INITIAL: u32 = 0xefff_fffc;

/// The owner of a run. As text `pid-start-namespace` in hexadecimal; every name that the run makes on the host contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    pid: i32,
    start: u64,
    /// The pid namespace of the owner, by its inode less [`INITIAL`]: short, since names end in paths of sockets. Earlier
    /// versions did not tell it.
    namespace: Option<u32>,
}

/// Inode of the pid namespace of this process.
pub(crate) fn own_pid_namespace() -> io::Result<u32> {
    let inode = std::fs::metadata("/proc/self/ns/pid")?.ino();
    u32::try_from(inode).map_err(io::Error::other)
}

/// The text is no id of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a run: {0:?}")]
pub struct NoRunId(String);

impl RunId {
    /// The id of a run that this process owns.
    ///
    /// # Errors
    /// When `/proc` does not show this process.
    pub fn of_self() -> io::Result<Self> {
        let pid = nix::unistd::getpid();
        let stat = Stat::of(pid)?.ok_or_else(|| io::Error::other("/proc does not show this process"))?;
        let namespace = Some(own_pid_namespace()?.wrapping_sub(INITIAL));
        Ok(Self { pid: pid.as_raw(), start: stat.start, namespace })
    }

    /// The owner, by its number in its pid namespace.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Inode of the owner's pid namespace, if the name contains it.
    pub(crate) fn namespace(&self) -> Option<u32> {
        self.namespace.map(|short| short.wrapping_add(INITIAL))
    }

    /// Whether the owner was started at this time, in ticks since the start of the kernel.
    pub(crate) fn started_at(&self, start: u64) -> bool {
        self.start == start
    }

    /// Whether the owner still runs. It must be asked in the pid namespace of the owner.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn is_alive(&self) -> io::Result<bool> {
        let stat = Stat::of(Pid::from_raw(self.pid))?;
        Ok(stat.is_some_and(|stat| stat.start == self.start && !stat.has_ended()))
    }

    /// The name of the run's directory in the directory for temporary files, and of its control groups.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{PREFIX}{self}")
    }

    /// The name of a control group that the run makes beside that of [`Self::name`].
    #[must_use]
    pub fn group(&self, word: &str) -> String {
        format!("{PREFIX}p{self}-0n-{word}")
    }

    /// The run that a name as [`Self::name`] gives belongs to, or that of a control group which a check makes beside those.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix(PREFIX)?;
        name.parse().ok().or_else(|| Self::of_group(name))
    }

    /// Such a group has the tag of its check, `pRUN-NUMBERn`, and a word.
    fn of_group(name: &str) -> Option<Self> {
        let (tag, _word) = name.strip_prefix('p')?.split_once("n-")?;
        let (run, number) = tag.rsplit_once('-')?;
        number.parse::<u32>().ok()?;
        run.parse().ok()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.pid, self.start)?;
        self.namespace.map_or(Ok(()), |namespace| write!(f, "-{namespace:x}"))
    }
}

impl FromStr for RunId {
    type Err = NoRunId;

    fn from_str(text: &str) -> Result<Self, NoRunId> {
        let parsed = || {
            let mut parts = text.split('-');
            let (pid, start) = (parts.next()?, parts.next()?);
            let (pid, start) = (i32::from_str_radix(pid, 16).ok()?, u64::from_str_radix(start, 16).ok()?);
            let namespace = parts.next().map(|part| u32::from_str_radix(part, 16)).transpose().ok()?;
            Some(Self { pid, start, namespace })
        };
        // Signs and leading zeros are of another origin: only what we write ourselves is ours to clean up.
        parsed().filter(|id| id.to_string() == text && id.pid > 0).ok_or_else(|| NoRunId(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_id_are_one() {
        let id = RunId { pid: 0x1a2b, start: 0xffee, namespace: Some(0) };
        assert_eq!((id.to_string().as_str(), id.name().as_str()), ("1a2b-ffee-0", "plimsoll-1a2b-ffee-0"));
        assert_eq!(("1a2b-ffee-0".parse(), id.namespace()), (Ok(id), Some(INITIAL)));
        assert_eq!(RunId::of_name("plimsoll-1a2b-ffee-0"), Some(id));
        assert_eq!(RunId::of_name("plimsoll-p1a2b-ffee-0-17n-pod"), Some(id));
        assert_eq!(RunId::of_name(&id.group("look")), Some(id));
        let elsewhere = RunId { namespace: Some(0x4d), ..id };
        assert_eq!("1a2b-ffee-4d".parse(), Ok(elsewhere));
        assert_eq!(elsewhere.namespace(), Some(0xf000_0049));
    }

    #[test]
    fn names_of_earlier_versions_tell_no_namespace() {
        let id = RunId { pid: 0x1a2b, start: 0xffee, namespace: None };
        assert_eq!(RunId::of_name("plimsoll-1a2b-ffee"), Some(id));
        assert_eq!(RunId::of_name("plimsoll-p1a2b-ffee-17n-pod"), Some(id));
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for name in ["plimsoll-", "plimsoll-1a2b", "plimsoll-x-1", "plimsoll-1a-2-3-4", "1a2b-ffee", "plimsoll--1-2"] {
            assert_eq!(RunId::of_name(name), None, "{name}");
        }
        for name in ["plimsoll-p1a-2-3-4n", "plimsoll-p1a-2-n-pod", "plimsoll-p1a-pod", "plimsoll-1a-2-3n-pod"] {
            assert_eq!(RunId::of_name(name), None, "{name}");
        }
        for name in ["plimsoll-0-1", "plimsoll-01-1", "plimsoll-+1-1", "plimsoll-1A-1", "plimsoll-fffffffff-1"] {
            assert_eq!(RunId::of_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_owner_lives_until_it_has_ended() {
        assert!(RunId::of_self().unwrap().is_alive().unwrap());
        let me = RunId::of_self().unwrap();
        assert!(!RunId { start: me.start + 1, ..me }.is_alive().unwrap());
        let mut child = std::process::Command::new("/bin/cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = child.id().cast_signed();
        let id = RunId { pid, start: Stat::of(Pid::from_raw(pid)).unwrap().unwrap().start, ..me };
        assert!(id.is_alive().unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!id.is_alive().unwrap());
    }
}
