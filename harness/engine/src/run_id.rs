//! The name of a run: the process that owns it, so that anyone can tell later whether it still lives.

use std::fmt;
use std::io;
use std::str::FromStr;

use nix::unistd::Pid;

use crate::observer::Stat;

/// What every such name begins with.
pub(crate) const PREFIX: &str = "plimsoll-";

/// The owner of a run. As text `pid-start` in hexadecimal; every name that the run makes on the host contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    pid: i32,
    start: u64,
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
        Ok(Self { pid: pid.as_raw(), start: stat.start })
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

    /// The run that a name as [`Self::name`] gives belongs to, or that of a control group which a check makes beside those.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix(PREFIX)?;
        name.parse().ok().or_else(|| Self::of_group(name))
    }

    /// Such a group has the tag of its check, `pRUN-NUMBERn`, and a word.
    fn of_group(name: &str) -> Option<Self> {
        let (pid, rest) = name.strip_prefix('p')?.split_once('-')?;
        let (start, rest) = rest.split_once('-')?;
        let (number, _word) = rest.split_once("n-")?;
        number.parse::<u32>().ok()?;
        format!("{pid}-{start}").parse().ok()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.pid, self.start)
    }
}

impl FromStr for RunId {
    type Err = NoRunId;

    fn from_str(text: &str) -> Result<Self, NoRunId> {
        let parsed = text.split_once('-').and_then(|(pid, start)| {
            let (pid, start) = (i32::from_str_radix(pid, 16).ok()?, u64::from_str_radix(start, 16).ok()?);
            Some(Self { pid, start })
        });
        // Signs and leading zeros are of another origin: only what we write ourselves is ours to clean up.
        parsed.filter(|id| id.to_string() == text && id.pid > 0).ok_or_else(|| NoRunId(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_id_are_one() {
        let id = RunId { pid: 0x1a2b, start: 0xffee };
        assert_eq!((id.to_string().as_str(), id.name().as_str()), ("1a2b-ffee", "plimsoll-1a2b-ffee"));
        assert_eq!("1a2b-ffee".parse(), Ok(id));
        assert_eq!(RunId::of_name("plimsoll-1a2b-ffee"), Some(id));
        assert_eq!(RunId::of_name("plimsoll-p1a2b-ffee-17n-pod"), Some(id));
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for name in ["plimsoll-", "plimsoll-1a2b", "plimsoll-x-1", "plimsoll-1a2b-ffee-3", "1a2b-ffee", "plimsoll--1-2"]
        {
            assert_eq!(RunId::of_name(name), None, "{name}");
        }
        for name in ["plimsoll-p1a-2-3n", "plimsoll-p1a-2-n-pod", "plimsoll-p1a-pod", "plimsoll-1a-2-3n-pod"] {
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
        let id = RunId { pid, start: Stat::of(Pid::from_raw(pid)).unwrap().unwrap().start };
        assert!(id.is_alive().unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!id.is_alive().unwrap());
    }
}
