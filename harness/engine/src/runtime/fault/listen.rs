//! How a wrong runtime hands the listener of a filter over.

use std::fmt;

use super::{Fault, config};
use crate::containers::listener::Connection;

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Handover {
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

impl Fault {
    /// What the harness sees of the connections that a runtime has made.
    pub(crate) fn connections(self, mut made: Vec<Connection>) -> Vec<Connection> {
        match self {
            Self::SaysToListener(pointer, value) => made.iter_mut().for_each(|connection| {
                if let Ok(mut document) = serde_json::from_str(&connection.text) {
                    config::replace(&mut document, pointer, value);
                    connection.text = document.to_string();
                }
            }),
            Self::Handover(wrong) => {
                made.iter_mut().for_each(|connection| wrong.make(connection));
                if wrong == Handover::TwoConnections
                    && let Some(first) = made.first()
                {
                    made.push(Connection { text: first.text.clone(), fds: Vec::new(), with_first: 0, closed: true });
                }
            }
            _ => {}
        }
        made
    }
}

impl Handover {
    fn make(self, connection: &mut Connection) {
        match self {
            Self::Bare => {
                connection.fds.clear();
                connection.with_first = 0;
            }
            Self::Late => connection.with_first = 0,
            Self::Twice => connection.text = connection.text.repeat(2),
            Self::LeftOpen => connection.closed = false,
            Self::TwoConnections => {}
        }
    }
}

impl fmt::Display for Handover {
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
