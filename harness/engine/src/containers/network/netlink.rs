//! The part of rtnetlink(7) that the checks need: make, change and list devices, add and list addresses.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, socket,
};

use super::device::{Address, Device};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;

const REQUEST: u16 = 1;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
const CREATE: u16 = 0x600; // and it must not be there yet

const ERROR: u16 = 2;
const DONE: u16 = 3;

pub(super) const IFLA_ADDRESS: u16 = 1;
pub(super) const IFLA_IFNAME: u16 = 3;
pub(super) const IFLA_MTU: u16 = 4;
pub(super) const IFLA_TXQLEN: u16 = 13;
pub(super) const IFLA_IFALIAS: u16 = 20;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_NET_NS_FD: u16 = 28;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
/// Usable at once: no other host is asked whether it has the address.
const IFA_F_NODAD: u32 = 2;

/// Sizes of `struct nlmsghdr`, `struct ifinfomsg` and `struct ifaddrmsg`.
const HEADER: usize = 16;
const LINK: usize = 16;
const ADDRESS: usize = 8;

/// A socket to the network stack of the namespace that it was made in, wherever its process goes.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    pub(super) fn open() -> io::Result<Self> {
        let (family, protocol) = (AddressFamily::Netlink, SockProtocol::NetlinkRoute);
        let fd = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        Ok(Self(fd))
    }

    /// Sends one request and returns kind and body of each message of the answer.
    fn request(&self, kind: u16, flags: u16, body: &[u8]) -> io::Result<Vec<(u16, Vec<u8>)>> {
        let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
        let flags = flags | REQUEST | ACK;
        let message = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &flags.to_ne_bytes(), &[0; 8], body].concat();
        send(self.0.as_raw_fd(), &message, MsgFlags::empty())?;
        let mut found = Vec::new();
        loop {
            let mut buffer = vec![0; 64 * 1024];
            let size = recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            buffer.truncate(size);
            for (kind, body) in messages(&buffer) {
                match (kind, number(&body, 0).cast_signed()) {
                    (ERROR, 0) | (DONE, _) => return Ok(found),
                    (ERROR, code) => return Err(io::Error::from_raw_os_error(-code)),
                    _ => found.push((kind, body)),
                }
            }
        }
    }

    /// Makes a device of a kind, such as `dummy`.
    pub(super) fn add(&self, name: &str, kind: &str) -> io::Result<()> {
        let kind = attribute(IFLA_INFO_KIND, kind.as_bytes());
        let attributes = [attribute(IFLA_IFNAME, &text(name)), attribute(IFLA_LINKINFO, &kind)].concat();
        self.request(RTM_NEWLINK, CREATE, &[link(0, None), attributes].concat()).map(drop)
    }

    /// Changes attributes of a device.
    pub(super) fn change(&self, index: u32, kind: u16, value: &[u8]) -> io::Result<()> {
        self.request(RTM_NEWLINK, 0, &[link(index, None), attribute(kind, value)].concat()).map(drop)
    }

    /// Switches a device up or down.
    pub(super) fn switch(&self, index: u32, up: bool) -> io::Result<()> {
        self.request(RTM_NEWLINK, 0, &link(index, Some(up))).map(drop)
    }

    /// Moves a device to another network namespace.
    pub(super) fn send_to(&self, index: u32, namespace: impl AsFd) -> io::Result<()> {
        self.change(index, IFLA_NET_NS_FD, &namespace.as_fd().as_raw_fd().to_ne_bytes())
    }

    /// Adds or takes away an address.
    pub(super) fn address(&self, index: u32, address: &Address, wanted: bool) -> io::Result<()> {
        let bytes = address.bytes();
        let family = if bytes.len() == 4 { libc::AF_INET } else { libc::AF_INET6 };
        let family = u8::try_from(family).map_err(io::Error::other)?;
        let mut body = vec![family, address.prefix, 0, address.scope];
        body.extend(index.to_ne_bytes());
        body.extend(attribute(IFA_LOCAL, &bytes));
        body.extend(attribute(IFA_ADDRESS, &bytes));
        body.extend(attribute(IFA_FLAGS, &IFA_F_NODAD.to_ne_bytes()));
        if let Some(seconds) = address.lifetime {
            // Preferred, valid, and two times that the kernel sets.
            body.extend(attribute(IFA_CACHEINFO, &[seconds, seconds, 0, 0].map(u32::to_ne_bytes).concat()));
        }
        let (kind, flags) = if wanted { (RTM_NEWADDR, CREATE) } else { (RTM_DELADDR, 0) };
        self.request(kind, flags, &body).map(drop)
    }

    /// All devices with their addresses.
    pub(super) fn devices(&self) -> io::Result<Vec<Device>> {
        let links = self.request(RTM_GETLINK, DUMP, &link(0, None))?;
        let addresses = self.request(RTM_GETADDR, DUMP, &[0; ADDRESS])?;
        let device = |body: &[u8]| {
            let own = addresses.iter().filter(|(_, address)| number(address, 4) == number(body, 4));
            let addresses = own.filter_map(|(_, address)| address_of(address)).collect();
            Device::new(number(body, 4), number(body, 8), &attributes(body.get(LINK..)?), addresses)
        };
        Ok(links.iter().filter_map(|(_, body)| device(body)).collect())
    }
}

fn address_of(body: &[u8]) -> Option<Address> {
    let found = attributes(body.get(ADDRESS..)?);
    let of = |wanted| found.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| value.as_slice());
    let bytes = of(IFA_LOCAL).or_else(|| of(IFA_ADDRESS))?;
    let valid = of(IFA_CACHEINFO).map_or(u32::MAX, |info| number(info, 4));
    Address::new(bytes, body[1], body[3], (valid != u32::MAX).then_some(valid))
}

/// `struct ifinfomsg` with the flag `IFF_UP` changed or not.
fn link(index: u32, up: Option<bool>) -> Vec<u8> {
    let flag = libc::IFF_UP.cast_unsigned();
    let (flags, mask) = (if up == Some(true) { flag } else { 0 }, if up.is_some() { flag } else { 0 });
    [0, index, flags, mask].map(u32::to_ne_bytes).concat()
}

pub(super) fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}

/// `struct rtattr` and its value, up to a multiple of four.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    let mut attribute = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

fn attributes(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some(length) = short(bytes, 0).map(usize::from).filter(|&length| 4 <= length && length <= bytes.len()) {
        found.push((short(bytes, 2).unwrap_or(0), bytes[4..length].to_vec()));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn messages(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while bytes.len() >= HEADER {
        let length = usize::try_from(number(bytes, 0)).unwrap_or(0);
        if length < HEADER || bytes.len() < length {
            break;
        }
        found.push((short(bytes, 4).unwrap_or(0), bytes[HEADER..length].to_vec()));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes)
}

/// The number at a place; 0 where there is none.
pub(super) fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_back() {
        let bytes = [attribute(3, b"lo\0"), attribute(4, &1500_u32.to_ne_bytes())].concat();
        assert_eq!(attributes(&bytes), [(3, b"lo\0".to_vec()), (4, 1500_u32.to_ne_bytes().to_vec())]);
        assert!(attributes(&[9, 0, 1, 0, 2]).is_empty(), "longer than there are bytes");
    }

    #[test]
    fn the_loopback_device_is_there() {
        let devices = Socket::open().unwrap().devices().unwrap();
        let own = devices.iter().find(|device| device.name == "lo").unwrap();
        assert!(own.mtu > 1000 && own.index > 0);
    }

    #[test]
    fn what_the_kernel_refuses_is_its_error() {
        let refused = Socket::open().unwrap().switch(u32::from(u16::MAX), true).unwrap_err();
        assert!(matches!(refused.raw_os_error(), Some(libc::ENODEV | libc::EPERM)), "{refused}");
    }
}
