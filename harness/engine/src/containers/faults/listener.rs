//! Faults in handing over the listener of a seccomp filter.

use crate::containers::listener::Connection;
use crate::runtime::fault::{Fault, ListenerFault, replace};

impl Fault {
    /// What the harness sees of the connections that a runtime has made.
    pub(crate) fn connections(self, mut made: Vec<Connection>) -> Vec<Connection> {
        match self {
            Self::SaysToListener(pointer, value) => made.iter_mut().for_each(|connection| {
                if let Ok(mut document) = serde_json::from_str(&connection.text) {
                    replace(&mut document, pointer, value);
                    connection.text = document.to_string();
                }
            }),
            Self::Listener(wrong) => {
                made.iter_mut().for_each(|connection| wrong.make(connection));
                if wrong == ListenerFault::TwoConnections
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

impl ListenerFault {
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
