//! `/proc/PID/stat`: the fields that identify a process, and the list of processes. See proc_pid_stat(5).

use std::fs;
use std::io;

use nix::unistd::Pid;
use serde::Serialize;

use super::files::{if_there, malformed, read_text};

/// Who a process is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stat {
    /// Process id.
    pub pid: i32,
    /// Name of the program, at most 15 bytes.
    pub comm: String,
    /// `R`, `S`, `D`, `Z`, …
    pub state: char,
    /// Process id of the parent; 0 when it is outside of our pid namespace.
    pub ppid: i32,
    /// When it started, in clock ticks since boot. With the pid it names a process for good.
    pub start: u64,
}

impl Stat {
    /// Of a process; `None` when there is none of this id.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn of(pid: Pid) -> io::Result<Option<Self>> {
        // The process may end between open and read: that is ESRCH.
        let text = if_there(read_text(format!("/proc/{pid}/stat")))?;
        text.map(|text| Self::parse(&text)).transpose()
    }

    /// Parses the file.
    ///
    /// # Errors
    /// When it is no such file.
    pub fn parse(text: &str) -> io::Result<Self> {
        Self::fields(text).ok_or_else(|| malformed(text.trim()))
    }

    fn fields(text: &str) -> Option<Self> {
        // The name may hold blanks and parentheses, so it ends at the last one.
        let (head, tail) = text.rsplit_once(')')?;
        let (pid, comm) = head.split_once('(')?;
        let mut rest = tail.split_whitespace();
        let state = rest.next()?.chars().next()?;
        let ppid = rest.next()?.parse().ok()?;
        let start = rest.nth(17)?.parse().ok()?;
        Some(Self { pid: pid.trim().parse().ok()?, comm: comm.to_owned(), state, ppid, start })
    }

    /// Whether the process has ended and only waits to be reaped.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// The ids of all processes that `/proc` shows.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn pids() -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        if let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            found.push(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

/// The command line for a reader; the name in brackets when there is none, as for a zombie.
///
/// # Errors
/// When the file cannot be read although the process is there.
pub fn command_line(stat: &Stat) -> io::Result<String> {
    let text = if_there(read_text(format!("/proc/{}/cmdline", stat.pid)))?.unwrap_or_default();
    let words: Vec<&str> = text.split_terminator('\0').collect();
    Ok(if words.is_empty() { format!("[{}]", stat.comm) } else { words.join(" ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_blanks_and_parentheses() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 3130 412 1844 0\n";
        let expected = Stat { pid: 42, comm: "a) b (c".into(), state: 'S', ppid: 7, start: 98765 };
        assert_eq!(Stat::parse(text).unwrap(), expected);
    }

    #[test]
    fn a_cut_line_is_an_error() {
        assert!(Stat::parse("42 (sh) S 7 42").is_err());
        assert!(Stat::parse("").is_err());
    }

    #[test]
    fn this_process_is_listed_and_another_is_not_there() {
        let me = nix::unistd::getpid();
        assert!(pids().unwrap().contains(&me));
        assert_eq!(Stat::of(me).unwrap().unwrap().pid, me.as_raw());
        assert_eq!(Stat::of(Pid::from_raw(i32::MAX)).unwrap(), None);
    }
}
