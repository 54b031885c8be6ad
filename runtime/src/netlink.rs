//! As much of rtnetlink(7) as a runtime needs: change a link, list links and addresses.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// Message kinds and flags of linux/rtnetlink.h and linux/netlink.h.
pub const RTM_NEWLINK: u16 = 16;
/// Asks for a link.
pub const RTM_GETLINK: u16 = 18;
/// Adds an address.
pub const RTM_NEWADDR: u16 = 20;
/// Asks for addresses.
pub const RTM_GETADDR: u16 = 22;
/// All of them.
pub const NLM_F_DUMP: u16 = 0x300;
/// Made if it does not exist.
pub const NLM_F_CREATE: u16 = 0x400;
/// Refused if it exists.
pub const NLM_F_EXCL: u16 = 0x200;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER: usize = 16;

/// A socket to the network stack of the namespace it was made in.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl Socket {
    /// Opens a socket in the network namespace of this process.
    ///
    /// # Errors
    /// As socket(2).
    pub fn open() -> Result<Self, Errno> {
        let family = AddressFamily::NETLINK;
        // No protocol stands for 0, which is NETLINK_ROUTE.
        rustix::net::socket_with(family, SocketType::RAW, SocketFlags::CLOEXEC, None).map(Self)
    }

    /// Sends one request and returns the bodies of what is answered.
    ///
    /// # Errors
    /// The error that the kernel answers with.
    pub fn request(&self, kind: u16, flags: u16, body: &[u8]) -> Result<Vec<Vec<u8>>, Errno> {
        let length = u32::try_from(HEADER + body.len()).map_err(|_| Errno::MSGSIZE)?;
        let mut message = Vec::with_capacity(HEADER + body.len());
        message.extend(length.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend((flags | NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
        message.extend([0; 8]);
        message.extend(body);
        rustix::net::sendto(&self.0, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        self.answers()
    }

    fn answers(&self) -> Result<Vec<Vec<u8>>, Errno> {
        let mut bodies = Vec::new();
        loop {
            let (_, length) = rustix::net::recv(&self.0, &mut [0; 1], RecvFlags::PEEK | RecvFlags::TRUNC)?;
            let mut packet = vec![0; length];
            rustix::net::recv(&self.0, packet.as_mut_slice(), RecvFlags::empty())?;
            let mut rest = packet.as_slice();
            while rest.len() >= HEADER {
                let size = (number(rest, 0) as usize).clamp(HEADER, rest.len());
                let body = &rest[HEADER..size];
                match u16::from_ne_bytes([rest[4], rest[5]]) {
                    NLMSG_DONE => return Ok(bodies),
                    NLMSG_ERROR => {
                        let error = i32::from_ne_bytes(number(body, 0).to_ne_bytes());
                        return if error == 0 { Ok(bodies) } else { Err(Errno::from_raw_os_error(-error)) };
                    }
                    _ => bodies.push(body.to_vec()),
                }
                rest = &rest[size.next_multiple_of(4).min(rest.len())..];
            }
        }
    }
}

/// The four bytes at `at` as a number; 0 beyond the end.
pub fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

/// An attribute: length, kind, value, padding.
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    let mut attribute = Vec::with_capacity(usize::from(length) + 3);
    attribute.extend(length.to_ne_bytes());
    attribute.extend(kind.to_ne_bytes());
    attribute.extend(value);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

/// The attributes in `bytes`: kind and value.
pub fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while bytes.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]])).clamp(4, bytes.len());
        found.push((u16::from_ne_bytes([bytes[2], bytes[3]]), &bytes[4..length]));
        bytes = &bytes[length.next_multiple_of(4).min(bytes.len())..];
    }
    found
}

/// A `struct ifinfomsg` that names link `index` and changes the flags in `change` to those in `flags`.
pub fn link_message(index: u32, flags: u32, change: u32) -> Vec<u8> {
    let mut message = vec![0; 4];
    for field in [index, flags, change] {
        message.extend(field.to_ne_bytes());
    }
    message
}

/// Brings the loopback device of a new network namespace up; it always has index 1.
///
/// # Errors
/// The error that the kernel answers with.
pub fn loopback_up() -> Result<(), Errno> {
    let up = libc::IFF_UP.unsigned_abs();
    Socket::open()?.request(RTM_NEWLINK, 0, &link_message(1, up, up)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_they_are_written() {
        let bytes = [attribute(3, b"eth0\0"), attribute(4, &[1, 2, 3, 4])].concat();
        assert_eq!(attributes(&bytes), [(3, b"eth0\0".as_slice()), (4, [1, 2, 3, 4].as_slice())]);
    }
}
