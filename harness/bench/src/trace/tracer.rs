//! Follows programs and their descendants through their system calls. See ptrace(2).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};
use plimsoll_engine::process::Ended;
use plimsoll_engine::sys::{exit_now, fork, is_interrupted};
use plimsoll_foreign::read;

use super::steps::{self, OWN_CODE};
use crate::call::Call;
use crate::clock::now;
use crate::sys::{Edge, edge};

/// A stretch of time of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Which task, by the order of their appearance.
    pub task: u32,
    /// Name of the system call; empty between calls.
    pub call: &'static str,
    /// What it was for.
    pub step: &'static str,
    /// Begin.
    pub from: Duration,
    /// End.
    pub to: Duration,
}

#[derive(Debug)]
struct Task {
    number: u32,
    since: Duration,
    within: Option<(&'static str, &'static str)>,
}

/// What is traced, and what was seen.
#[derive(Debug, Default)]
pub struct Tracer {
    tasks: BTreeMap<Pid, Task>,
    appeared: u32,
    executed: BTreeMap<Pid, Duration>,
    peaks: BTreeMap<Pid, u64>,
    /// What was seen, in the order of its end.
    pub events: Vec<Event>,
}

impl Tracer {
    /// Traces nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls a program with these descriptors from number 0 on, and follows it to its end: how and when it began and
    /// ended. At the deadline all is killed.
    ///
    /// # Errors
    /// When the kernel refuses to trace.
    pub fn call(&mut self, call: &Call, fds: &[OwnedFd], deadline: Instant) -> io::Result<(Ended, Duration, Duration)> {
        let (go, gate) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        let root = match fork()? {
            ForkResult::Child => {
                drop(gate);
                exit_now(become_program(call, fds, go));
            }
            ForkResult::Parent { child } => child,
        };
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_TRACEEXIT;
        ptrace::seize(root, options)?;
        ptrace::interrupt(root)?;
        let began = now();
        self.appear(root, began);
        drop(go);
        fs::File::from(gate).write_all(b"!")?;
        let (ended, at) =
            self.follow(deadline, |_, ended| ended.and_then(|(pid, how)| (pid == root).then_some(how)))?;
        Ok((ended.unwrap_or(Ended::Deadline), began, at))
    }

    /// Follows on until a traced process has executed its second program, and says when.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn until_executed(&mut self, pid: Pid, deadline: Instant) -> io::Result<Duration> {
        let (done, _) = self.follow(deadline, |tracer, _| tracer.executed.get(&pid).copied())?;
        done.ok_or_else(|| io::Error::other("the container's program was not executed"))
    }

    /// Lets all go that is still traced.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn release(&mut self) -> io::Result<()> {
        let mut left: BTreeSet<Pid> = self.tasks.keys().copied().collect();
        left.retain(|pid| ptrace::interrupt(*pid).is_ok());
        while let Some(&pid) = left.first() {
            match waitpid(pid, Some(WaitPidFlag::__WALL)) {
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(Errno::ECHILD) => {}
                Ok(_) => match ptrace::detach(pid, None) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(why) => return Err(why.into()),
                },
                Err(why) => return Err(why.into()),
            }
            left.remove(&pid);
            self.tasks.remove(&pid);
        }
        Ok(())
    }

    /// The most memory that each process had since it executed its program, together, in KiB.
    #[must_use]
    pub fn peak_kib(&self) -> u64 {
        let living = self.tasks.keys().filter(|pid| !self.peaks.contains_key(pid)).map(|pid| peak(*pid));
        self.peaks.values().copied().chain(living).sum()
    }

    /// How many processes and threads there were.
    #[must_use]
    pub fn appeared(&self) -> u32 {
        self.appeared
    }

    /// Handles stops until `done` says so, or the deadline. It turns round without rest: a stop lasts microseconds, and
    /// whatever would wake it later would be counted as the runtime's time.
    fn follow<T>(
        &mut self,
        deadline: Instant,
        mut done: impl FnMut(&Self, Option<(Pid, Ended)>) -> Option<T>,
    ) -> io::Result<(Option<T>, Duration)> {
        loop {
            if let Some(found) = done(self, None) {
                return Ok((Some(found), now()));
            }
            if Instant::now() >= deadline || is_interrupted() {
                return Ok((None, now()));
            }
            match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => std::thread::yield_now(),
                Ok(status) => {
                    if let Some(ended) = self.stopped(status)?
                        && let Some(found) = done(self, Some(ended))
                    {
                        return Ok((Some(found), now()));
                    }
                }
                Err(Errno::EINTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }

    /// Takes note of a stop and lets the task go on; or of an end.
    fn stopped(&mut self, status: WaitStatus) -> io::Result<Option<(Pid, Ended)>> {
        let at = now();
        let Some(pid) = status.pid() else { return Ok(None) };
        if let Some(ended) = Ended::of(status) {
            self.close(pid, at);
            self.tasks.remove(&pid);
            return Ok(Some((pid, ended)));
        }
        self.appear(pid, at);
        let mut signal = None;
        match status {
            WaitStatus::PtraceSyscall(_) => self.edge(pid, at),
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => drop(self.executed.insert(pid, at)),
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXIT) => drop(self.peaks.insert(pid, peak(pid))),
            WaitStatus::Stopped(_, sent) => signal = Some(sent),
            _ => {}
        }
        match ptrace::syscall(pid, signal) {
            // Killed while it was stopped: its end is told next.
            Ok(()) | Err(Errno::ESRCH) => Ok(None),
            Err(why) => Err(why.into()),
        }
    }

    fn appear(&mut self, pid: Pid, at: Duration) {
        let appeared = &mut self.appeared;
        self.tasks.entry(pid).or_insert_with(|| {
            *appeared += 1;
            Task { number: *appeared - 1, since: at, within: None }
        });
    }

    /// A system call begins or ends.
    fn edge(&mut self, pid: Pid, at: Duration) {
        let Ok(info) = ptrace::syscall_info(pid) else { return };
        self.close(pid, at);
        if let (Some(task), Edge::Entry(number, arguments)) = (self.tasks.get_mut(&pid), edge(&info)) {
            let name = steps::name(number);
            task.within = Some((name, steps::step(pid, name, &arguments)));
        }
    }

    /// Ends the stretch that a task is in.
    fn close(&mut self, pid: Pid, at: Duration) {
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        let (call, step) = task.within.take().unwrap_or(("", OWN_CODE));
        self.events.push(Event { task: task.number, call, step, from: task.since, to: at });
        task.since = at;
    }
}

/// What a child does: waits until it is traced, and executes. Returns an exit code when it cannot.
fn become_program(call: &Call, fds: &[OwnedFd], go: OwnedFd) -> i32 {
    let ready = fs::File::from(go).read_exact(&mut [0]).is_ok();
    let [stdin, stdout, stderr] = fds else { return 126 };
    let moved = nix::unistd::dup2_stdin(stdin)
        .and_then(|()| nix::unistd::dup2_stdout(stdout))
        .and_then(|()| nix::unistd::dup2_stderr(stderr));
    if !ready || moved.is_err() {
        return 126;
    }
    match nix::unistd::execve(&call.argv()[0], call.argv(), call.env()) {
        Ok(never) => match never {},
        Err(_) => 127,
    }
}

/// `VmHWM` of proc_pid_status(5): executing a program sets it back, so nothing of the parent is in it. Threads have that of
/// their process and count for nothing.
fn peak(pid: Pid) -> u64 {
    let status = read::kernel(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    if value("Tgid:") == u64::try_from(pid.as_raw()).ok() { value("VmHWM:").unwrap_or(0) } else { 0 }
}
