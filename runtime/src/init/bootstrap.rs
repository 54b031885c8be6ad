//! Bootstrap: the process that stands between the runtime and a process that is created where others may look into it.
//!
//! A process can be looked into by those in its pid namespace that have `CAP_SYS_PTRACE` over its user namespace, dumpable or
//! not. So bootstrap, which is in none of the container's pid namespaces, does all that takes something of the host, and
//! lets go of the host: root and directory (with the mount namespace), descriptors, arguments, environment. Then the
//! process is created, as a child of the runtime. It holds its standard streams, the descriptors that were asked for, some of
//! the container, and a socket.
//!
//! That socket can be stolen from it, as its memory can be written. So the runtime takes from it no more than its progress;
//! bootstrap has a socket of its own for what the runtime acts upon. A copy of that one is in the process for a moment: the
//! runtime looks whether the number that it hears is that of a child.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::process::DumpableBehavior;

use super::{Init, Plan, Start, Step, hooks, namespace, procs, program, setup, user};
use crate::config::HookKind;
use crate::container::Lock;
use crate::error::{Context, Result};
use crate::procfs;
use crate::sync::{Channel, Message};
use crate::sys::{self, Alone, CloneArgs, ClonedAs};

/// How a process comes into a container, up to its birth.
const JOIN: &[Step] = &[
    ("prepare bootstrap", setup::prepare),
    ("bind to the initial processors", user::initial_processors),
    ("enter the cgroup", namespace::enter_cgroup),
    ("bind to the final processors", user::final_processors),
    ("join the namespaces", namespace::join_container),
    ("join the session keyring", setup::keyring),
    ("find the root of the container", setup::find_root),
    ("open the terminal", setup::console),
    ("connect the streams", user::streams),
    ("prepare the program", user::prepare),
];

/// The rest, in the process itself.
const JOINED: &[Step] = &[
    ("prepare the process", setup::prepare),
    ("set limits and scheduling", user::limits),
    ("become the user", user::become_user),
    ("get ready", program::wait_for_start),
    ("execute the program", program::execute),
];

/// How a container is made whose processes others see, up to the creation of its init process.
const SHARE: &[Step] = &[
    ("prepare bootstrap", setup::prepare),
    ("enter the cgroup", namespace::enter_cgroup),
    ("make file systems in the pid namespace", procs::make),
    ("open the clocks", namespace::prepare_clocks),
    ("make the runner of the hooks", hooks::make_runner),
    ("join and make namespaces", namespace::enter_at_once),
    ("wait for the maps of the user namespace", namespace::wait_for_maps),
    ("make the other namespaces", namespace::enter),
    ("set the host name", namespace::set_names),
    ("make a session keyring", setup::keyring),
    ("separate the mounts from the host", setup::separate),
    ("attach the root file system", setup::attach_root),
    ("make the mounts", setup::mounts),
    ("join the network namespace", namespace::network),
    ("make the devices", setup::devices),
    ("open the terminal", setup::console),
    ("finish the environment", setup::environment),
    ("run the createContainer hooks", hooks::run),
    ("change the root", setup::change_root),
    ("write the kernel parameters", setup::sysctl),
    ("make paths read-only", setup::read_only),
    ("mask paths", setup::mask),
    ("set the propagation of the root", setup::propagate),
    ("connect the streams", user::streams),
    ("prepare the program", user::prepare),
    ("join the pid namespace", namespace::enter_pid),
];

/// The rest, in the init process.
const SHARED: &[Step] = &[
    ("prepare the init process", setup::prepare),
    ("set limits and scheduling", user::limits),
    ("become the user", user::become_user),
    ("find the program", program::find),
    ("wait for start", program::wait_for_start),
    ("run the startContainer hooks", program::hooks),
    ("execute the program", program::execute),
];

/// `exec`: does what has to be done before the process is created, makes it, tells its number on `announces`, and ends. The
/// process goes on with `channel`.
pub fn bootstrap(plan: &Plan<'_>, channel: Channel, announces: Channel) -> ! {
    Init::new(plan, announces, None).run_in_child(JOIN, channel, JOINED)
}

/// As [`bootstrap`], for the init process of a container that joins a pid namespace.
pub fn bootstrap_shared(plan: &Plan<'_>, channel: Channel, announces: Channel, lock: Option<Lock>) -> ! {
    Init::new(plan, announces, lock).run_in_child(SHARE, channel, SHARED)
}

impl Init<'_> {
    fn run_in_child(mut self, before: &[Step], channel: Channel, after: &[Step]) -> ! {
        let cloned = Alone::check().doing(|| "look for threads".into()).and_then(|alone| {
            self.run(before)?;
            self.forget_the_host(&channel).doing(|| "forget the host".into())?;
            let args = CloneArgs { flags: u64::from(libc::CLONE_PARENT.unsigned_abs()), cgroup: None };
            alone.clone3(args).doing(|| "clone the process".into())
        });
        let said = match cloned {
            Ok(ClonedAs::Child) => {
                drop(std::mem::replace(&mut self.channel, channel));
                self.finish(after)
            }
            Ok(ClonedAs::Parent { pid, .. }) => Message::InitPid(pid),
            Err(error) => Message::Failed(error.to_string()),
        };
        sys::exit_now(i32::from(self.channel.send(&said).is_err()))
    }

    /// Lets go of all that is the host's and was not let go by joining. The plan has no descriptors from here on but the socket
    /// that waits for `start`.
    fn forget_the_host(&self, channel: &Channel) -> Result<()> {
        forget_the_host(self.plan, &self.kept(channel))
    }

    /// What the remaining steps need.
    fn kept<'a>(&'a self, channel: &'a Channel) -> Vec<BorrowedFd<'a>> {
        let mut kept = vec![channel.as_fd(), self.channel.as_fd()];
        kept.extend(self.root.as_ref().map(AsFd::as_fd));
        kept.extend(self.directory.as_ref().map(AsFd::as_fd));
        if let Start::OnConnection(listener) = &self.plan.start {
            kept.push(listener.as_fd());
        }
        kept
    }
}

/// For an init process that is the runtime still when others may look into it: startContainer hooks are programs of the image,
/// and one that waits for `start` may wait for long.
pub(super) fn let_go(init: &mut Init<'_>) -> Result<()> {
    match (init.plan.config.hooks.of(HookKind::StartContainer), &init.plan.start) {
        ([], Start::Now) => Ok(()),
        ([], Start::OnConnection(_)) => close_all_but(init.plan, &init.kept(&init.channel)),
        _ => init.forget_the_host(&init.channel),
    }
}

/// Overwrites arguments and environment, and closes all descriptors but the standard ones, those that the program is to get
/// and `kept`.
pub(super) fn forget_the_host(plan: &Plan<'_>, kept: &[BorrowedFd<'_>]) -> Result<()> {
    let stat = procfs::read(plan.proc.as_fd(), Path::new("self/stat"))?;
    sys::wipe_arguments(&stat).doing(|| "overwrite the arguments".into())?;
    close_all_but(plan, kept)?;
    // A change of user may have made it dumpable. In a user namespace this protects the process all the same, since its
    // memory belongs to the user namespace in which the runtime was executed.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).doing(|| "hide the memory".into())
}

fn close_all_but(plan: &Plan<'_>, kept: &[BorrowedFd<'_>]) -> Result<()> {
    sys::close_all_but(3 + plan.preserve_fds, kept).doing(|| "close the descriptors".into())
}
