//! Running hooks. Specification: `config.md`, POSIX-platform Hooks.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::MemfdFlags;
use rustix::process::{Signal, WaitId, WaitIdOptions, WaitIdStatus};

use crate::config::{Hook, HookKind, Hooks};
use crate::container::State;
use crate::error::{Context, Error, Result};
use crate::sync::{Channel, Message};
use crate::sys::{self, CloneArgs, ClonedAs};

/// Runs the hooks of one kind in order, in the namespaces of this process, until one fails. A hook that says nothing of its
/// environment gets that of this process.
///
/// # Errors
/// The first failure: the hook cannot be executed, ends in another way than with 0, or takes too long.
pub fn run_all(hooks: &Hooks, kind: HookKind, state: &State) -> Result<()> {
    run_until_one_fails(hooks, kind, state, None)
}

/// As [`run_all`], for those that run where the program will: a hook that says nothing of its environment gets `env`.
///
/// # Errors
/// As [`run_all`].
pub fn run_inside(hooks: &Hooks, kind: HookKind, state: &State, env: &[String]) -> Result<()> {
    run_until_one_fails(hooks, kind, state, Some(env))
}

fn run_until_one_fails(hooks: &Hooks, kind: HookKind, state: &State, env: Option<&[String]>) -> Result<()> {
    for (index, hook) in hooks.of(kind).iter().enumerate() {
        run(hook, state, env).doing(|| format!("hook {}[{index}] `{}`", kind.name(), hook.path.display()))?;
    }
    Ok(())
}

/// Runs every hook of one kind in order, and returns what went wrong.
pub fn run_each(hooks: &Hooks, kind: HookKind, state: &State) -> Vec<Error> {
    let failed =
        |hook: &Hook| run(hook, state, None).doing(|| format!("hook {} `{}`", kind.name(), hook.path.display())).err();
    hooks.of(kind).iter().filter_map(failed).collect()
}

fn run(hook: &Hook, state: &State, env: Option<&[String]>) -> Result<()> {
    let (pid, pidfd) = spawn(hook, state, env)?;
    let ended = wait(pidfd.as_fd(), hook.timeout).doing(|| format!("process {pid}"))?;
    match (ended.exit_status(), ended.terminating_signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Error::new(format!("it exited with {code}"))),
        (None, signal) => Err(Error::new(format!("it was ended by signal {}", signal.unwrap_or_default()))),
    }
}

/// Starts the hook with just the state as standard input, and the standard output and error of this process.
fn spawn(hook: &Hook, state: &State, env: Option<&[String]>) -> Result<(i32, OwnedFd)> {
    let stdin = stdin(state)?;
    let program = c_string(hook.path.as_os_str().as_bytes())?;
    let args = if hook.args.is_empty() { vec![program.clone()] } else { c_strings(&hook.args)? };
    let env = match hook.env.as_deref().or(env) {
        Some(env) => c_strings(env)?,
        None => std::env::vars_os()
            .map(|(name, value)| c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
            .collect::<Result<_>>()?,
    };
    let (ours, theirs) = Channel::pair()?;
    match sys::clone3(CloneArgs::default()).doing(|| "clone a process for it".into())? {
        ClonedAs::Child => {
            drop(ours);
            let failed = become_hook(&stdin, &program, &args, &env);
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

fn become_hook(stdin: &OwnedFd, program: &CStr, args: &[CString], env: &[CString]) -> io::Error {
    let prepared = rustix::stdio::dup2_stdin(stdin).map_err(io::Error::from).and_then(|()| {
        sys::unblock_all_signals()?;
        sys::close_range(3)
    });
    if let Err(error) = prepared {
        return error;
    }
    sys::default_signals([libc::SIGPIPE]);
    sys::execve(program, args, env)
}

/// The state as a file in memory: a hook that does not read it holds up nobody.
fn stdin(state: &State) -> Result<OwnedFd> {
    let writing = || "write the state for it".to_owned();
    let file = rustix::fs::memfd_create("state", MemfdFlags::CLOEXEC).doing(writing)?;
    let text = serde_json::to_vec(state).doing(writing)?;
    rustix::io::write(&file, &text).doing(writing)?;
    rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0)).doing(writing)?;
    Ok(file)
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
