//! Facts from the kernel and the probe.

use std::fmt::Write;

use plimsoll_fixtures::probe::{Capabilities, Reply, Rlimit, Sighting, Stat, Statfs, Terminal};

use super::Describe;
use crate::system::cgroup::Membership;
use crate::system::observer::{Mount, Namespace, Status};
use crate::system::sys::SchedAttr;

/// As mount(8) lists it.
impl Describe for Mount {
    fn describe(&self) -> String {
        let Self { kind, source, point, options, super_options, .. } = self;
        format!("{kind} {source} on {point} ({}; {})", options.join(","), super_options.join(","))
    }
}

impl Describe for Namespace {
    fn describe(&self) -> String {
        format!("namespace {}", self.inode)
    }
}

/// As a line of `/proc/PID/cgroup`.
impl Describe for Membership {
    fn describe(&self) -> String {
        format!("{}:{}", self.controllers.join(","), self.path)
    }
}

/// The lines of `/proc/PID/status` that decide what a process may do.
impl Describe for Status {
    fn describe(&self) -> String {
        let Self { uids, gids, groups, umask, .. } = self;
        format!("uids {}, gids {}, groups {}, umask {umask:04o}", uids.describe(), gids.describe(), groups.describe())
    }
}

impl Describe for SchedAttr {
    fn describe(&self) -> String {
        let Self { policy, flags, nice, priority, runtime, deadline, period, .. } = self;
        format!(
            "policy {policy}, flags {flags:#x}, nice {nice}, priority {priority}, runtime {runtime}, deadline {deadline}, period {period}"
        )
    }
}

/// As `ls -l` begins.
impl Describe for Stat {
    fn describe(&self) -> String {
        let Self { kind, mode, uid, gid, size, major, minor, .. } = self;
        let mut text = format!("{kind}, mode {mode:04o}, owner {uid}:{gid}");
        let more = match kind.as_str() {
            "char" | "block" => format!(", device {major}:{minor}"),
            "file" => format!(", {size} bytes"),
            _ => String::new(),
        };
        text.push_str(&more);
        text
    }
}

impl Describe for Statfs {
    fn describe(&self) -> String {
        format!("filesystem {:#x}, flags {:#x}, {} bytes", self.magic, self.flags, self.size)
    }
}

impl Describe for Rlimit {
    fn describe(&self) -> String {
        let limit = |value: u64| if value == u64::MAX { "unlimited".to_owned() } else { value.to_string() };
        format!("soft {}, hard {}", limit(self.soft), limit(self.hard))
    }
}

impl Describe for Capabilities {
    fn describe(&self) -> String {
        let Self { effective, permitted, inheritable, bounding, ambient } = self;
        format!(
            "effective {effective:#x}, permitted {permitted:#x}, inheritable {inheritable:#x}, bounding {bounding:#x}, ambient {ambient:#x}"
        )
    }
}

impl Describe for Terminal {
    fn describe(&self) -> String {
        let streams: Vec<usize> = (0..3).filter(|&stream| self.tty[stream]).collect();
        let size = self.size.map(|[rows, columns]| format!("{rows} rows, {columns} columns"));
        format!(
            "terminals at descriptors {}; controlling terminal: {}; size {}",
            streams.describe(),
            self.controlling.describe(),
            size.describe()
        )
    }
}

impl Describe for Sighting {
    fn describe(&self) -> String {
        format!("{} is {}", self.what, self.leads_to)
    }
}

impl Describe for Reply {
    fn describe(&self) -> String {
        match self {
            Self::Done => "success".to_owned(),
            Self::Count(number) => number.describe(),
            Self::Text(text) => text.describe(),
            Self::Bytes(bytes) => of_bytes(bytes),
            Self::Names(names) => names.describe(),
            Self::Map(map) => map.describe(),
            Self::Fds(fds) => fds.describe(),
            Self::Stat(stat) => stat.describe(),
            Self::Statfs(statfs) => statfs.describe(),
            Self::Ids(ids) => {
                format!("uids {}, gids {}, groups {}", ids.uids.describe(), ids.gids.describe(), ids.groups.describe())
            }
            Self::Capabilities(capabilities) => capabilities.describe(),
            Self::Rlimits(limits) => limits.describe(),
            Self::Uname(names) => format!("{} {} {}", names.nodename, names.release, names.machine),
            Self::Signals(signals) => {
                format!(
                    "blocked signals {}, ignored signals {}",
                    signals.blocked.describe(),
                    signals.ignored.describe()
                )
            }
            Self::Terminal(terminal) => terminal.describe(),
            Self::Session(session) => {
                format!("pid {}, group {}, session {}", session.pid, session.group, session.session)
            }
            Self::Sightings(sightings) => sightings.describe(),
        }
    }
}

/// How much of the content of a file is shown.
const LONGEST: usize = 200;

fn of_bytes(bytes: &[u8]) -> String {
    let (head, rest) = bytes.split_at(bytes.len().min(LONGEST));
    let mut text = match str::from_utf8(head) {
        Ok("") => return String::new().describe(),
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ if bytes.iter().all(|&byte| byte == 0) => return format!("{} zero bytes", bytes.len()),
        _ => head.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            write!(text, "{byte:02x}").unwrap_or_default();
            text
        }),
    };
    if !rest.is_empty() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use plimsoll_fixtures::probe::Refused;

    use super::*;

    #[test]
    fn the_content_of_a_file_is_text_where_it_is() {
        assert_eq!(Reply::Bytes(b"content".to_vec()).describe(), "content");
        assert_eq!(Reply::Bytes(vec![0; 4096]).describe(), "4096 zero bytes");
        assert_eq!(Reply::Bytes(vec![0, 0xff]).describe(), "00ff");
        assert_eq!(Reply::Bytes(vec![b'x'; 300]).describe().chars().count(), 201);
    }

    #[test]
    fn answers_read_as_the_tools_of_the_field_write_them() {
        let none = Refused { errno: libc::ENOENT, call: "stat".into() };
        let answer: Result<Reply, &Refused> = Err(&none);
        assert_eq!(answer.describe(), "an error: stat: ENOENT: No such file or directory");
        let limit = Rlimit { soft: 1024, hard: u64::MAX };
        assert_eq!(limit.describe(), "soft 1024, hard unlimited");
        assert_eq!(vec![Some("default"), None].describe(), "default, none");
    }
}
