//! Running hooks. Specification: `config.md`, POSIX-platform Hooks.

use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::MemfdFlags;
use rustix::process::{Pid, PidfdFlags};

use crate::config::{Hook, HookKind, Hooks};
use crate::container::State;
use crate::error::{Context, Error, Result};

/// Runs the hooks of one kind in order, in the namespaces of this process, until one fails.
///
/// # Errors
/// The first failure: the hook cannot be executed, ends in another way than with 0, or takes too long.
pub fn run_all(hooks: &Hooks, kind: HookKind, state: &State) -> Result<()> {
    for (index, hook) in hooks.of(kind).iter().enumerate() {
        run(hook, state).doing(|| format!("hook {}[{index}] `{}`", kind.name(), hook.path.display()))?;
    }
    Ok(())
}

/// Runs every hook of one kind in order, and returns what went wrong.
pub fn run_each(hooks: &Hooks, kind: HookKind, state: &State) -> Vec<Error> {
    let failed =
        |hook: &Hook| run(hook, state).doing(|| format!("hook {} `{}`", kind.name(), hook.path.display())).err();
    hooks.of(kind).iter().filter_map(failed).collect()
}

fn run(hook: &Hook, state: &State) -> Result<()> {
    let mut command = Command::new(&hook.path);
    if let Some((name, args)) = hook.args.split_first() {
        command.arg0(name).args(args);
    }
    if let Some(env) = &hook.env {
        command.env_clear().envs(env.iter().map(|entry| entry.split_once('=').unwrap_or((entry, ""))));
    }
    let mut child = command.stdin(stdin(state)?).spawn().doing(|| "execute it".into())?;
    let ended = wait(&mut child, hook.timeout)?;
    match (ended.success(), ended.signal()) {
        (true, _) => Ok(()),
        (false, Some(signal)) => Err(Error::new(format!("it was ended by signal {signal}"))),
        (false, None) => Err(Error::new(format!("it exited with {}", ended.code().unwrap_or_default()))),
    }
}

/// The state as a file in memory: a hook that does not read it holds up nobody.
fn stdin(state: &State) -> Result<Stdio> {
    let writing = || "write the state for it".to_owned();
    let file: OwnedFd = rustix::fs::memfd_create("state", MemfdFlags::CLOEXEC).doing(writing)?;
    let text = serde_json::to_vec(state).doing(writing)?;
    rustix::io::write(&file, &text).doing(writing)?;
    rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0)).doing(writing)?;
    Ok(file.into())
}

fn wait(child: &mut Child, timeout: Option<i64>) -> Result<ExitStatus> {
    let waiting = || "wait for it".to_owned();
    if let Some(seconds) = timeout {
        let pid =
            i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| Error::new("it has no number"))?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).doing(waiting)?;
        let limit = Timespec { tv_sec: seconds, tv_nsec: 0 };
        let ready = rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)).doing(waiting)?;
        if ready == 0 {
            child.kill().doing(|| "abort it".into())?;
            child.wait().doing(waiting)?;
            return Err(Error::new(format!("it did not end within {seconds} s")));
        }
    }
    child.wait().doing(waiting)
}
