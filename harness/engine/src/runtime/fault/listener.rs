//! Faults in handing over the listener of a seccomp filter.

use std::fmt;

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListenerFault {
    /// Without a descriptor.
    Bare,
    /// With the descriptor after the state, in a message of its own.
    Late,
    /// With two states in one connection.
    Twice,
    /// And leaves the connection open.
    LeftOpen,
    /// By two connections.
    TwoConnections,
}

impl fmt::Display for ListenerFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Bare => "sends no descriptor to the listener",
            Self::Late => "sends the descriptor later than the state",
            Self::Twice => "sends two states in one connection to the listener",
            Self::LeftOpen => "leaves the connection to the listener open",
            Self::TwoConnections => "makes two connections to the listener",
        })
    }
}
