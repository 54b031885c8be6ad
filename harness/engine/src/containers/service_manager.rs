//! A service manager that waits until a container is ready, see sd_notify(3).

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::containers::container::Container;
use crate::containers::lab::Lab;
use crate::runtime::driver::NOTIFY;
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::{Op, Values};
use crate::system::orphans;
use crate::system::process::wait_readable;

/// The socket of a manager.
#[derive(Debug)]
pub struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Lab<'_> {
    /// A manager for a container of this check.
    ///
    /// # Errors
    /// [`Stop::Error`] when there is no room for its socket.
    pub fn manager(&self) -> StepResult<Manager> {
        let path = self.dir.join(format!("n{}", self.next()));
        let socket = UnixDatagram::bind(&path).map_err(Stop::error("bind the socket of a service manager"))?;
        socket.set_nonblocking(true)?;
        Ok(Manager { socket, path })
    }
}

impl Manager {
    /// The values of a call that this manager makes.
    #[must_use]
    pub fn calls(&self, values: Values) -> Values {
        values.with(NOTIFY, self.path.to_string_lossy())
    }

    /// The messages received so far. Descriptors in them are closed, which tells the sender that they were received.
    fn hear(&self, said: &mut Vec<String>) -> StepResult {
        let mut bytes = [0; 4096];
        loop {
            match self.socket.recv(&mut bytes) {
                Ok(length) => said.push(String::from_utf8_lossy(&bytes[..length]).into_owned()),
                Err(why) if why.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(why) => return Err(Stop::error("receive messages for the service manager")(why)),
            }
        }
    }
}

impl Container<'_> {
    /// The operation `start` by a manager, and what was said to it until that came back.
    ///
    /// # Errors
    /// As [`Container::call`].
    pub fn start_by(&self, manager: &Manager) -> StepResult<(Outcome, Vec<String>)> {
        let start = self.lab.driver.begin(Op::Start, &manager.calls(self.values()), &self.lab.dir)?;
        let (deadline, mut said) = (self.lab.driver.deadline(), Vec::new());
        let ended = start.running.pidfd();
        while !wait_readable(&[ended], Instant::now())? && Instant::now() < deadline {
            let waited = [manager.socket.as_fd(), ended.as_fd()];
            wait_readable(&waited, deadline.min(Instant::now() + Duration::from_millis(20)))?;
            orphans::reap().map_err(Stop::error("reap what the runtime has left to us"))?;
            manager.hear(&mut said)?;
        }
        manager.hear(&mut said)?;
        Ok((self.lab.driver.end(start)?, said))
    }
}
