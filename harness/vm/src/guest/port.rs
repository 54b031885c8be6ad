//! A serial port for messages.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::termios::tcdrain;

use crate::wire::Message;

/// An open port.
#[derive(Debug)]
pub(super) struct Port(File);

impl Port {
    /// Opens a port and lets bytes pass unchanged.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(path);
        let file = file.map_err(|why| io::Error::new(why.kind(), format!("{}: {why}", path.display())))?;
        plimsoll_engine::sys::make_raw(&file)?;
        Ok(Self(file))
    }

    /// Sends a message and waits until it has left.
    pub(super) fn send(&mut self, message: &Message) -> io::Result<()> {
        self.0.write_all(&message.frame()?)?;
        self.drain()
    }

    /// Waits until everything has left.
    pub(super) fn drain(&self) -> io::Result<()> {
        Ok(tcdrain(&self.0)?)
    }
}
