//! criu(8), which writes a process tree to files and brings it back. It is executed as `criu swrk FD`, the way in which
//! libraries use it: one request over a socket, notices on the way, one answer. The messages are those of
//! `images/rpc.proto` of criu; their numbers stand beside where they are used.

mod message;
mod options;
mod outside;

pub use options::{CgroupMode, Directories, Options};
pub use outside::{Streams, dump_namespaces, external, restore_namespaces, root_of};

use std::ffi::CString;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::FdFlags;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType,
};
use rustix::process::{WaitId, WaitIdOptions};

pub use message::Message;
use message::{Value, fields};

use crate::error::{Context, Error, Result};
use crate::sync;
use crate::sys::{self, CloneArgs, ClonedAs};

/// The longest message; those of criu are a few hundred bytes.
const LONGEST: usize = 64 * 1024;

/// What criu is asked to do, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Write a process tree to files.
    Dump = 1,
    /// Bring it back.
    Restore = 2,
    /// Write its memory while it runs on.
    PreDump = 4,
}

/// The number of notices, and of what is said to them.
const NOTIFY: u64 = 6;

/// criu, as a child that was not asked for anything yet.
#[derive(Debug)]
pub struct Criu {
    /// Its number.
    pub pid: i32,
    /// What it opened in its own mount namespace.
    pub opened: Vec<OwnedFd>,
    pidfd: OwnedFd,
    socket: OwnedFd,
}

/// Where criu has come to.
#[derive(Debug)]
pub struct Notice {
    /// The name of the moment, such as `post-restore`.
    pub script: String,
    /// The init process, where criu names it.
    pub pid: Option<i32>,
    /// The descriptor that comes along.
    pub fd: Option<OwnedFd>,
}

impl Criu {
    /// Starts criu. The child is created with `args`, and does `prepare` before it executes criu, which has been done when
    /// this returns; it inherits `kept`. `prepare` may return descriptors, which come here as [`Criu::opened`].
    ///
    /// # Errors
    /// When criu is not installed, or a step fails.
    pub fn start(
        args: CloneArgs<'_>,
        kept: &[BorrowedFd<'_>],
        prepare: impl FnOnce() -> Result<Vec<OwnedFd>>,
    ) -> Result<Self> {
        let program = find()?;
        let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (socket, theirs) = pair.doing(|| "make a pair of sockets".into())?;
        match sys::clone3(args).doing(|| "clone a process for criu".into())? {
            ClonedAs::Child => {
                drop(socket);
                become_criu(&program, &theirs, kept, prepare)
            }
            ClonedAs::Parent { pid, pidfd } => {
                drop(theirs);
                let criu = Self { pid, opened: Vec::new(), pidfd, socket };
                let (_, opened) = criu.answer()?;
                Ok(Self { opened, ..criu })
            }
        }
    }

    /// Asks for `task`, passes what happens on the way to `notified`, and returns the init process of what was
    /// restored.
    ///
    /// # Errors
    /// When criu fails or ends, or `notified` fails.
    pub fn ask(
        self,
        task: Task,
        options: &Message,
        notified: &mut dyn FnMut(Notice) -> Result<()>,
    ) -> Result<Option<i32>> {
        let mut request = Message::default();
        request.integer(1, task as u64).message(2, options);
        self.send(&request)?;
        let answer = loop {
            let (answer, fds) = self.answer()?;
            let fd = fds.into_iter().next();
            if answer.kind != NOTIFY {
                break answer;
            }
            notified(Notice { script: answer.script, pid: answer.notified, fd })?;
            let mut heard = Message::default();
            heard.integer(1, NOTIFY).flag(3, true);
            self.send(&heard)?;
        };
        // After a pre-dump it waits for the next one, until nobody is there to ask for it.
        drop(self.socket);
        let ended = rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED);
        ended.doing(|| "wait for criu".into())?;
        Ok(answer.restored)
    }

    fn send(&self, message: &Message) -> Result<()> {
        let sent = rustix::net::send(&self.socket, message.bytes(), SendFlags::NOSIGNAL);
        sent.doing(|| "talk to criu".into()).map(drop)
    }

    fn answer(&self) -> Result<(Answer, Vec<OwnedFd>)> {
        let (bytes, fds) = self.receive()?;
        let answer = Answer::read(&bytes).ok_or_else(|| Error::new("unknown message from CRIU"))?;
        if answer.success { Ok((answer, fds)) } else { Err(Error::new(answer.complaint())) }
    }

    fn receive(&self) -> Result<(Vec<u8>, Vec<OwnedFd>)> {
        let mut bytes = vec![0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            match rustix::net::recvmsg(&self.socket, &mut slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                received => break received.doing(|| "listen to criu".into())?.bytes,
            }
        };
        if received == 0 {
            return Err(Error::new("criu ended without an answer"));
        }
        bytes.truncate(received);
        let mut fds = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(sent) = message {
                fds.extend(sent);
            }
        }
        Ok((bytes, fds))
    }
}

/// What of an answer counts.
#[derive(Debug, Default)]
struct Answer {
    kind: u64,
    success: bool,
    restored: Option<i32>,
    script: String,
    notified: Option<i32>,
    errno: Option<i32>,
    message: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut answer = Self::default();
        for field in fields(bytes)? {
            match field {
                (1, Value::Integer(kind)) => answer.kind = kind,
                (2, Value::Integer(success)) => answer.success = success == 1,
                (4, Value::Bytes(restored)) => answer.restored = number(restored, 1),
                (5, Value::Bytes(notice)) => {
                    answer.notified = number(notice, 2);
                    let script = fields(notice)?.into_iter().find(|(field, _)| *field == 1);
                    if let Some((_, Value::Bytes(script))) = script {
                        answer.script = text(script);
                    }
                }
                (7, Value::Integer(errno)) => answer.errno = i32::try_from(errno).ok(),
                (9, Value::Bytes(message)) => answer.message = text(message),
                _ => {}
            }
        }
        Some(answer)
    }

    fn complaint(&self) -> String {
        match self.errno.filter(|errno| *errno != 0) {
            _ if !self.message.is_empty() => self.message.clone(),
            Some(errno) => std::io::Error::from_raw_os_error(errno).to_string(),
            None => String::new(),
        }
    }
}

fn number(message: &[u8], field: u64) -> Option<i32> {
    fields(message)?.into_iter().find_map(|(found, value)| match value {
        Value::Integer(value) if found == field => i32::try_from(value).ok(),
        _ => None,
    })
}

/// The program, in `PATH` or where distributions put it.
fn find() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let mut programs = directories.map(|directory| directory.join("criu"));
    let found = programs.find(|program| rustix::fs::access(program, Access::EXEC_OK).is_ok());
    found.ok_or_else(|| Error::new("criu is not installed (package criu), and nothing else can do this"))
}

/// In the child: prepares, says so, and executes criu. What goes wrong is said in the form of an answer of criu's own.
fn become_criu(
    program: &Path,
    socket: &OwnedFd,
    kept: &[BorrowedFd<'_>],
    prepare: impl FnOnce() -> Result<Vec<OwnedFd>>,
) -> ! {
    let say = |success: u64, text: &str, opened: &[OwnedFd]| {
        let mut said = Message::default();
        said.integer(1, 0).integer(2, success).text(9, text);
        let opened: Vec<_> = opened.iter().map(OwnedFd::as_fd).collect();
        sync::send_with_fds(socket.as_fd(), said.bytes(), &opened)
    };
    let failed = prepare().and_then(|opened| say(1, "", &opened)).and_then(|()| execute(program, socket, kept));
    let cause = failed.err().map(|error| error.to_string()).unwrap_or_default();
    // When the runtime is gone, nobody is left to be told.
    sys::exit_now(i32::from(say(0, &cause, &[]).is_err()))
}

fn execute(program: &Path, socket: &OwnedFd, kept: &[BorrowedFd<'_>]) -> Result<()> {
    let keep =
        |fd: BorrowedFd<'_>| rustix::io::fcntl_setfd(fd, FdFlags::empty()).doing(|| "pass a descriptor on".into());
    keep(socket.as_fd())?;
    kept.iter().try_for_each(|fd| keep(*fd))?;
    let c_string = |text: &[u8]| CString::new(text).doing(|| "convert an argument".into());
    let args = [c_string(b"criu")?, c_string(b"swrk")?, c_string(socket.as_raw_fd().to_string().as_bytes())?];
    let mut env = Vec::new();
    for (name, value) in std::env::vars_os() {
        env.push(c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat())?);
    }
    let program_name = c_string(program.as_os_str().as_bytes())?;
    Err(sys::execve(&program_name, &args, &env)).doing(|| format!("execute `{}`", program.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let (mut restored, mut notice, mut bytes) = (Message::default(), Message::default(), Message::default());
        restored.integer(1, 42);
        notice.text(1, "post-restore").integer(2, 7);
        bytes.integer(1, 2).flag(2, true).message(4, &restored).message(5, &notice);
        let answer = Answer::read(bytes.bytes()).unwrap();
        assert!(answer.success && answer.kind == 2 && answer.restored == Some(42));
        assert!(answer.script == "post-restore" && answer.notified == Some(7));
    }

    #[test]
    fn a_failure_says_why() {
        let mut bytes = Message::default();
        bytes.integer(1, 1).integer(2, 0).integer(7, 22);
        assert!(Answer::read(bytes.bytes()).unwrap().complaint().starts_with("Invalid argument"));
        bytes.text(9, "no such thing");
        assert_eq!(Answer::read(bytes.bytes()).unwrap().complaint(), "no such thing");
    }
}
