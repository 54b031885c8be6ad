//! What the kernel and the probe tell.

use std::fmt::Write;

use plimsoll_fixtures::probe::{Capabilities, Reply, Rlimit, Sighting, Stat, Statfs, Terminal};

use super::Shown;
use crate::system::cgroup::Membership;
use crate::system::observer::{Mount, Namespace, Status};
use crate::system::sys::SchedAttr;

/// As mount(8) lists it.
impl Shown for Mount {
    fn shown(&self) -> String {
        let Self { kind, source, point, options, super_options, .. } = self;
        format!("{kind} {source} on {point} ({}; {})", options.join(","), super_options.join(","))
    }
}

impl Shown for Namespace {
    fn shown(&self) -> String {
        format!("namespace {}", self.inode)
    }
}

/// As a line of `/proc/PID/cgroup`.
impl Shown for Membership {
    fn shown(&self) -> String {
        format!("{}:{}", self.controllers.join(","), self.path)
    }
}

/// The lines of `/proc/PID/status` that decide what a process may do.
impl Shown for Status {
    fn shown(&self) -> String {
        let Self { uids, gids, groups, umask, .. } = self;
        format!("uids {}, gids {}, groups {}, umask {umask:04o}", uids.shown(), gids.shown(), groups.shown())
    }
}

impl Shown for SchedAttr {
    fn shown(&self) -> String {
        let Self { policy, flags, nice, priority, runtime, deadline, period, .. } = self;
        format!(
            "policy {policy}, flags {flags:#x}, nice {nice}, priority {priority}, runtime {runtime}, deadline {deadline}, period {period}"
        )
    }
}

/// As `ls -l` begins.
impl Shown for Stat {
    fn shown(&self) -> String {
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

impl Shown for Statfs {
    fn shown(&self) -> String {
        format!("filesystem {:#x}, flags {:#x}, {} bytes", self.magic, self.flags, self.size)
    }
}

impl Shown for Rlimit {
    fn shown(&self) -> String {
        let limit = |value: u64| if value == u64::MAX { "unlimited".to_owned() } else { value.to_string() };
        format!("soft {}, hard {}", limit(self.soft), limit(self.hard))
    }
}

impl Shown for Capabilities {
    fn shown(&self) -> String {
        let Self { effective, permitted, inheritable, bounding, ambient } = self;
        format!(
            "effective {effective:#x}, permitted {permitted:#x}, inheritable {inheritable:#x}, bounding {bounding:#x}, ambient {ambient:#x}"
        )
    }
}

impl Shown for Terminal {
    fn shown(&self) -> String {
        let streams: Vec<usize> = (0..3).filter(|&stream| self.tty[stream]).collect();
        let size = self.size.map(|[rows, columns]| format!("{rows} rows, {columns} columns"));
        format!(
            "terminals at descriptors {}; controlling terminal: {}; size {}",
            streams.shown(),
            self.controlling.shown(),
            size.shown()
        )
    }
}

impl Shown for Sighting {
    fn shown(&self) -> String {
        format!("{} is {}", self.what, self.leads_to)
    }
}

impl Shown for Reply {
    fn shown(&self) -> String {
        match self {
            Self::Done => "success".to_owned(),
            Self::Count(number) => number.shown(),
            Self::Text(text) => text.shown(),
            Self::Bytes(bytes) => of_bytes(bytes),
            Self::Names(names) => names.shown(),
            Self::Map(map) => map.shown(),
            Self::Fds(fds) => fds.shown(),
            Self::Stat(stat) => stat.shown(),
            Self::Statfs(statfs) => statfs.shown(),
            Self::Ids(ids) => {
                format!("uids {}, gids {}, groups {}", ids.uids.shown(), ids.gids.shown(), ids.groups.shown())
            }
            Self::Capabilities(capabilities) => capabilities.shown(),
            Self::Rlimits(limits) => limits.shown(),
            Self::Uname(names) => format!("{} {} {}", names.nodename, names.release, names.machine),
            Self::Signals(signals) => {
                format!("blocked signals {}, ignored signals {}", signals.blocked.shown(), signals.ignored.shown())
            }
            Self::Terminal(terminal) => terminal.shown(),
            Self::Session(session) => {
                format!("pid {}, group {}, session {}", session.pid, session.group, session.session)
            }
            Self::Sightings(sightings) => sightings.shown(),
        }
    }
}

/// How much of the content of a file is shown.
const LONGEST: usize = 200;

fn of_bytes(bytes: &[u8]) -> String {
    let (head, rest) = bytes.split_at(bytes.len().min(LONGEST));
    let mut text = match str::from_utf8(head) {
        Ok("") => return String::new().shown(),
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
        assert_eq!(Reply::Bytes(b"content".to_vec()).shown(), "content");
        assert_eq!(Reply::Bytes(vec![0; 4096]).shown(), "4096 zero bytes");
        assert_eq!(Reply::Bytes(vec![0, 0xff]).shown(), "00ff");
        assert_eq!(Reply::Bytes(vec![b'x'; 300]).shown().chars().count(), 201);
    }

    #[test]
    fn answers_read_as_the_tools_of_the_field_write_them() {
        let none = Refused { errno: libc::ENOENT, call: "stat".into() };
        let answer: Result<Reply, &Refused> = Err(&none);
        assert_eq!(answer.shown(), "an error: stat: ENOENT: No such file or directory");
        let limit = Rlimit { soft: 1024, hard: u64::MAX };
        assert_eq!(limit.shown(), "soft 1024, hard unlimited");
        assert_eq!(vec![Some("default"), None].shown(), "default, none");
    }
}
