//! Network devices for a runtime to move. They are made in a network namespace of the check, so the host's network is never touched,
//! and they disappear with it.

mod device;
mod netlink;

use std::fs::File;
use std::io;
use std::path::Path;

use nix::sched::{CloneFlags, setns, unshare};

pub use device::{Address, Device};
use netlink::Socket;

use crate::containers::lab::Lab;
use crate::runtime::judgement::{StepResult, Stop};

/// Kinds of devices that need no hardware and may move, the plainest first.
const MOVABLE: [&str; 3] = ["dummy", "ifb", "veth"];

/// The network namespace of the check, until this is dropped.
#[derive(Debug)]
pub struct Network {
    before: File,
    stack: Stack,
}

/// The network devices of one namespace.
#[derive(Debug)]
pub struct Stack(Socket);

impl Lab<'_> {
    /// Puts this check, and every runtime that it calls from now on, into a network namespace of its own.
    ///
    /// # Errors
    /// [`Stop::Error`] when the kernel refuses.
    pub fn network(&self) -> StepResult<Network> {
        let before = File::open("/proc/self/ns/net")?;
        unshare(CloneFlags::CLONE_NEWNET)?;
        match Socket::open() {
            Ok(socket) => Ok(Network { before, stack: Stack(socket) }),
            Err(why) => {
                setns(&before, CloneFlags::CLONE_NEWNET)?;
                Err(Stop::error("open a netlink socket")(why))
            }
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // In the other one the guard would miss the devices of the host, and say so.
        match setns(&self.before, CloneFlags::CLONE_NEWNET) {
            Ok(()) | Err(_) => {}
        }
    }
}

impl std::ops::Deref for Network {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}

impl Stack {
    /// The devices of the namespace behind a path such as `/proc/PID/ns/net`.
    ///
    /// # Errors
    /// When it cannot be entered.
    pub fn at(path: &str) -> io::Result<Self> {
        let (own, other) = (File::open("/proc/self/ns/net")?, File::open(path)?);
        setns(other, CloneFlags::CLONE_NEWNET)?;
        let socket = Socket::open();
        setns(own, CloneFlags::CLONE_NEWNET)?;
        socket.map(Self)
    }

    /// Makes a device that may move.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the kernel has no kind of them.
    pub fn add(&self, name: &str) -> StepResult<Device> {
        for kind in MOVABLE {
            match self.0.add(name, kind) {
                Ok(()) => return self.device(name),
                Err(why) if matches!(why.raw_os_error(), Some(libc::EOPNOTSUPP)) => {}
                Err(why) => return Err(Stop::error(&format!("make a network device of kind {kind}"))(why)),
            }
        }
        Err(Stop::Skip("the kernel has no network device without hardware: load its module `dummy`".into()))
    }

    /// Makes a bridge, which belongs to its network namespace and cannot move.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the kernel has none.
    pub fn add_bridge(&self, name: &str) -> StepResult<Device> {
        match self.0.add(name, "bridge") {
            Ok(()) => self.device(name),
            Err(why) if why.raw_os_error() == Some(libc::EOPNOTSUPP) => {
                Err(Stop::Skip("the kernel has no network bridges: load its module `bridge`".into()))
            }
            Err(why) => Err(Stop::error("make a bridge")(why)),
        }
    }

    /// Every device.
    ///
    /// # Errors
    /// [`Stop::Error`] when the kernel gives no answer.
    pub fn devices(&self) -> StepResult<Vec<Device>> {
        self.0.devices().map_err(Stop::error("list the network devices"))
    }

    /// The device of this name.
    ///
    /// # Errors
    /// [`Stop::Broken`] when there is none.
    pub fn device(&self, name: &str) -> StepResult<Device> {
        let all = self.devices()?;
        let names: Vec<&str> = all.iter().map(|device| &*device.name).collect();
        let found = all.iter().find(|device| device.name == name).cloned();
        found.ok_or_else(|| Stop::broken("the network devices", format!("{name} is among them"), names.join(" ")))
    }

    /// The names of all devices, sorted.
    ///
    /// # Errors
    /// As [`Stack::devices`].
    pub fn names(&self) -> StepResult<Vec<String>> {
        let mut names: Vec<String> = self.devices()?.into_iter().map(|device| device.name).collect();
        names.sort();
        Ok(names)
    }

    /// Gives a device an address.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the kernel has no such addresses.
    pub fn give(&self, device: &Device, address: Address) -> StepResult {
        if address.is_v6() && !Path::new("/proc/net/if_inet6").exists() {
            return Err(Stop::Skip("the kernel has no IPv6: boot it with `ipv6.disable=0`".into()));
        }
        let given = self.0.address(device.index, &address, true);
        given.map_err(Stop::error(&format!("give {} the address {address}", device.name)))
    }

    /// Takes an address from a device.
    ///
    /// # Errors
    /// When it has none such.
    pub fn take(&self, device: &Device, address: Address) -> io::Result<()> {
        self.0.address(device.index, &address, false)
    }

    /// Switches a device up or down.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn switch(&self, device: &Device, up: bool) -> io::Result<()> {
        self.0.switch(device.index, up)
    }

    /// Changes the largest packet, the queue and the alias.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn shape(&self, device: &Device) -> io::Result<()> {
        self.0.change(device.index, netlink::IFLA_MTU, &1234_u32.to_ne_bytes())?;
        self.0.change(device.index, netlink::IFLA_TXQLEN, &77_u32.to_ne_bytes())?;
        self.0.change(device.index, netlink::IFLA_IFALIAS, b"plimsoll")
    }

    /// Changes the largest packet.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn resize(&self, device: &Device, mtu: u32) -> io::Result<()> {
        self.0.change(device.index, netlink::IFLA_MTU, &mtu.to_ne_bytes())
    }

    /// Moves a device to the network namespace of this process.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn fetch(&self, device: &Device) -> io::Result<()> {
        self.0.send_to(device.index, File::open("/proc/self/ns/net")?)
    }
}
