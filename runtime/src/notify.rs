//! The readiness of a service that is a container: its program says `READY=1` to a socket of the runtime's, and the service
//! manager hears it from the runtime, which it trusts. sd_notify(3).
//!
//! The manager's own socket does not go into the container: who can write to it can say anything of the service.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Permissions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::config::{Config, Mount};
use crate::container::Directory;
use crate::error::{Context, Result};
use crate::launch::socket_address;
use crate::log;
use crate::sync::send_with_fds;

/// The directory of the socket below that of the container.
const HOST: &str = "notify";

/// The same directory, as the container sees it, and the socket in it.
const INSIDE: &str = "/run/notify";
const SOCKET: &str = "notify.sock";

/// How long the manager may take to say that it has heard.
const BARRIER: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// A container whose manager wants to be told.
#[derive(Debug)]
pub struct Notify {
    ours: OwnedFd,
    manager: OwnedFd,
}

/// Gives the container a place for the socket, and tells its program.
///
/// # Errors
/// When the directory cannot be made.
pub fn equip(config: &mut Config, directory: &Directory) -> Result<()> {
    let Some(process) = &mut config.process else { return Ok(()) };
    let host = directory.path.join(HOST);
    let made = DirBuilder::new().mode(0o755).create(&host).and_then(|()| fs::canonicalize(&host));
    let host = made.doing(|| format!("make `{}`", host.display()))?;
    process.env.push(format!("NOTIFY_SOCKET={INSIDE}/{SOCKET}"));
    config.mounts.push(Mount {
        destination: PathBuf::from(INSIDE),
        kind: None,
        source: Some(host.to_string_lossy().into_owned()),
        options: ["bind", "ro", "nosuid", "nodev", "noexec"].map(str::to_owned).to_vec(),
        uid_mappings: Vec::new(),
        gid_mappings: Vec::new(),
    });
    Ok(())
}

impl Notify {
    /// Listens for the program, before it runs. Nothing for a container that was made without a manager.
    ///
    /// # Errors
    /// When the manager's socket is not there, or ours cannot be made.
    pub fn listen(directory: &Directory, manager: &OsStr) -> Result<Option<Self>> {
        let host = directory.path.join(HOST);
        if !host.is_dir() {
            return Ok(None);
        }
        let doing = || "make the socket for the program's readiness".to_owned();
        let ours = datagrams().doing(doing)?;
        let (_opened, address) = socket_address(directory, &format!("{HOST}/{SOCKET}"))?;
        rustix::net::bind(&ours, &address).doing(doing)?;
        // The program may be anybody.
        fs::set_permissions(host.join(SOCKET), Permissions::from_mode(0o777)).doing(doing)?;
        let reaching = || format!("reach the service manager at `{}` (NOTIFY_SOCKET)", manager.display());
        let address = match manager.as_bytes() {
            [b'@', name @ ..] => SocketAddrUnix::new_abstract_name(name),
            path => SocketAddrUnix::new(path),
        };
        let theirs = datagrams().doing(reaching)?;
        rustix::net::connect(&theirs, &address.doing(reaching)?).doing(reaching)?;
        Ok(Some(Self { ours, manager: theirs }))
    }

    /// Waits until the program is ready, and tells the manager; or until it has ended, which the manager sees for itself.
    ///
    /// # Errors
    /// As poll(2).
    pub fn relay(&self, program: BorrowedFd<'_>, pid: i32) -> Result<()> {
        loop {
            let mut fds = [PollFd::new(&self.ours, PollFlags::IN), PollFd::from_borrowed_fd(program, PollFlags::IN)];
            match poll(&mut fds, None) {
                Err(Errno::INTR) => continue,
                ready => ready.doing(|| "wait for the program to be ready".into())?,
            };
            if fds[0].revents().contains(PollFlags::IN) && self.hears_ready() {
                return self.tell(pid).or_else(|error| {
                    log::warn(&format!("tell the service manager: {error}"));
                    Ok(())
                });
            }
            if fds[1].revents().contains(PollFlags::IN) {
                return Ok(());
            }
        }
    }

    /// Whether the next datagram says so. All else that a program may say is of a service, and the service is the runtime's.
    fn hears_ready(&self) -> bool {
        let mut bytes = [0; 4096];
        let length = rustix::io::read(&self.ours, &mut bytes).unwrap_or_default();
        bytes[..length].split(|byte| *byte == b'\n').any(|line| line == b"READY=1")
    }

    /// The manager has to know the sender, which is about to end: `BARRIER=1` has it close a descriptor when it has heard.
    fn tell(&self, pid: i32) -> Result<()> {
        let doing = || "send".to_owned();
        rustix::io::write(&self.manager, format!("READY=1\nMAINPID={pid}\n").as_bytes()).doing(doing)?;
        let (heard, handed) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).doing(doing)?;
        send_with_fds(self.manager.as_fd(), b"BARRIER=1", &[handed.as_fd()])?;
        drop(handed);
        poll(&mut [PollFd::new(&heard, PollFlags::empty())], Some(&BARRIER)).doing(doing).map(drop)
    }
}

fn datagrams() -> rustix::io::Result<OwnedFd> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
}
