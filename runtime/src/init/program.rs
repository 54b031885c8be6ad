//! The end of the init process's work: it waits for `start`, runs the last hooks, and becomes the program.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, ResolveFlags};
use rustix::net::SocketFlags;

use super::user::{self, Moment};
use super::{Init, Start};
use crate::config::{HookKind, Process};
use crate::container::Status;
use crate::error::{Context, Error, Result};
use crate::sync::{Channel, Message};
use crate::{hook, sys};

/// Where programs are looked for when the environment does not say it.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of `/etc/passwd` is read for the home directory: the file is the image's, and may be anything.
const PASSWD_LIMIT: usize = 1 << 20;

/// Says that all is ready, and waits for the record; after `create` also for `start`, and talks to that from then on.
pub(super) fn wait_for_start(init: &mut Init<'_>) -> Result<()> {
    init.channel.send(&Message::Ready)?;
    init.channel.expect_alone(&Message::Recorded)?;
    rustix::process::set_parent_process_death_signal(None).doing(|| "outlive the runtime".into())?;
    let Start::OnConnection(listener) = &init.plan.start else { return Ok(()) };
    let closed = Channel::over(listener.try_clone().doing(|| "copy a descriptor".into())?);
    // `create` waits for the end of file.
    drop(std::mem::replace(&mut init.channel, closed));
    let connection = loop {
        match rustix::net::accept_with(listener, SocketFlags::CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            accepted => break accepted.doing(|| "accept `start`".into())?,
        }
    };
    init.channel = Channel::over(connection);
    Ok(())
}

pub(super) fn hooks(init: &mut Init<'_>) -> Result<()> {
    if init.plan.config.hooks.of(HookKind::StartContainer).is_empty() {
        return Ok(());
    }
    let state = init.plan.state_inside(Status::Created);
    // The environment of this process was the runtime's.
    let env = init.plan.process.map_or(&[][..], |process| &process.env);
    let moment = Moment::of(init.plan);
    if moment == Moment::AheadOfHooks {
        user::filter_ahead_of_hooks(init)?;
    }
    let filter = init.plan.filter.as_ref().filter(|_| moment == Moment::Last);
    let inside = hook::HookContext { env: Some(env), filter };
    hook::run_inside(&init.plan.config.hooks, HookKind::StartContainer, &state, inside)
}

/// Becomes the program; returns only with an error.
pub(super) fn execute(init: &mut Init<'_>) -> Result<()> {
    let process = init.plan.process.ok_or_else(|| Error::new("the configuration has no process"))?;
    let args = strings(process.args.iter().map(String::as_str))?;
    // One that is empty is none, to those who look for their files in it.
    let mut env = strings(environment(process).filter(|entry| *entry != "HOME="))?;
    if variable(process, "HOME").is_none_or(str::is_empty) {
        env.push(c_string(format!("HOME={}", home(init, process.user.uid)).as_bytes())?);
    }
    if init.plan.listen_fds > 0 {
        env.push(c_string(format!("LISTEN_FDS={}", init.plan.listen_fds).as_bytes())?);
        env.push(c_string(format!("LISTEN_PID={}", std::process::id()).as_bytes())?);
    }
    let candidates = candidates(process);
    init.channel.send(&Message::Executing)?;
    sys::default_signals([libc::SIGPIPE]);
    if Moment::of(init.plan) == Moment::Last {
        user::install_filter(init)?;
    }
    search(process, &candidates, |candidate| Some(sys::execve(candidate, &args, &env)))
}

/// The program is looked for when the container is made, as execve(2) will look for it: whoever asked for it should not have
/// to start it to learn that it is missing. A hook that is still to come may make it.
pub(super) fn find(init: &mut Init<'_>) -> Result<()> {
    let Some(process) = init.plan.process else { return Ok(()) };
    if matches!(init.plan.start, Start::Now) || !init.plan.config.hooks.of(HookKind::StartContainer).is_empty() {
        return Ok(());
    }
    search(process, &candidates(process), |candidate| match sys::may_execute(candidate) {
        // Anything else may be the filter's doing, and is left to execve(2).
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR | libc::EACCES)) => Some(error),
        _ => None,
    })
}

/// Tries one candidate after the other, until there is no error.
fn search(
    process: &Process,
    candidates: &[PathBuf],
    mut attempt: impl FnMut(&CStr) -> Option<io::Error>,
) -> Result<()> {
    let mut reason = None;
    for candidate in candidates {
        let Some(error) = attempt(&c_string(candidate.as_os_str().as_bytes())?) else { return Ok(()) };
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) if candidates.len() > 1 => {}
            // A file that may not be executed is remembered, but another directory may have one that may.
            Some(libc::EACCES) if candidates.len() > 1 => reason = Some(error),
            _ => return Err(refusal(&candidate.display().to_string(), &error)),
        }
    }
    let name = &process.args[0];
    Err(match reason {
        Some(error) => refusal(name, &error),
        None => Error::new(format!("`{name}`: executable file not found in $PATH: no such file or directory")),
    })
}

/// Engines read from the words whether the program is missing (exit code 127) or cannot be executed (126), as Go writes them.
fn refusal(name: &str, error: &io::Error) -> Error {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    Error::new(format!("execute `{name}`: {}", text.to_lowercase()))
}

/// The files that a program may be: with a slash its own path, else one in each directory of `PATH`.
fn candidates(process: &Process) -> Vec<PathBuf> {
    let name = Path::new(&process.args[0]);
    if process.args[0].contains('/') {
        return vec![name.into()];
    }
    let path = variable(process, "PATH").unwrap_or(DEFAULT_PATH);
    path.split(':').map(|directory| Path::new(if directory.is_empty() { "." } else { directory }).join(name)).collect()
}

/// The environment in which each variable is once, with its last value: what reads it takes the first, or the last.
fn environment(process: &Process) -> impl Iterator<Item = &str> {
    let mut seen = BTreeSet::new();
    let entries = process.env.iter().rev().map(String::as_str);
    let mut last: Vec<_> = entries.filter(|entry| seen.insert(entry.split('=').next())).collect();
    last.reverse();
    last.into_iter()
}

/// The last value of an environment variable, which is the one that counts.
fn variable<'a>(process: &'a Process, name: &str) -> Option<&'a str> {
    process.env.iter().rev().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
}

/// The home directory of `uid` in the container's `/etc/passwd`, else `/`.
fn home(init: &Init<'_>, uid: u32) -> String {
    let found = || -> Option<String> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        let file: OwnedFd = init.root().ok()?.open_with(Path::new("/etc/passwd"), flags, ResolveFlags::empty()).ok()?;
        let mut text = vec![0; PASSWD_LIMIT.min(usize::try_from(rustix::fs::fstat(&file).ok()?.st_size).ok()?)];
        let length = rustix::io::read(&file, &mut text).ok()?;
        let text = OsStr::from_bytes(&text[..length]).to_string_lossy().into_owned();
        let fields = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        fields
            .filter(|fields| fields.len() >= 6)
            .find(|fields| fields[2].parse() == Ok(uid))
            .map(|fields| fields[5].into())
    };
    found().filter(|home| !home.is_empty()).unwrap_or_else(|| "/".into())
}

fn strings<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<CString>> {
    texts.map(|text| c_string(text.as_bytes())).collect()
}

fn c_string(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).doing(|| "convert an argument".into())
}
