//! Questions to the probe.

use plimsoll_fixtures::probe::Ask;

use super::Describe;

/// As what a person would say that was tried.
impl Describe for Ask {
    fn describe(&self) -> String {
        match self {
            Self::Read(path) => format!("reading {path}"),
            Self::Write { path, .. } => format!("writing {path}"),
            Self::Stat(path) => format!("stat of {path}"),
            Self::Lstat(path) => format!("lstat of {path}"),
            Self::Readlink(path) => format!("where {path} leads"),
            Self::List(path) => format!("names in {path}"),
            Self::Statfs(path) => format!("statfs of {path}"),
            Self::Open { path, flags } => format!("opening {path}{}", access(*flags)),
            Self::Chmod { path, mode } => format!("chmod {mode:o} {path}"),
            Self::Mkdir(path) => format!("mkdir {path}"),
            Self::MountProc => "mounting proc in namespaces of its own".to_owned(),
            Self::Mknod { path, kind, major, minor } => format!("mknod {path} {kind} {major} {minor}"),
            Self::Run(words) => format!("running {}", words.join(" ")),
            Self::TouchByRead(path) => format!("access time of {path} after a read"),
            Self::Fds => "open descriptors".to_owned(),
            Self::Environ => "environment".to_owned(),
            Self::Args => "arguments".to_owned(),
            Self::Cwd => "working directory".to_owned(),
            Self::Ids => "user and groups".to_owned(),
            Self::Umask => "umask".to_owned(),
            Self::Capabilities => "capabilities".to_owned(),
            Self::Rlimits => "resource limits".to_owned(),
            Self::NoNewPrivileges => "no_new_privs".to_owned(),
            Self::Seccomp => "seccomp mode".to_owned(),
            Self::Syscall { number, .. } => format!("system call {number}"),
            Self::Uname => "host and domain name".to_owned(),
            Self::Namespaces => "namespaces".to_owned(),
            Self::Mountinfo => "mounts".to_owned(),
            Self::Fork(processes) => format!("making {processes} processes"),
            Self::Allocate(size) => format!("using {size} MiB of memory"),
            Self::HugePages(pages) => format!("using {pages} huge pages"),
            Self::Spin(time) => format!("using {time} ms of processor time"),
            Self::Direct { path, write, .. } => format!("direct {} of {path}", if *write { "writes" } else { "reads" }),
            Self::Signals => "blocked and ignored signals".to_owned(),
            Self::Terminal => "terminal".to_owned(),
            Self::Interfaces => "network interfaces".to_owned(),
            Self::Personality => "personality".to_owned(),
            Self::Session => "session and process group".to_owned(),
            Self::CaughtSignal => "last signal".to_owned(),
            Self::TimesCaught(signal) => format!("number of times that signal {signal} came"),
            Self::Watch => "other processes".to_owned(),
            Self::Exit(code) => format!("exit with {code}"),
        }
    }
}

fn access(flags: i32) -> &'static str {
    match flags & libc::O_ACCMODE {
        libc::O_RDONLY => " for reading",
        libc::O_WRONLY => " for writing",
        _ => " for reading and writing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_reads_as_a_person_would_say_it() {
        let open = Ask::Open { path: "/dev/full".into(), flags: libc::O_RDWR };
        assert_eq!(open.describe(), "opening /dev/full for reading and writing");
        assert_eq!(Ask::Run(vec!["/m/program".into(), "x".into()]).describe(), "running /m/program x");
    }
}
