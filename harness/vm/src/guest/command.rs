//! Runs the command, forwards its output, and reaps every process of the machine.

use std::io;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use plimsoll_engine::process::{Capture, wait_readable};

use super::cgroups;
use super::port::Port;
use crate::job::{Job, PROGRAM};
use crate::wire::Message;

/// How the command ended.
pub(super) enum Ended {
    /// It exited with this code.
    Exit(i32),
    /// It was ended by this signal.
    Signal(i32),
}

/// How often the machine says that it is alive.
const PULSE: Duration = Duration::from_secs(1);

pub(super) fn run(job: &Job, live: &mut Port) -> io::Result<Ended> {
    let children = watch_children()?;
    let (mut stdout, out) = Capture::pipe(usize::MAX)?;
    let (mut stderr, err) = Capture::pipe(usize::MAX)?;
    let command = Pid::from_raw(i32::try_from(start(job, out.into(), err.into())?).map_err(io::Error::other)?);
    let mut next_pulse = Instant::now() + PULSE;
    loop {
        let mut fds = vec![children.as_fd()];
        fds.extend([&stdout, &stderr].into_iter().filter_map(|capture| capture.fd().map(AsFd::as_fd)));
        wait_readable(&fds, next_pulse)?;
        // First reaped, then read: what it wrote before its end is then in the pipes.
        while children.read_signal()?.is_some() {}
        let ended = reap_all(command)?;
        pass_on(&mut stdout, Message::Stdout, live)?;
        pass_on(&mut stderr, Message::Stderr, live)?;
        if let Some(ended) = ended {
            return Ok(ended);
        }
        if Instant::now() >= next_pulse {
            live.send(&Message::Alive)?;
            next_pulse = Instant::now() + PULSE;
        }
    }
}

/// Becomes readable when a child has ended.
fn watch_children() -> io::Result<SignalFd> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block()?;
    Ok(SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

fn start(job: &Job, stdout: Stdio, stderr: Stdio) -> io::Result<u32> {
    let mut command = Command::new(PROGRAM);
    command.args(&job.arguments).current_dir(&job.directory);
    command.env_clear().envs(job.variables.iter().map(|(name, value)| (name, value)));
    // A child starts in the group of its parent, which then goes back to its own.
    cgroups::enter(job.cgroups, cgroups::COMMAND)?;
    let child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn()?;
    cgroups::enter(job.cgroups, cgroups::INIT)?;
    Ok(child.id())
}

/// Takes the zombies away, whoever left them to process 1; says how the command ended when it was among them.
fn reap_all(command: Pid) -> io::Result<Option<Ended>> {
    let mut ended = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == command => ended = Some(Ended::Exit(code)),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == command => ended = Some(Ended::Signal(signal as i32)),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(ended),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(why) => return Err(why.into()),
        }
    }
}

fn pass_on(capture: &mut Capture, message: fn(Vec<u8>) -> Message, live: &mut Port) -> io::Result<()> {
    capture.drain();
    let bytes = std::mem::take(capture.bytes());
    if bytes.is_empty() { Ok(()) } else { live.send(&message(bytes)) }
}
