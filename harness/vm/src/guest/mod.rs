//! Process 1 of the machine: sets up a host for runtimes, runs the command, and sends back the results.

mod cgroups;
mod command;
mod mounts;
mod port;
mod security;

use std::convert::Infallible;
use std::env;
use std::fs;
use std::io;
use std::path::Path;

use nix::sys::reboot::{RebootMode, reboot};
use plimsoll_engine::host::GUEST;

use crate::job::{DIRECTORY, JOB, Job, MODULES, PROGRAM};
use crate::wire::{LIVE, Message, RESULT, Returned};
use command::Ended;
use plimsoll_foreign::read;
use port::Port;

/// Whether this process is the first one of a machine that was started for it. The kernel hands words of its command
/// line that it does not know to process 1 as variables.
#[must_use]
pub fn is_first_process() -> bool {
    std::process::id() == 1 && env::var_os(GUEST).is_some()
}

/// Does the job, and turns the machine off.
#[expect(clippy::print_stderr, reason = "the console is all that process 1 has")]
pub fn main() -> ! {
    if let Err(why) = work() {
        // The ports may not be there; the console's tail is what the host shows.
        eprintln!("plimsoll: the machine gives up: {why}");
    }
    match turn_off() {
        Ok(never) => match never {},
        // Process 1 must not return: the kernel would panic, and that would look like a fault of its own.
        Err(_) => loop {
            std::thread::park();
        },
    }
}

fn turn_off() -> nix::Result<Infallible> {
    reboot(RebootMode::RB_AUTOBOOT)
}

fn work() -> io::Result<()> {
    mounts::make_root_movable()?;
    mounts::mount_pseudo_filesystems()?;
    let mut result = Port::open(Path::new(RESULT))?;
    let mut live = Port::open(Path::new(LIVE))?;
    let job: Job = serde_json::from_slice(&read::file(Path::new(JOB), read::LOG)?)?;
    if let Err(why) = set_up(&job) {
        return result.send(&Message::Failed(why.to_string()));
    }
    live.send(&Message::Ready)?;
    let ended = command::run(&job, &mut live)?;
    // The ports are independent: without this the end could overtake the last words.
    live.drain()?;
    job.returns.iter().try_for_each(|path| send_back(path, &mut result))?;
    result.send(&match ended {
        Ended::Exit(code) => Message::Exit(code),
        Ended::Signal(signal) => Message::Signal(signal),
    })
}

fn set_up(job: &Job) -> io::Result<()> {
    for name in &job.modules {
        load(name)?;
    }
    fs::remove_dir_all(DIRECTORY)?;
    step("mount the control groups", cgroups::set_up(job.cgroups))?;
    step("bring the loopback interface up", fs::write("/sys/class/net/lo/flags", "9"))?;
    // Else the kernel would kill a runtime for it, and that would be taken for its fault. Limits of cgroups are not meant.
    step("make a lack of memory the end", fs::write("/proc/sys/vm/panic_on_oom", "1"))?;
    nix::unistd::sethostname("plimsoll")?;
    // Last, so that what was set up before is labelled by the policy, too.
    security::enforce(job.lsm)
}

/// Loads a module. One that is there already, or whose device is not, is no obstacle.
fn load(name: &str) -> io::Result<()> {
    let bytes = read::file(&Path::new(MODULES).join(name), read::PROGRAM)?;
    match nix::kmod::init_module(&bytes, c"") {
        Ok(()) | Err(nix::errno::Errno::EEXIST | nix::errno::Errno::ENODEV) => Ok(()),
        Err(why) => step(&format!("load the module {name}"), Err(why.into())),
    }
}

fn step<T>(doing: &str, done: io::Result<T>) -> io::Result<T> {
    done.map_err(|why| io::Error::new(why.kind(), format!("cannot {doing}: {why}")))
}

/// Sends a file, or every regular file of a directory. What the command has not made is not sent.
fn send_back(path: &Path, result: &mut Port) -> io::Result<()> {
    let Ok(meta) = fs::symlink_metadata(path) else { return Ok(()) };
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            send_back(&entry?.path(), result)?;
        }
    } else if meta.is_file() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
        let (path, bytes) = (path.to_owned(), read::file(path, read::PROGRAM)?);
        let is_program = bytes == read::file(Path::new(PROGRAM), read::PROGRAM)?;
        let returned = |path| Returned { path, mode, bytes: Some(bytes) };
        result.send(&if is_program { Message::Program(path) } else { Message::File(returned(path)) })?;
    }
    Ok(())
}
