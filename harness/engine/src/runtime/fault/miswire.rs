//! What a wrong runtime does to the network devices that it has moved.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;

use nix::unistd::Pid;
use plimsoll_fixtures::Bundle;

use crate::containers::network::{Address, Device, Stack};
use crate::runtime::judgement::Stop;

/// One thing that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Miswire {
    /// It forgets the addresses of version 4.
    NoVersion4,
    /// It forgets the addresses of version 6.
    NoVersion6,
    /// It forgets one of several addresses.
    FewerAddresses,
    /// It leaves the device switched off.
    Down,
    /// It changes the largest packet.
    Resized,
    /// It gives the device an address that is valid on the link alone.
    LinkAddress,
    /// It gives the device an address that nobody asked for.
    OwnAddress,
    /// It switches the device up once more at start.
    UpAgain,
    /// It takes the device back at delete.
    Back,
}

impl Miswire {
    pub(super) fn at_create(self, pid: &str) -> io::Result<()> {
        let stack = Stack::at(&format!("/proc/{pid}/ns/net"))?;
        for device in moved(&stack)? {
            let of_version = |six: bool| device.addresses.iter().filter(move |address| address.is_v6() == six).copied();
            let taken: Vec<Address> = match self {
                Self::NoVersion4 => of_version(false).collect(),
                Self::NoVersion6 => of_version(true).collect(),
                Self::FewerAddresses => of_version(false).take(1).collect(),
                _ => Vec::new(),
            };
            taken.into_iter().try_for_each(|address| stack.take(&device, address))?;
            match self {
                Self::Down => stack.switch(&device, false)?,
                Self::Resized => stack.resize(&device, 1300)?,
                Self::LinkAddress => {
                    stack.give(&device, Address::of_link(Ipv4Addr::new(169, 254, 7, 7), 16)).map_err(told)?;
                }
                Self::OwnAddress => {
                    stack.give(&device, Address::global_v4(Ipv4Addr::new(10, 9, 8, 7), 8)).map_err(told)?
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn at_start(self, pid: Pid) -> io::Result<()> {
        if self != Self::UpAgain {
            return Ok(());
        }
        let stack = Stack::at(&format!("/proc/{pid}/ns/net"))?;
        moved(&stack)?.iter().try_for_each(|device| stack.switch(device, true))
    }

    pub(super) fn at_delete(self, bundle: &Bundle) -> io::Result<()> {
        let path = bundle.config.namespace("network").and_then(|entry| entry["path"].as_str());
        let (Self::Back, Some(path)) = (self, path) else { return Ok(()) };
        let stack = Stack::at(path)?;
        moved(&stack)?.iter().try_for_each(|device| stack.fetch(device))
    }
}

/// Every device but the one that each network namespace has.
fn moved(stack: &Stack) -> io::Result<Vec<Device>> {
    Ok(stack.devices().map_err(told)?.into_iter().filter(|device| device.name != "lo").collect())
}

#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn told(why: Stop) -> io::Error {
    io::Error::other(format!("{why:?}"))
}

impl fmt::Display for Miswire {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoVersion4 => "forgets the IPv4 addresses of a network device",
            Self::NoVersion6 => "forgets the IPv6 addresses of a network device",
            Self::FewerAddresses => "forgets an address of a network device",
            Self::Down => "leaves network devices switched off",
            Self::Resized => "changes the largest packet of a network device",
            Self::LinkAddress => "gives a network device an address of the link",
            Self::OwnAddress => "gives a network device an address of its own choice",
            Self::UpAgain => "switches network devices up once more at start",
            Self::Back => "takes network devices back at delete",
        })
    }
}
