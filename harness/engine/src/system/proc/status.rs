//! `/proc/PID/status`: identity, capabilities, signals and more. See proc_pid_status(5).

use std::collections::BTreeMap;
use std::io;

use plimsoll_fixtures::probe::Capabilities;
use serde::Serialize;

use super::files::malformed;

/// What `/proc/PID/status` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Real, effective, saved and filesystem user.
    pub uids: [u32; 4],
    /// Real, effective, saved and filesystem group.
    pub gids: [u32; 4],
    /// Supplementary groups, sorted.
    pub groups: Vec<u32>,
    /// Capability sets.
    pub capabilities: Capabilities,
    /// Whether exec can no longer give privileges.
    pub no_new_privs: bool,
    /// 0 off, 1 strict, 2 filter; `None` on a kernel without seccomp.
    pub seccomp: Option<u32>,
    /// File mode creation mask.
    pub umask: u32,
    /// Process id in each pid namespace, ours first, its own last.
    pub nspid: Vec<i32>,
    /// Process id of the parent, as we see it.
    pub ppid: i32,
    /// Number of threads.
    pub threads: u32,
    /// Processors, as in `0-1,4`.
    pub cpus_allowed: String,
    /// Memory nodes, as in `0-1,4`; `None` on a kernel without cpusets.
    pub mems_allowed: Option<String>,
    /// Blocked signals: bit `n - 1` for signal `n`.
    pub blocked: u64,
    /// Ignored signals, likewise.
    pub ignored: u64,
}

impl Status {
    /// Parses the file.
    ///
    /// # Errors
    /// When a line that each kernel since 5.0 has is missing or has another form.
    pub fn parse(text: &str) -> io::Result<Self> {
        let lines = Lines::of(text);
        let mut groups: Vec<u32> = lines.list("Groups")?;
        groups.sort_unstable();
        Ok(Self {
            uids: lines.ids("Uid")?,
            gids: lines.ids("Gid")?,
            groups,
            capabilities: Capabilities {
                effective: lines.mask("CapEff")?,
                permitted: lines.mask("CapPrm")?,
                inheritable: lines.mask("CapInh")?,
                bounding: lines.mask("CapBnd")?,
                ambient: lines.mask("CapAmb")?,
            },
            no_new_privs: lines.number::<u32>("NoNewPrivs")? != 0,
            seccomp: lines.if_there("Seccomp").map(|_| lines.number("Seccomp")).transpose()?,
            umask: u32::from_str_radix(lines.text("Umask")?, 8).map_err(malformed)?,
            nspid: lines.list("NSpid")?,
            ppid: lines.number("PPid")?,
            threads: lines.number("Threads")?,
            cpus_allowed: lines.text("Cpus_allowed_list")?.to_owned(),
            mems_allowed: lines.if_there("Mems_allowed_list").map(str::to_owned),
            blocked: lines.mask("SigBlk")?,
            ignored: lines.mask("SigIgn")?,
        })
    }
}

/// The lines of the file by name.
struct Lines<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self(text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect())
    }

    fn if_there(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn text(&self, name: &str) -> io::Result<&'a str> {
        self.if_there(name).ok_or_else(|| malformed(format!("status without {name}")))
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> io::Result<T> {
        let text = self.text(name)?;
        text.parse().map_err(|_| malformed(format!("{name}: {text}")))
    }

    fn list<T: std::str::FromStr>(&self, name: &str) -> io::Result<Vec<T>> {
        let text = self.text(name)?;
        let numbers: Result<_, _> = text.split_whitespace().map(str::parse).collect();
        numbers.map_err(|_| malformed(format!("{name}: {text}")))
    }

    fn ids(&self, name: &str) -> io::Result<[u32; 4]> {
        self.list(name)?.try_into().map_err(|ids| malformed(format!("{name}: {ids:?}")))
    }

    fn mask(&self, name: &str) -> io::Result<u64> {
        let text = self.text(name)?;
        u64::from_str_radix(text, 16).map_err(|_| malformed(format!("{name}: {text}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_6_18: &str = "\
Name:\ta\\nb: c
Umask:\t0027
State:\tS (sleeping)
Tgid:\t7405
Pid:\t7405
PPid:\t7396
Uid:\t1000\t1001\t1002\t1003
Gid:\t0\t0\t0\t0
FDSize:\t256
Groups:\t20 4 1000\x20
NSpid:\t7405\t12\t1
VmPeak:\t    3060 kB
Threads:\t3
SigBlk:\t0000000000010000
SigIgn:\t0000000000001000
SigCgt:\t0000000000000000
CapInh:\t0000000000000000
CapPrm:\t000001fffeffffff
CapEff:\t00000000a80425fb
CapBnd:\t000001ffffffffff
CapAmb:\t0000000000000400
NoNewPrivs:\t1
Seccomp:\t2
Seccomp_filters:\t1
Cpus_allowed:\t3
Cpus_allowed_list:\t0-1
Mems_allowed:\t00000000,00000001
Mems_allowed_list:\t0
";

    #[test]
    fn a_status_of_a_recent_kernel_is_read() {
        let status = Status::parse(OF_6_18).unwrap();
        assert_eq!(status.uids, [1000, 1001, 1002, 1003]);
        assert_eq!(status.groups, [4, 20, 1000]);
        assert_eq!(status.capabilities.effective, 0xa804_25fb);
        assert_eq!(status.capabilities.ambient, 0x400);
        assert!(status.no_new_privs);
        assert_eq!((status.seccomp, status.umask, status.ppid, status.threads), (Some(2), 0o27, 7396, 3));
        assert_eq!(status.nspid, [7405, 12, 1]);
        assert_eq!((status.cpus_allowed.as_str(), status.mems_allowed.as_deref()), ("0-1", Some("0")));
        assert_eq!((status.blocked, status.ignored), (0x1_0000, 0x1000));
    }

    #[test]
    fn what_a_kernel_may_lack_is_none() {
        let text = OF_6_18.replace("Seccomp:\t2\n", "").replace("Mems_allowed_list:\t0\n", "");
        let status = Status::parse(&text).unwrap();
        assert_eq!((status.seccomp, status.mems_allowed), (None, None));
    }

    #[test]
    fn a_missing_or_odd_line_is_an_error_that_names_it() {
        let missing = Status::parse(&OF_6_18.replace("CapAmb", "Cap")).unwrap_err().to_string();
        assert!(missing.contains("CapAmb"), "{missing}");
        let odd = Status::parse(&OF_6_18.replace("1000\t1001", "1000\t-1")).unwrap_err().to_string();
        assert!(odd.contains("Uid"), "{odd}");
    }
}
