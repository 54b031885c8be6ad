//! Where the time goes: the runtime and all its processes are traced with ptrace(2) through `create` and `start` up to the container's
//! program. The system calls are grouped into steps.

pub mod steps;
mod timeline;
pub mod tracer;

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use plimsoll_engine::process::{Ended, null};
use plimsoll_engine::profile::Op;
use plimsoll_foreign::read;
use plimsoll_reports::model::bench::Trace;

use crate::phases::Turn;
use crate::site::Site;
use crate::subject::Subject;
use crate::watch::Watch;
use tracer::Tracer;

/// Traces a subject through `create` and `start`, or through `run` where it has nothing else.
///
/// # Errors
/// When it cannot be traced, or fails while it is; nothing of the container is left.
pub fn trace(subject: &Subject, site: &Site, watch: &mut Watch) -> io::Result<Vec<Trace>> {
    watch.forget()?;
    let mut tracer = Tracer::new();
    let traced = if subject.floor { alone(&mut tracer, subject, site) } else { both(&mut tracer, subject, site) };
    tracer.release()?;
    let named = read::text(&site.pid_file, read::NUMBER).ok().and_then(|text| text.trim().parse().ok());
    if let Some(pid) = named.filter(|pid| *pid > 1 && !subject.floor) {
        match kill(Pid::from_raw(pid), Signal::SIGKILL) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(why) => return Err(why.into()),
        }
    }
    Turn { subject, site, watch: &mut *watch }.remove()?;
    watch.forget()?;
    traced
}

fn alone(tracer: &mut Tracer, subject: &Subject, site: &Site) -> io::Result<Vec<Trace>> {
    let (from, to) = call(tracer, subject, site, Op::Run, null()?)?;
    Ok(vec![timeline::tell(tracer, subject, "run", from, to)])
}

fn both(tracer: &mut Tracer, subject: &Subject, site: &Site) -> io::Result<Vec<Trace>> {
    // Kept open to the end: a program that writes to a pipe without a reader dies.
    let (_read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let (from, to) = call(tracer, subject, site, Op::Create, write)?;
    let create = timeline::tell(tracer, subject, "create", from, to);
    let pid = read::text(&site.pid_file, read::NUMBER)?.trim().parse().map_err(io::Error::other)?;
    let (from, to) = call(tracer, subject, site, Op::Start, null()?)?;
    let executed = tracer.until_executed(Pid::from_raw(pid), Instant::now() + subject.settings.timeout)?;
    Ok(vec![create, timeline::tell(tracer, subject, "start", from, to.max(executed))])
}

/// Calls an operation under the tracer: when it was called, and when it ended.
fn call(tracer: &mut Tracer, subject: &Subject, site: &Site, op: Op, out: OwnedFd) -> io::Result<(Duration, Duration)> {
    let none = || io::Error::other(format!("{} has no {op}", subject.name));
    let call = subject.call(op, site, |values| values)?.ok_or_else(none)?;
    let fds = [null()?, out, null()?];
    let (ended, from, to) = tracer.call(&call, &fds, Instant::now() + subject.settings.timeout)?;
    match ended {
        Ended::Exit(0) => Ok((from, to)),
        other => Err(io::Error::other(format!("{} under the tracer, {op}: {other}", subject.name))),
    }
}
