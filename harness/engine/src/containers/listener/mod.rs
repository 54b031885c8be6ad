//! The receiving end of `linux.seccomp.listenerPath`: a socket on which the runtime sends the notification descriptor.
//! Specification: `config-linux.md#containerprocessstate`; seccomp_unotify(2).

mod agent;
mod sys;

pub use agent::Agent;

use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use crate::containers::lab::Lab;
use crate::runtime::judgement::{StepResult, Stop};
use crate::system::descriptors::{receive, wait_readable};

/// The most bytes of a connection, and the most connections and descriptors, that are taken. The runtime may send any number.
const LONGEST: usize = 1 << 20;
const MOST: usize = 64;

/// A socket, bound and waiting.
#[derive(Debug)]
pub struct Listener<'l> {
    lab: &'l Lab<'l>,
    socket: UnixListener,
    path: PathBuf,
}

/// What came over one connection.
#[derive(Debug)]
pub struct Connection {
    /// Every byte, as text.
    pub text: String,
    /// Every descriptor.
    pub fds: Vec<OwnedFd>,
    /// How many descriptors came with the first message.
    pub with_first: usize,
    /// Whether the other side has closed it.
    pub closed: bool,
}

/// A system call that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub struct Notified {
    id: u64,
    /// The process that makes it, as this process sees it.
    pub pid: i32,
    /// Its number.
    pub number: i64,
    /// Its arguments.
    pub arguments: [u64; 6],
}

/// What becomes of it.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// It returns this.
    Value(i64),
    /// It fails with this error number.
    Fails(i32),
    /// It is made after all.
    Goes,
}

impl Lab<'_> {
    /// A socket for the listeners of filters.
    ///
    /// # Errors
    /// When its path is too long (107 bytes).
    pub fn listener(&self) -> StepResult<Listener<'_>> {
        let path = self.dir.join(format!("n{}", self.next()));
        let socket = UnixListener::bind(&path).map_err(Stop::error("bind the listener's socket"))?;
        socket.set_nonblocking(true)?;
        Ok(Listener { lab: self, socket, path })
    }
}

impl Listener<'_> {
    /// What to set as `linux.seccomp.listenerPath`.
    #[must_use]
    pub fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// What the calls that came back so far have sent, connection by connection.
    ///
    /// # Errors
    /// [`Stop::Error`] when a connection cannot be read.
    pub fn connections(&self) -> StepResult<Vec<Connection>> {
        let mut made = Vec::new();
        while made.len() < MOST {
            match self.socket.accept() {
                Ok((stream, _)) => made.push(Connection::read(&stream, self.lab.driver.deadline())?),
                Err(why) if why.kind() == ErrorKind::WouldBlock => break,
                Err(why) => return Err(why.into()),
            }
        }
        Ok(match self.lab.settings.fault {
            Some(fault) => fault.connections(made),
            None => made,
        })
    }

    /// The only connection that was made.
    ///
    /// # Errors
    /// [`Stop::Broken`] when there are more or none.
    pub fn connection(&self) -> StepResult<Connection> {
        let mut made = self.connections()?;
        match (made.pop(), made.len()) {
            (Some(only), 0) => Ok(only),
            (_, more) => {
                let seen = if more == 0 { "none".to_owned() } else { (more + 1).to_string() };
                Err(Stop::broken("connections to the listener of the filter", "one", seen))
            }
        }
    }
}

impl Connection {
    fn read(stream: &UnixStream, deadline: Instant) -> StepResult<Self> {
        let (mut bytes, mut fds, mut with_first, mut first, mut closed) = (Vec::new(), Vec::new(), 0, true, false);
        while !closed && bytes.len() < LONGEST && fds.len() < MOST && wait_readable(&[stream], deadline)? {
            let (read, taken) = receive(stream.as_raw_fd())?;
            closed = read.is_empty() && taken.is_empty();
            with_first = if first { taken.len() } else { with_first };
            first = false;
            bytes.extend(read);
            fds.extend(taken);
        }
        Ok(Self { text: String::from_utf8_lossy(&bytes).into_owned(), fds, with_first, closed })
    }

    /// The container process state.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it is no JSON object.
    pub fn state(&self) -> StepResult<Value> {
        let state = serde_json::from_str(&self.text).ok().filter(Value::is_object);
        state.ok_or_else(|| Stop::broken("what the listener was sent", "one JSON object", self.text.clone()))
    }

    /// The descriptor that notifications come from, by its name in the state.
    ///
    /// # Errors
    /// [`Stop::Broken`] when none is called so, or none came.
    pub fn descriptor(&self) -> StepResult<&OwnedFd> {
        let state = self.state()?;
        let names = state["fds"].as_array();
        let at = names.and_then(|names| names.iter().position(|name| name == "seccompFd"));
        let found = at.and_then(|at| self.fds.get(at));
        let seen = || format!("{} descriptors, called {}", self.fds.len(), state["fds"]);
        found.ok_or_else(|| Stop::broken("what the listener was sent", "a descriptor called seccompFd", seen()))
    }

    /// Waits for a notified call, and answers it.
    ///
    /// # Errors
    /// [`Stop::Broken`] when no call is notified in time.
    pub fn answer(&self, verdict: Verdict, deadline: Instant) -> StepResult<Notified> {
        let descriptor = self.descriptor()?;
        if !wait_readable(&[descriptor], deadline)? {
            return Err(Stop::broken("the listener", "is notified of the call", "no notification"));
        }
        let notified = sys::receive(descriptor).map_err(Stop::error("receive a notification"))?;
        sys::send(descriptor, notified.id, verdict).map_err(Stop::error("answer a notification"))?;
        Ok(notified)
    }
}
