//! Writes a plan: the steps, followed by the data that they point to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use plimsoll_fixtures::floor::plan::{ADDRESS, END, ROOM, Step};

/// Where the data begins: all steps have to end before.
const DATA: u64 = 256 << 10;

/// A plan in the making.
#[derive(Debug)]
pub struct Plan {
    steps: Vec<Step>,
    data: Vec<u8>,
    /// How many descriptors are open: the kernel gives each new one the lowest number, so that is what it will be.
    open: u64,
}

/// A number that stands for a system call.
type Number = libc::c_long;

/// `AT_FDCWD` as an argument.
pub const HERE: u64 = libc::AT_FDCWD as u64;

impl Plan {
    /// One that does nothing. Descriptors 0 to 2 are open from the start.
    pub fn new() -> Self {
        Self { steps: Vec::new(), data: Vec::new(), open: 3 }
    }

    /// Makes a system call.
    pub fn call<const N: usize>(&mut self, number: Number, arguments: [u64; N]) -> &mut Step {
        self.step(number as u64, arguments)
    }

    /// Takes a step that is more than a system call.
    pub fn step<const N: usize>(&mut self, call: u64, given: [u64; N]) -> &mut Step {
        let mut arguments = [0; 5];
        arguments[..N].copy_from_slice(&given);
        self.steps.push(Step { call, arguments, ..Step::default() });
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }

    /// The index of the next step.
    pub fn next(&self) -> u64 {
        self.steps.len() as u64
    }

    /// Lets a step that was taken already know where another one is.
    pub fn resolve(&mut self, at: u64, argument: usize, value: u64) {
        self.steps[at as usize].arguments[argument] = value;
    }

    /// The address of these bytes, which are at a multiple of 8.
    pub fn bytes(&mut self, bytes: &[u8]) -> u64 {
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        let address = ADDRESS + DATA + self.data.len() as u64;
        self.data.extend_from_slice(bytes);
        address
    }

    /// The address of these numbers.
    pub fn words(&mut self, words: &[u64]) -> u64 {
        self.bytes(&words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>())
    }

    /// The address of a text with a zero byte behind it.
    pub fn text(&mut self, text: impl AsRef<[u8]>) -> u64 {
        self.bytes(&[text.as_ref(), &[0]].concat())
    }

    /// The address of an array of texts with a null pointer behind it.
    pub fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> u64 {
        let mut words: Vec<u64> = texts.into_iter().map(|text| self.text(text)).collect();
        words.push(0);
        self.words(&words)
    }

    /// Opens a descriptor by a call; its number. It is closed when the container's program begins.
    pub fn open<const N: usize>(&mut self, number: Number, arguments: [u64; N]) -> u64 {
        self.call(number, arguments);
        self.open += 1;
        self.open - 1
    }

    /// Opens a file for writing; its descriptor.
    pub fn writable(&mut self, path: impl AsRef<[u8]>) -> u64 {
        let path = self.text(path);
        self.open(libc::SYS_openat, [HERE, path, (libc::O_WRONLY | libc::O_CLOEXEC) as u64, 0])
    }

    /// Closes the descriptor that was opened last.
    pub fn close(&mut self) {
        self.open -= 1;
        self.call(libc::SYS_close, [self.open]);
    }

    /// Writes to a descriptor.
    pub fn put(&mut self, fd: u64, text: &[u8]) {
        let address = self.bytes(text);
        self.call(libc::SYS_write, [fd, address, text.len() as u64]);
    }

    /// Writes to a file.
    pub fn write(&mut self, path: impl AsRef<[u8]>, text: &str) {
        let fd = self.writable(path);
        self.put(fd, text.as_bytes());
        self.close();
    }

    /// The end; none when it has too many steps or too much data.
    pub fn finish(mut self) -> Option<Finished> {
        self.step(END, []);
        let words = self.steps.iter().flat_map(|step| {
            let [a, b, c, d, e] = step.arguments;
            [step.call, step.passed_over, step.again, a, b, c, d, e]
        });
        let steps: Vec<u8> = words.flat_map(u64::to_ne_bytes).collect();
        let fits = steps.len() as u64 <= DATA && DATA + self.data.len() as u64 <= ROOM;
        fits.then_some(Finished { steps, data: self.data })
    }
}

/// A plan that is complete.
#[derive(Debug)]
pub struct Finished {
    steps: Vec<u8>,
    data: Vec<u8>,
}

impl Finished {
    /// Writes the file that the floor reads. What is between steps and data takes no room on disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        file.write_all_at(&self.steps, 0)?;
        file.write_all_at(&self.data, DATA)
    }
}
