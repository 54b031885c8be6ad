//! The command line, compatible with runc's, so that containerd, Docker and podman use it unchanged.

mod args;
mod criu;
mod describe;
mod exec;
mod quick;
mod update;

use std::ffi::OsString;
use std::io::Write;

use args::{Arguments, Completions, Delete, Events, Global, Id, Kill, List, Man, Ps, Run, Spec, Verb};

use crate::error::{Context, Result};
use crate::launch::LaunchRequest;
use crate::number::plain;
use crate::{log, operation, protect};

/// The exit code of an operation that failed.
const FAILURE: u8 = 1;

/// Parses the arguments, the first being the name of the program, does what they ask for, and reports.
///
/// Returns the exit code: 0, that of the program for a `run` or `exec` in the foreground, 1 for a failure, 2 for wrong usage.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    // Ahead of all else, the printing of help included: until then others could look into this process.
    if let Err(error) = protect::refuse_in_container() {
        log::error(&error.to_string());
        return FAILURE;
    }
    let arguments = match Arguments::of(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // What cannot be printed has no reader.
            drop(error.print());
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let opened = log::open(arguments.global.log.as_deref(), arguments.global.log_format, arguments.global.debug);
    opened.and_then(|()| dispatch(arguments)).unwrap_or_else(|error| {
        log::error(&error.to_string());
        FAILURE
    })
}

fn dispatch(Arguments { global, verb }: Arguments) -> Result<u8> {
    let root = global.state_root();
    match verb {
        Verb::Create(make) => operation::create::create(&make.launch_request(&global, false))?,
        Verb::Run(Run { make, detach, keep, no_subreaper: _ }) => {
            return operation::run::run(&make.launch_request(&global, detach), keep);
        }
        Verb::Exec(exec) => return exec_in(*exec, &global),
        Verb::Checkpoint(checkpoint) => {
            let (id, options, extent) = checkpoint.split()?;
            operation::checkpoint::checkpoint(&root, &id, &options, &extent)?;
        }
        Verb::Restore(restore) => {
            let (request, options) = restore.split(&global);
            return operation::restore::restore(&request, &options);
        }
        Verb::Start(Id { id }) => operation::start::start(&root, &id, notify().as_deref())?,
        Verb::State(Id { id }) => print(&(operation::state::state(&root, &id)? + "\n"))?,
        Verb::Kill(Kill { id, signal, all }) => operation::kill::kill(&root, &id, &signal, all)?,
        Verb::Delete(Delete { id, force }) => operation::delete::delete(&root, &id, force)?,
        Verb::List(List { format, quiet }) => print(&operation::list::list(&root, format, quiet)?)?,
        Verb::Pause(Id { id }) => operation::pause::pause(&root, &id)?,
        Verb::Resume(Id { id }) => operation::resume::resume(&root, &id)?,
        Verb::Ps(Ps { id, format, options }) => print(&operation::ps::ps(&root, &id, format, &options)?)?,
        Verb::Events(Events { id, stats: true, .. }) => operation::events::stats(&root, &id)?,
        Verb::Events(Events { id, interval, .. }) => operation::events::follow(&root, &id, interval)?,
        Verb::Update(update) => {
            let id = update.id.clone();
            let (resources, schemata) = update.split()?;
            operation::update::update(&root, &id, &resources, &schemata)?;
        }
        Verb::Spec(Spec { bundle, rootless }) => operation::spec::spec(&bundle, rootless)?,
        Verb::Completions(Completions { shell }) => print(&describe::completions(shell))?,
        Verb::Man(Man { dir }) => describe::man(&dir)?,
        Verb::Features => print(&format!("{:#}\n", operation::features::features()))?,
    }
    Ok(0)
}

/// As runc does, a process that could not be started is told from the exit codes of programs by 255.
fn exec_in(exec: args::Exec, global: &Global) -> Result<u8> {
    let ignore_paused = exec.ignore_paused;
    let (request, changes) = exec.split(global);
    operation::exec::exec(&request, &changes, ignore_paused).or_else(|error| {
        log::error(&error.to_string());
        Ok(255)
    })
}

impl args::Make {
    fn launch_request(self, global: &Global, detach: bool) -> LaunchRequest {
        LaunchRequest {
            id: self.id,
            bundle: self.bundle,
            state_root: global.state_root(),
            console_socket: self.console_socket,
            pid_file: self.pid_file,
            pidfd_socket: self.pidfd_socket,
            detach,
            no_pivot: self.no_pivot,
            no_new_keyring: self.no_new_keyring,
            preserve_fds: self.preserve_fds,
            listen_fds: listen_fds(),
            notify: notify(),
            systemd_cgroup: global.systemd_cgroup,
            rootless: global.rootless.holds(),
            cgroups: Vec::new(),
        }
    }
}

/// How many sockets the caller passes on. They are meant for the process that `LISTEN_PID` names, or, where nobody is named, for
/// whoever gets them: some callers cannot know the number. sd_listen_fds(3).
fn listen_fds() -> u32 {
    let number = |name| std::env::var(name).ok().and_then(|value| plain::<u32>(&value));
    let count = number("LISTEN_FDS").unwrap_or(0);
    match std::env::var_os("LISTEN_PID") {
        Some(_) if number("LISTEN_PID") != Some(std::process::id()) => 0,
        // A variable that was only inherited comes without descriptors.
        None if !(3..3_u32.saturating_add(count)).all(is_open) => 0,
        _ => count,
    }
}

fn is_open(fd: u32) -> bool {
    std::fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok()
}

/// The socket of a service manager that waits for the program to be ready. sd_notify(3).
fn notify() -> Option<OsString> {
    std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty())
}

fn print(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).doing(|| "print".into())
}
