//! Network devices that move into the container. Specification: `config-linux.md`, Network Devices; rtnetlink(7).

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::io::Errno;

use crate::config::{Linux, NamespaceKind};
use crate::error::{Context, Error, Result};
use crate::netlink::{
    NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, RTM_GETADDR, RTM_GETLINK, RTM_NEWADDR, RTM_NEWLINK, Socket, attribute,
    attributes, link_message, number,
};
use crate::procfs;
use crate::sys;

/// Attributes and values of linux/if_link.h, linux/if_addr.h and linux/rtnetlink.h.
const IFLA_IFNAME: u16 = 3;
const IFLA_NET_NS_FD: u16 = 28;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_F_PERMANENT: u32 = 0x80;
const RT_SCOPE_UNIVERSE: u8 = 0;
/// `struct ifinfomsg` and `struct ifaddrmsg`.
const LINK_MESSAGE: usize = 16;
const ADDRESS_MESSAGE: usize = 8;

/// Moves the configured devices into the network namespace of process `pid`: renamed if asked for, with their permanent
/// addresses of global scope, and switched up.
///
/// # Errors
/// When a device does not exist, its new name is taken, or the kernel refuses.
pub fn move_all(linux: &Linux, pid: i32) -> Result<()> {
    if linux.net_devices.is_empty() {
        return Ok(());
    }
    let proc = procfs::open()?;
    let outer = Namespace { fd: procfs::open_link(proc.as_fd(), "self/ns/net".as_ref())? };
    let inner = Namespace { fd: procfs::open_link(proc.as_fd(), format!("{pid}/ns/net").as_ref())? };
    let here = Socket::open().doing(|| "open a netlink socket".into())?;
    let there = outer.visit(&inner, || Socket::open().doing(|| "open a netlink socket in the container".into()))?;
    for (name, device) in &linux.net_devices {
        let inside = device.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(name);
        move_device(&here, &there, &inner, name, inside).doing(|| format!("linux.netDevices.{name}"))?;
    }
    Ok(())
}

struct Namespace {
    fd: OwnedFd,
}

impl Namespace {
    /// Does something in `other` and comes back to this one.
    fn visit<T>(&self, other: &Self, action: impl FnOnce() -> Result<T>) -> Result<T> {
        let flag = NamespaceKind::Network.clone_flag();
        sys::setns(other.fd.as_fd(), flag).doing(|| "enter the container's network namespace".into())?;
        let done = action();
        sys::setns(self.fd.as_fd(), flag).doing(|| "come back to the network namespace of the runtime".into())?;
        done
    }
}

fn move_device(here: &Socket, there: &Socket, inner: &Namespace, name: &str, inside: &str) -> Result<()> {
    let index = index_of(here, name).doing(|| format!("find `{name}`"))?;
    let index = index.ok_or_else(|| Error::new("no such device in the network namespace of the runtime"))?;
    let template = inside.contains('%');
    if !template && index_of(there, inside).doing(|| format!("look for `{inside}` in the container"))?.is_some() {
        return Err(Error::new(format!("the name `{inside}` is taken in the container")));
    }
    let addresses = permanent_addresses(here, index).doing(|| "read its addresses".into())?;
    let before = if template { names(there).doing(|| "list the devices in the container".into())? } else { Vec::new() };
    let mut body = link_message(index, 0, 0);
    body.extend(attribute(IFLA_NET_NS_FD, &inner.fd.as_raw_fd().to_ne_bytes()));
    body.extend(attribute(IFLA_IFNAME, &name_bytes(inside)));
    here.request(RTM_NEWLINK, 0, &body).doing(|| "move it".into())?;
    let moved = if template {
        let after = names(there).doing(|| "list the devices in the container".into())?;
        after.into_iter().find(|(found, _)| !before.iter().any(|(known, _)| known == found)).map(|(_, index)| index)
    } else {
        index_of(there, inside).doing(|| "find it in the container".into())?
    };
    let moved = moved.ok_or_else(|| Error::new("it did not arrive in the container"))?;
    let up = libc::IFF_UP.unsigned_abs();
    for address in addresses {
        add_address(there, moved, &address).doing(|| "add its address".into())?;
    }
    there.request(RTM_NEWLINK, 0, &link_message(moved, up, up)).doing(|| "switch it up".into()).map(drop)
}

fn name_bytes(name: &str) -> Vec<u8> {
    [name.as_bytes(), b"\0"].concat()
}

/// The index of the link called `name`, if there is one.
fn index_of(socket: &Socket, name: &str) -> Result<Option<u32>, Errno> {
    let mut body = link_message(0, 0, 0);
    body.extend(attribute(IFLA_IFNAME, &name_bytes(name)));
    match socket.request(RTM_GETLINK, 0, &body) {
        Err(Errno::NODEV) => Ok(None),
        links => Ok(links?.first().map(|link| number(link, 4))),
    }
}

/// Names and indices of all links.
fn names(socket: &Socket) -> Result<Vec<(Vec<u8>, u32)>, Errno> {
    let links = socket.request(RTM_GETLINK, NLM_F_DUMP, &link_message(0, 0, 0))?;
    let name = |link: &[u8]| {
        let named = attributes(link.get(LINK_MESSAGE..)?).into_iter().find(|(kind, _)| *kind == IFLA_IFNAME);
        named.map(|(_, name)| (name.to_vec(), number(link, 4)))
    };
    Ok(links.iter().filter_map(|link| name(link)).collect())
}

/// The messages of the addresses that outlive a move: permanent ones of global scope.
fn permanent_addresses(socket: &Socket, index: u32) -> Result<Vec<Vec<u8>>, Errno> {
    let all = socket.request(RTM_GETADDR, NLM_F_DUMP, &[0; ADDRESS_MESSAGE])?;
    let wanted = |address: &Vec<u8>| {
        let Some(rest) = address.get(ADDRESS_MESSAGE..) else { return false };
        let flags = attributes(rest).into_iter().find(|(kind, _)| *kind == IFA_FLAGS);
        let flags = flags.map_or(u32::from(address[2]), |(_, flags)| number(flags, 0));
        number(address, 4) == index && address[3] == RT_SCOPE_UNIVERSE && flags & IFA_F_PERMANENT != 0
    };
    Ok(all.into_iter().filter(wanted).collect())
}

/// Adds an address as it was: all of its message but the index, which is new, and the lifetimes, which are endless.
fn add_address(socket: &Socket, index: u32, address: &[u8]) -> Result<(), Errno> {
    let (head, rest) = address.split_at(ADDRESS_MESSAGE);
    let mut body = [&head[..4], &index.to_ne_bytes()].concat();
    for (kind, value) in attributes(rest).into_iter().filter(|(kind, _)| *kind != IFA_CACHEINFO && *kind != IFLA_IFNAME)
    {
        body.extend(attribute(kind, value));
    }
    match socket.request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body) {
        Err(Errno::EXIST) => Ok(()),
        added => added.map(drop),
    }
}
