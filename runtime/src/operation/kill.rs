//! `kill`: a signal for the container's process.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::process::PidfdFlags;

use crate::config::NamespaceKind;
use crate::container::{Container, Status};
use crate::error::{Context, Error, Result};
use crate::number::plain;
use crate::sys;

/// Signals by name, without `SIG`; real-time ones follow as `RTMIN`, `RTMIN+1` … `RTMAX`.
const SIGNALS: [(&str, i32); 33] = [
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("IOT", libc::SIGIOT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("STKFLT", libc::SIGSTKFLT),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("POLL", libc::SIGPOLL),
    ("PWR", libc::SIGPWR),
    ("SYS", libc::SIGSYS),
];

/// Sends `signal` to the container's process, or to all of its processes.
///
/// # Errors
/// When the signal is unknown, the container is neither created nor running, or the process is gone.
pub fn kill(root: &Path, id: &str, signal: &str, all: bool) -> Result<()> {
    let number = parse(signal)?;
    let container = Container::find(root, id)?;
    if all {
        return kill_all(&container, number);
    }
    let status = container.status();
    let pidfd = match status {
        Status::Created | Status::Running | Status::Paused => container.pidfd()?,
        Status::Creating | Status::Stopped => None,
    };
    let pidfd = pidfd.ok_or_else(|| Error::new(format!("container `{id}` is not running but {}", status.name())))?;
    if number == libc::SIGKILL && !container.config()?.linux.makes(NamespaceKind::Pid) {
        // Nothing ends its other processes when the first one ends.
        let cgroup = container.cgroup()?.filter(|cgroup| cgroup.is_own());
        cgroup.map_or(Ok(()), |cgroup| cgroup.kill())?;
    }
    match sys::pidfd_send_signal(pidfd.as_fd(), number) {
        // It died with the others.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) && number == libc::SIGKILL => {}
        sent => sent.doing(|| format!("send the signal {signal}"))?,
    }
    if number == libc::SIGKILL && status == Status::Paused {
        // On version 1 a frozen process does not die.
        container.cgroup()?.map_or(Ok(()), |cgroup| cgroup.thaw())?;
    }
    Ok(())
}

fn kill_all(container: &Container, number: i32) -> Result<()> {
    let Some(cgroup) = container.cgroup()? else {
        return Err(Error::new(format!("container `{}` is not running", container.directory.id)));
    };
    let processes = cgroup.processes()?;
    if number == libc::SIGKILL {
        return cgroup.kill();
    }
    for pid in processes {
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            // It ended after it was listed.
            Err(rustix::io::Errno::SRCH) => {}
            pidfd => {
                let pidfd = pidfd.doing(|| format!("open process {pid:?}"))?;
                match sys::pidfd_send_signal(pidfd.as_fd(), number) {
                    Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                    sent => sent.doing(|| format!("send the signal to process {pid:?}"))?,
                }
            }
        }
    }
    Ok(())
}

/// The number of a signal that is given by number or name, with or without `SIG`, in any case. 0 is sent to nobody: it asks whether
/// there is somebody who could get one. kill(2).
///
/// # Errors
/// When there is no such signal.
pub fn parse(signal: &str) -> Result<i32> {
    let unknown = || Error::new(format!("`{signal}` is no signal"));
    let last = libc::SIGRTMAX();
    if let Some(number) = plain::<i32>(signal) {
        return if (0..=last).contains(&number) { Ok(number) } else { Err(unknown()) };
    }
    let name = signal.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    if let Some((_, number)) = SIGNALS.iter().find(|(known, _)| *known == name) {
        return Ok(*number);
    }
    let offset =
        |rest: &str| if rest.is_empty() { Some(0) } else { plain::<i32>(rest.strip_prefix('+').unwrap_or(rest)) };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => offset(rest).map(|offset| libc::SIGRTMIN() + offset),
        (_, Some(rest)) => offset(rest).map(|offset| last + offset),
        (None, None) => None,
    };
    number.filter(|number| (libc::SIGRTMIN()..=last).contains(number)).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn signals_have_names_and_numbers() {
        for (signal, number) in
            [("9", 9), ("0", 0), ("KILL", 9), ("SIGKILL", 9), ("sigterm", 15), ("SIGRTMIN+1", 35), ("RTMAX", 64)]
        {
            assert_eq!(parse(signal).unwrap(), number, "{signal}");
        }
        for signal in ["", "65", "-9", "SIG", "NONE", "RTMIN-1", "RTMAX+1", "+9", "09", " 9", "RTMIN++1"] {
            assert!(parse(signal).is_err(), "{signal}");
        }
    }
}
