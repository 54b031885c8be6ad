//! Faults in moving network devices.

use std::fmt;

/// One thing that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NetworkFault {
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

impl fmt::Display for NetworkFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoVersion4 => "forgets the IPv4 addresses of a network device",
            Self::NoVersion6 => "forgets the IPv6 addresses of a network device",
            Self::FewerAddresses => "forgets an address of a network device",
            Self::Down => "leaves network devices down",
            Self::Resized => "changes the MTU of a network device",
            Self::LinkAddress => "adds a link-local address to a network device",
            Self::OwnAddress => "adds an address to a network device",
            Self::UpAgain => "sets network devices up again at start",
            Self::Back => "takes network devices back at delete",
        })
    }
}
