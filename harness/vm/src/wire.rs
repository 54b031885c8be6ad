//! What the machine says to the host, framed so that the end of a message is known and a torn one is noticed:
//!
//! ```text
//! kind (1 byte) · length (4 bytes, little-endian) · payload · CRC-32 of all before (4 bytes, little-endian)
//! ```
//! The serial port [`LIVE`] carries what happens, [`RESULT`] what came of it; the kernel's console has one of its own.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use plimsoll_foreign::read::{self, Limit};

use crate::pack::{OWN, read_program};

/// The port of the kernel's console.
pub const CONSOLE: &str = "ttyS0";
/// The port of what happens.
pub const LIVE: &str = "/dev/ttyS1";
/// The port for results.
pub const RESULT: &str = "/dev/ttyS2";

/// One thing that the machine says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// All is set up, and the command is about to start.
    Ready,
    /// The machine is alive. It says so now and then.
    Alive,
    /// The command wrote this to its standard output.
    Stdout(Vec<u8>),
    /// The command wrote this to its standard error.
    Stderr(Vec<u8>),
    /// The machine cannot be what it was asked to be, and why.
    Failed(String),
    /// The command left this file.
    File(Returned),
    /// The command left a copy of this program here, which the host need not be sent.
    Program(PathBuf),
    /// The command exited with this code, and all files have been sent.
    Exit(i32),
    /// The command was ended by this signal.
    Signal(i32),
}

/// A file that comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// The same absolute path inside and on the host.
    pub path: PathBuf,
    /// Permissions.
    pub mode: u32,
    /// Its content; none for a copy of this program.
    pub bytes: Option<Vec<u8>>,
}

/// The longest payload, and the longest file: whoever is root in the machine can write to its ports.
const LONGEST: Limit = Limit::mib(512);

const HEAD: usize = 5;
const TAIL: usize = 4;

impl Message {
    /// The message as a frame.
    ///
    /// # Errors
    /// Never for what fits into memory; the compressor's signature has one.
    pub fn frame(&self) -> io::Result<Vec<u8>> {
        let payload = match self {
            Self::Ready | Self::Alive => Vec::new(),
            Self::Stdout(bytes) | Self::Stderr(bytes) => bytes.clone(),
            Self::Failed(why) => why.as_bytes().to_vec(),
            Self::File(file) => file.payload()?,
            Self::Program(path) => path.as_os_str().as_bytes().to_vec(),
            Self::Exit(number) | Self::Signal(number) => number.to_le_bytes().to_vec(),
        };
        let mut frame = vec![self.kind()];
        frame.extend(u32::try_from(payload.len()).map_err(io::Error::other)?.to_le_bytes());
        frame.extend(payload);
        frame.extend(crc32fast::hash(&frame).to_le_bytes());
        Ok(frame)
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Ready => b'r',
            Self::Alive => b'a',
            Self::Stdout(_) => b'o',
            Self::Stderr(_) => b'e',
            Self::Failed(_) => b'!',
            Self::File(_) => b'f',
            Self::Program(_) => b'p',
            Self::Exit(_) => b'x',
            Self::Signal(_) => b's',
        }
    }

    fn parse(kind: u8, payload: &[u8]) -> Option<Self> {
        let number = || Some(i32::from_le_bytes(payload.try_into().ok()?));
        Some(match kind {
            b'r' => Self::Ready,
            b'a' => Self::Alive,
            b'o' => Self::Stdout(payload.to_vec()),
            b'e' => Self::Stderr(payload.to_vec()),
            b'!' => Self::Failed(String::from_utf8_lossy(payload).into_owned()),
            b'f' => Self::File(Returned::parse(payload)?),
            b'p' => Self::Program(OsString::from_vec(payload.to_vec()).into()),
            b'x' => Self::Exit(number()?),
            b's' => Self::Signal(number()?),
            _ => return None,
        })
    }
}

impl Returned {
    /// The content.
    ///
    /// # Errors
    /// When this program cannot be read.
    pub fn content(&self) -> io::Result<Cow<'_, [u8]>> {
        match &self.bytes {
            Some(bytes) => Ok(bytes.into()),
            None => read_program(Path::new(OWN)).map(Cow::Owned),
        }
    }

    /// Path, a zero byte, permissions, and the content compressed: the port is slow, and reports shrink to a twentieth.
    fn payload(&self) -> io::Result<Vec<u8>> {
        let mut payload = self.path.as_os_str().as_bytes().to_vec();
        payload.push(0);
        payload.extend(self.mode.to_le_bytes());
        let mut compressed = ZlibEncoder::new(payload, Compression::fast());
        compressed.write_all(&self.content()?)?;
        compressed.finish()
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let end = payload.iter().position(|byte| *byte == 0)?;
        let (mode, content) = payload.get(end + 1..)?.split_first_chunk::<4>()?;
        let bytes = Some(read::whole(ZlibDecoder::new(content), LONGEST).ok()?);
        let path = OsString::from_vec(payload[..end].to_vec()).into();
        Some(Self { path, mode: u32::from_le_bytes(*mode), bytes })
    }
}

/// Takes frames out of a stream of bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    /// Takes more bytes in, and the messages that are whole now out.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when a frame is damaged: what follows cannot be read either.
    pub fn feed(&mut self, bytes: &[u8]) -> io::Result<Vec<Message>> {
        self.pending.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some(frame) = self.whole_frame()? {
            let (body, sum) = frame.split_at(frame.len() - TAIL);
            let intact = crc32fast::hash(body).to_le_bytes() == *sum;
            let message = if intact { Message::parse(body[0], &body[HEAD..]) } else { None };
            messages.push(message.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?);
        }
        Ok(messages)
    }

    fn whole_frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(length) = self.pending.get(1..HEAD).and_then(|bytes| bytes.try_into().ok()) else { return Ok(None) };
        let length = u32::from_le_bytes(length);
        if u64::from(length) > LONGEST.get() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let whole = HEAD + usize::try_from(length).map_err(io::Error::other)? + TAIL;
        if self.pending.len() < whole {
            return Ok(None);
        }
        let rest = self.pending.split_off(whole);
        Ok(Some(std::mem::replace(&mut self.pending, rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Message> {
        let file = Returned { path: "/tmp/results.json".into(), mode: 0o644, bytes: Some(vec![b'x'; 100_000]) };
        vec![
            Message::Ready,
            Message::Alive,
            Message::Stdout(b"out\n".to_vec()),
            Message::Stderr(vec![0, 255, b'\n']),
            Message::Failed("no such module".to_owned()),
            Message::File(file),
            Message::Program("/tmp/kept/probe".into()),
            Message::Exit(3),
            Message::Signal(9),
        ]
    }

    #[test]
    fn every_message_comes_back_whatever_the_pieces() {
        let bytes: Vec<u8> = all().iter().flat_map(|message| message.frame().unwrap()).collect();
        for size in [1, 7, bytes.len()] {
            let mut decoder = Decoder::default();
            let found: Vec<Message> = bytes.chunks(size).flat_map(|piece| decoder.feed(piece).unwrap()).collect();
            assert_eq!(found, all());
        }
    }

    #[test]
    fn a_torn_frame_is_no_message_and_a_damaged_one_an_error() {
        let frame = Message::Exit(0).frame().unwrap();
        assert_eq!(Decoder::default().feed(&frame[..frame.len() - 1]).unwrap(), []);
        let mut damaged = frame.clone();
        damaged[HEAD] ^= 1;
        assert!(Decoder::default().feed(&damaged).is_err());
        assert!(Decoder::default().feed(b"o\xff\xff\xff\xff").is_err(), "four gigabytes are not waited for");
    }

    #[test]
    fn a_file_is_sent_compressed() {
        assert!(all()[5].frame().unwrap().len() < 1000);
    }
}
