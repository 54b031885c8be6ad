//! One call of a program, prepared before the clock starts: no shell, no look-up in PATH, no copy of this process.

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::Duration;

use nix::unistd::Pid;
use plimsoll_engine::sys::{Program, spawn};

use crate::clock::now;

/// A program with its arguments, ready to be executed any number of times.
#[derive(Clone, Debug)]
pub struct Call {
    argv: Vec<CString>,
    env: Vec<CString>,
    dir: CString,
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
pub struct StartedCall {
    /// Its process.
    pub pid: Pid,
    /// When it was made.
    pub at: Duration,
}

impl Call {
    /// A call in directory `dir`.
    ///
    /// # Errors
    /// When there is no program, or a word holds a zero byte.
    pub fn new(argv: Vec<OsString>, env: &[(OsString, OsString)], dir: &Path) -> io::Result<Self> {
        if argv.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let text = |text: OsString| CString::new(text.into_vec()).map_err(io::Error::from);
        let pair = |(name, value): &(OsString, OsString)| text([name.as_os_str(), value].join("=".as_ref()));
        Ok(Self {
            argv: argv.into_iter().map(text).collect::<io::Result<_>>()?,
            env: env.iter().map(pair).collect::<io::Result<_>>()?,
            dir: text(dir.as_os_str().to_owned())?,
        })
    }

    /// Makes the call, with these descriptors from number 0 on.
    ///
    /// # Errors
    /// When the program cannot be executed.
    pub fn begin(&self, fds: &[OwnedFd]) -> io::Result<StartedCall> {
        let program = Program { argv: &self.argv, env: &self.env, dir: &self.dir, fds };
        let at = now();
        Ok(StartedCall { pid: spawn(&program)?, at })
    }

    /// The program and its arguments.
    #[must_use]
    pub fn argv(&self) -> &[CString] {
        &self.argv
    }

    /// Its environment.
    #[must_use]
    pub fn env(&self) -> &[CString] {
        &self.env
    }
}
