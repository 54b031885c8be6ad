//! Running hooks. Specification: `config.md`, POSIX-platform Hooks.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{MemfdFlags, SeekFrom};
use rustix::process::{Signal, WaitId, WaitIdOptions, WaitIdStatus};

use crate::config::{Hook, HookKind, Hooks};
use crate::container::State;
use crate::error::{Context, Error, Result};
use crate::log;
use crate::seccomp::Filter;
use crate::sync::{Channel, Message};
use crate::sys::{self, CloneArgs, ClonedAs};

/// Runs the hooks of one kind in order, in the namespaces of this process, until one fails. A hook that says nothing of its
/// environment gets that of this process.
///
/// # Errors
/// The first failure: the hook cannot be executed, ends in another way than with 0, or takes too long.
pub fn run_all(hooks: &Hooks, kind: HookKind, state: &State) -> Result<()> {
    run_inside(hooks, kind, state, HookContext::default())
}

/// As [`run_all`], for those that run where the program will.
///
/// # Errors
/// As [`run_all`].
pub fn run_inside(hooks: &Hooks, kind: HookKind, state: &State, inside: HookContext<'_>) -> Result<()> {
    for (index, hook) in hooks.of(kind).iter().enumerate() {
        run(hook, state, inside).doing(|| format!("hook {}[{index}] `{}`", kind.name(), hook.path.display()))?;
    }
    Ok(())
}

/// What a hook has of the container that it runs in.
#[derive(Debug, Default, Clone, Copy)]
pub struct HookContext<'a> {
    /// The environment of a hook that says nothing of its own.
    pub env: Option<&'a [String]>,
    /// The filter of system calls, unless that is in force already. The hook installs it: who waits for the hook may need calls that
    /// are denied to the program.
    pub filter: Option<&'a Filter>,
}

/// Runs every hook of one kind in order, and returns what went wrong.
pub fn run_each(hooks: &Hooks, kind: HookKind, state: &State) -> Vec<Error> {
    let failed = |hook: &Hook| {
        run(hook, state, HookContext::default())
            .doing(|| format!("hook {} `{}`", kind.name(), hook.path.display()))
            .err()
    };
    hooks.of(kind).iter().filter_map(failed).collect()
}

fn run(hook: &Hook, state: &State, inside: HookContext<'_>) -> Result<()> {
    let streams = Streams::new(state)?;
    let done = spawn(hook, &streams, inside).and_then(|(pid, pidfd)| {
        let ended = wait(pidfd.as_fd(), hook.timeout).doing(|| format!("process {pid}"))?;
        match (ended.exit_status(), ended.terminating_signal()) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => Err(Error::new(format!("it exited with {code}"))),
            (None, signal) => Err(Error::new(format!("it was ended by signal {}", signal.unwrap_or_default()))),
        }
    });
    if done.is_ok() {
        log::debug(&format!("hook `{}` has ended{}", hook.path.display(), streams.said()));
    }
    done.map_err(|error| Error::new(format!("{error}{}", streams.said())))
}

/// The standard streams of a hook, files in memory: one that does not read holds up nobody, nor does a process that a hook leaves
/// behind with one of them open. Its output is for the error, since the standard output and error of this process may be those of the
/// program.
struct Streams {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

/// How much of the end of what a hook said stands in an error.
const TOLD: usize = 1024;

impl Streams {
    fn new(state: &State) -> Result<Self> {
        let make = |name| rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC).doing(|| "make a stream for it".into());
        let streams = Self { stdin: make("state")?, stdout: make("stdout")?, stderr: make("stderr")? };
        let writing = || "write the state for it".to_owned();
        let text = serde_json::to_vec(state).doing(writing)?;
        rustix::io::write(&streams.stdin, &text).doing(writing)?;
        rustix::fs::seek(&streams.stdin, SeekFrom::Start(0)).doing(writing)?;
        Ok(streams)
    }

    /// Takes the place of the streams of this process.
    fn connect(&self) -> rustix::io::Result<()> {
        rustix::stdio::dup2_stdin(&self.stdin)?;
        rustix::stdio::dup2_stdout(&self.stdout)?;
        rustix::stdio::dup2_stderr(&self.stderr)
    }

    /// The end of what the hook has said, such as `, stderr: "no such device"`.
    fn said(&self) -> String {
        let said = [("stdout", &self.stdout), ("stderr", &self.stderr)].map(|(name, stream)| {
            let text = end_of(stream).unwrap_or_default();
            let text = text.trim();
            if text.is_empty() { String::new() } else { format!(", {name}: {text:?}") }
        });
        said.concat()
    }
}

fn end_of(stream: &OwnedFd) -> rustix::io::Result<String> {
    let length = usize::try_from(rustix::fs::fstat(stream)?.st_size).unwrap_or_default();
    let mut bytes = [0; TOLD];
    let read = rustix::io::pread(stream, &mut bytes, length.saturating_sub(TOLD) as u64)?;
    Ok(String::from_utf8_lossy(&bytes[..read]).into_owned())
}

/// Starts the hook.
fn spawn(hook: &Hook, streams: &Streams, inside: HookContext<'_>) -> Result<(i32, OwnedFd)> {
    let program = c_string(hook.path.as_os_str().as_bytes())?;
    let args = if hook.args.is_empty() { vec![program.clone()] } else { c_strings(&hook.args)? };
    let env = match hook.env.as_deref().or(inside.env) {
        Some(env) => c_strings(env)?,
        None => std::env::vars_os()
            .map(|(name, value)| c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
            .collect::<Result<_>>()?,
    };
    let (ours, theirs) = Channel::pair()?;
    match sys::clone3(CloneArgs::default()).doing(|| "clone a process for it".into())? {
        ClonedAs::Child => {
            drop(ours);
            let failed = become_hook(streams, inside.filter, (&program, &args, &env));
            // When the runtime is gone, nobody is left to be told.
            drop(theirs.send(&Message::Failed(failed.to_string())));
            sys::exit_now(1)
        }
        ClonedAs::Parent { pid, pidfd } => {
            drop(theirs);
            let Some((message, _)) = ours.receive()? else { return Ok((pid, pidfd)) };
            rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)
                .doing(|| "wait for it".into())?;
            match message {
                Message::Failed(cause) => Err(Error::new(format!("execute it: {cause}"))),
                other => Err(Error::new(format!("it said {other:?}"))),
            }
        }
    }
}

fn become_hook(
    streams: &Streams,
    filter: Option<&Filter>,
    (program, args, env): (&CStr, &[CString], &[CString]),
) -> io::Error {
    let prepared = streams.connect().map_err(io::Error::from).and_then(|()| {
        sys::unblock_all_signals()?;
        sys::close_range(3)
    });
    if let Err(error) = prepared {
        return error;
    }
    sys::default_signals([libc::SIGPIPE]);
    match filter.map_or(Ok(()), |filter| filter.install(None)) {
        Ok(()) => sys::execve(program, args, env),
        Err(error) => io::Error::other(error),
    }
}

fn wait(pidfd: BorrowedFd<'_>, timeout: Option<i64>) -> Result<WaitIdStatus> {
    let limit = timeout.map(|seconds| Timespec { tv_sec: seconds, tv_nsec: 0 });
    let mut polled = [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
    let ready = rustix::event::poll(&mut polled, limit.as_ref()).doing(|| "wait for it".into())?;
    if ready == 0 {
        rustix::process::pidfd_send_signal(pidfd, Signal::KILL).doing(|| "abort it".into())?;
    }
    let ended = rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED).doing(|| "wait for it".into())?;
    match (ready, ended) {
        (0, _) => Err(Error::new(format!("it did not end within {} s", timeout.unwrap_or_default()))),
        (_, ended) => ended.ok_or_else(|| Error::new("it has not ended")),
    }
}

fn c_strings(texts: &[String]) -> Result<Vec<CString>> {
    texts.iter().map(|text| c_string(text.as_bytes())).collect()
}

fn c_string(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).doing(|| "convert an argument".into())
}
