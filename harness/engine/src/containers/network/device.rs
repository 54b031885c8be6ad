//! A network device as the kernel shows it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::netlink::{IFLA_ADDRESS, IFLA_IFALIAS, IFLA_IFNAME, IFLA_MTU, IFLA_TXQLEN, number};

/// A device and its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number, which another network namespace may have for another one.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Whether it is switched up.
    pub up: bool,
    /// The largest packet.
    pub mtu: u32,
    /// How many packets may wait.
    pub queue: u32,
    /// A text for people.
    pub alias: String,
    /// Its hardware address.
    pub hardware: Vec<u8>,
    /// Its addresses, in order.
    pub addresses: Vec<Address>,
}

impl Device {
    pub(super) fn new(
        index: u32,
        flags: u32,
        attributes: &[(u16, Vec<u8>)],
        mut addresses: Vec<Address>,
    ) -> Option<Self> {
        let of = |wanted| attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| value.as_slice());
        let count = |wanted| of(wanted).map_or(0, |value| number(value, 0));
        let text = |wanted| of(wanted).map(|value| String::from_utf8_lossy(value).trim_end_matches('\0').to_owned());
        addresses.sort();
        Some(Self {
            index,
            name: text(IFLA_IFNAME)?,
            up: flags & libc::IFF_UP.cast_unsigned() != 0,
            mtu: count(IFLA_MTU),
            queue: count(IFLA_TXQLEN),
            alias: text(IFLA_IFALIAS).unwrap_or_default(),
            hardware: of(IFLA_ADDRESS).unwrap_or_default().to_vec(),
            addresses,
        })
    }

    /// What a move must leave as it is, in words.
    #[must_use]
    pub fn attributes(&self) -> String {
        let Self { mtu, queue, alias, hardware, .. } = self;
        format!("mtu {mtu}, queue {queue}, alias {alias:?}, hardware {hardware:02x?}")
    }

    /// Its addresses, but for those that the kernel gives to each device that is up.
    #[must_use]
    pub fn given(&self) -> Vec<String> {
        let given = self.addresses.iter().filter(|address| !address.is_of_the_kernel());
        given.map(ToString::to_string).collect()
    }
}

/// Address scopes of rtnetlink(7).
const GLOBAL: u8 = 0;
const LINK: u8 = 253;

/// An address with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    ip: IpAddr,
    pub(super) prefix: u8,
    pub(super) scope: u8,
    /// Seconds for which it is valid; none is for ever.
    pub(super) lifetime: Option<u32>,
}

impl Address {
    /// A permanent address of global scope.
    #[must_use]
    pub const fn global_v4(ip: Ipv4Addr, prefix: u8) -> Self {
        Self { ip: IpAddr::V4(ip), prefix, scope: GLOBAL, lifetime: None }
    }

    /// A permanent address of global scope.
    #[must_use]
    pub const fn global_v6(ip: Ipv6Addr, prefix: u8) -> Self {
        Self { ip: IpAddr::V6(ip), prefix, scope: GLOBAL, lifetime: None }
    }

    /// A permanent address that is valid on the link alone.
    #[must_use]
    pub const fn of_link(ip: Ipv4Addr, prefix: u8) -> Self {
        Self { ip: IpAddr::V4(ip), prefix, scope: LINK, lifetime: None }
    }

    /// An address of global scope that is valid for an hour.
    #[must_use]
    pub const fn temporary(ip: Ipv4Addr, prefix: u8) -> Self {
        Self { ip: IpAddr::V4(ip), prefix, scope: GLOBAL, lifetime: Some(3600) }
    }

    pub(super) fn new(bytes: &[u8], prefix: u8, scope: u8, lifetime: Option<u32>) -> Option<Self> {
        let ip: IpAddr = match *bytes {
            [a, b, c, d] => Ipv4Addr::new(a, b, c, d).into(),
            _ => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
        };
        Some(Self { ip, prefix, scope, lifetime })
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self.ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        }
    }

    /// Whether it is of version 6.
    #[must_use]
    pub fn is_v6(&self) -> bool {
        self.ip.is_ipv6()
    }

    /// Such as the kernel makes for each device that is switched up: version 6, of the link.
    fn is_of_the_kernel(&self) -> bool {
        self.ip.is_ipv6() && self.scope == LINK
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.ip, self.prefix)?;
        out.write_str(if self.scope == GLOBAL { "" } else { " not global" })?;
        out.write_str(if self.lifetime.is_none() { "" } else { " for a time" })
    }
}
