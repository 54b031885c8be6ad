//! Faults in moving network devices.

use std::io;
use std::net::Ipv4Addr;

use nix::unistd::Pid;
use plimsoll_fixtures::Bundle;

use crate::containers::network::{Address, Device, Stack};
use crate::runtime::fault::NetworkFault;
use crate::runtime::judgement::Stop;

impl NetworkFault {
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
