//! One machine, from power-on to its answer.

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use plimsoll_engine::process::{Capture, wait_readable};
use plimsoll_engine::sys;

use crate::diagnosis::{self, Console};
use crate::error::Error;
use crate::qemu::{Emulator, Hardware};
use crate::watchdog::Watchdog;
use crate::wire::{Decoder, Message, Returned};

/// The longest that a machine may take until it is ready. Under software emulation it takes some two seconds.
const BOOT: Duration = Duration::from_secs(90);

/// The longest that a machine may be silent once it is ready. It speaks every second.
const SILENCE: Duration = Duration::from_secs(90);

/// Some kernels die while booting once in some hundred times, before anything of ours has run.
const BOOT_ATTEMPTS: u32 = 2;

/// How often to look whether the user wants to end.
const LOOK_UP: Duration = Duration::from_millis(200);

/// What a machine says while its command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live<'a> {
    /// It is set up, and the command starts.
    Ready,
    /// The command's standard output.
    Stdout(&'a [u8]),
    /// The command's standard error.
    Stderr(&'a [u8]),
}

/// A command that ran to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Its exit code.
    pub code: i32,
    /// The files that it left.
    pub files: Vec<Returned>,
}

/// Who listens to a machine.
pub struct Listener<'l> {
    /// Told what happens.
    pub tell: &'l mut dyn FnMut(Live<'_>),
    /// Asked now and then: whether to end.
    pub interrupted: &'l dyn Fn() -> bool,
}

/// Boots a machine from this initial root filesystem and waits for its answer.
///
/// # Errors
/// When there is no answer: the machine does not start, dies, hangs, or cannot be what it was asked to be.
pub fn run(hardware: &Hardware, root: &[u8], listener: &mut Listener<'_>) -> Result<Completed, Error> {
    for attempt in 1..=BOOT_ATTEMPTS {
        let mut machine = Machine::start(hardware, root)?;
        match machine.attend(listener) {
            // What it had begun is not begun again: only a death before that is.
            Err(Error::Guest { .. }) if machine.died_booting && attempt < BOOT_ATTEMPTS => {}
            answer => return answer,
        }
    }
    unreachable!("the last attempt returns")
}

/// Whether a machine with this hardware gets ready within a limit.
///
/// # Errors
/// As [`run`].
pub fn gets_ready(hardware: &Hardware, root: &[u8], limit: Duration) -> Result<bool, Error> {
    let mut machine = Machine::start(hardware, root)?;
    let deadline = Instant::now() + limit;
    let mut listener = Listener { tell: &mut |_| (), interrupted: &|| Instant::now() >= deadline };
    match machine.attend(&mut listener) {
        Ok(_) => Ok(true),
        Err(Error::Guest { .. } | Error::Interrupted) => Ok(machine.ready),
        Err(other) => Err(other),
    }
}

struct Machine {
    emulator: Emulator,
    ended: OwnedFd,
    memory: u32,
    console: Console,
    live: Decoder,
    result: Decoder,
    files: Vec<Returned>,
    ready: bool,
    died_booting: bool,
    watchdog: Watchdog,
}

impl Machine {
    fn start(hardware: &Hardware, root: &[u8]) -> Result<Self, Error> {
        let emulator = Emulator::start(hardware, root)?;
        let number = emulator.process.id();
        let pid = Pid::from_raw(i32::try_from(number).unwrap_or(i32::MAX));
        Ok(Self {
            ended: sys::pidfd_open(pid).map_err(Error::host("watch the emulator"))?,
            emulator,
            memory: hardware.memory,
            console: Console::default(),
            live: Decoder::default(),
            result: Decoder::default(),
            files: Vec::new(),
            ready: false,
            died_booting: false,
            watchdog: Watchdog::new(number, BOOT),
        })
    }

    fn attend(&mut self, listener: &mut Listener<'_>) -> Result<Completed, Error> {
        loop {
            if (listener.interrupted)() {
                return Err(Error::Interrupted);
            }
            self.wait()?;
            let ended = self.emulator.process.try_wait().map_err(Error::host("wait for the emulator"))?;
            self.console.feed(&taken(&mut self.emulator.console));
            self.hear(listener)?;
            if let Some(code) = self.answer()? {
                return Ok(Completed { code, files: std::mem::take(&mut self.files) });
            }
            if let Some(status) = ended {
                return Err(self.death(status));
            }
            if self.watchdog.has_expired() {
                return Err(self.silence());
            }
        }
    }

    fn wait(&self) -> Result<(), Error> {
        let emulator = &self.emulator;
        let ports = [&emulator.console, &emulator.live, &emulator.result, &emulator.complaints];
        let mut fds = vec![self.ended.as_fd()];
        fds.extend(ports.iter().filter_map(|port| port.fd().map(AsFd::as_fd)));
        wait_readable(&fds, Instant::now() + LOOK_UP).map(drop).map_err(Error::host("listen to the machine"))
    }

    /// Takes in what happened.
    fn hear(&mut self, listener: &mut Listener<'_>) -> Result<(), Error> {
        let messages = self.live.feed(&taken(&mut self.emulator.live));
        for message in messages.map_err(|_| self.garbled())? {
            self.watchdog.reset(SILENCE);
            match message {
                Message::Ready => {
                    self.ready = true;
                    (listener.tell)(Live::Ready);
                }
                Message::Stdout(bytes) => (listener.tell)(Live::Stdout(&bytes)),
                Message::Stderr(bytes) => (listener.tell)(Live::Stderr(&bytes)),
                Message::Alive => {}
                Message::Failed(_) | Message::File(_) | Message::Program(_) | Message::Exit(_) | Message::Signal(_) => {
                    return Err(self.garbled());
                }
            }
        }
        Ok(())
    }

    /// Takes a part of the results; the exit code when it is the last.
    fn answer(&mut self) -> Result<Option<i32>, Error> {
        let bytes = taken(&mut self.emulator.result);
        if !bytes.is_empty() {
            self.watchdog.reset(SILENCE);
        }
        for message in self.result.feed(&bytes).map_err(|_| self.garbled())? {
            match message {
                Message::File(file) => self.files.push(file),
                Message::Program(path) => self.files.push(Returned { path, mode: 0o755, bytes: None }),
                Message::Exit(code) => return Ok(Some(code)),
                Message::Signal(signal) => {
                    return Err(self.guest(&format!("the command in the machine was ended by signal {signal}")));
                }
                Message::Failed(why) => return Err(Error::Guest { what: why, console: Vec::new() }),
                Message::Ready | Message::Alive | Message::Stdout(_) | Message::Stderr(_) => {
                    return Err(self.garbled());
                }
            }
        }
        Ok(None)
    }

    fn death(&mut self, status: ExitStatus) -> Error {
        let complaints = String::from_utf8_lossy(&taken(&mut self.emulator.complaints)).into_owned();
        let of_emulator = diagnosis::of_emulator(status, &complaints, self.memory);
        if !self.ready
            && self.console.tail().is_empty()
            && let Some(why) = of_emulator
        {
            return Error::Emulator(why);
        }
        self.died_booting = !self.ready;
        let when = if self.ready { "before the command had ended" } else { "while it booted" };
        let silent = || {
            let memory = self.memory;
            let never_spoke = !self.ready && self.console.tail().is_empty();
            never_spoke.then(|| format!("without a word: {memory} MiB are too little for it, or the image is damaged"))
        };
        let what = match of_emulator.or_else(silent) {
            Some(why) => format!("the machine died {when}: {why}"),
            None => format!("the machine died {when}"),
        };
        self.guest(&what)
    }

    fn silence(&mut self) -> Error {
        let (what, limit) = if self.ready { ("has said nothing", SILENCE) } else { ("was not ready", BOOT) };
        self.guest(&format!("the machine hangs: it {what} for {} s", limit.as_secs()))
    }

    fn garbled(&mut self) -> Error {
        self.guest("what came from the machine was damaged on the way")
    }

    /// An error with what the console says to it.
    fn guest(&mut self, what: &str) -> Error {
        let console = self.console.tail();
        let what = match diagnosis::of_console(&console, self.memory) {
            Some(why) => format!("{what}: {why}"),
            None => what.to_owned(),
        };
        Error::Guest { what, console }
    }
}

/// What is there to read now.
fn taken(port: &mut Capture) -> Vec<u8> {
    port.drain();
    std::mem::take(port.bytes())
}
