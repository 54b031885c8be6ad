//! Faults that the engine injects, which make a mutant of the runtime. The engine changes the configuration that the runtime reads, or
//! the answer that the harness gets, while the harness judges by the true configuration.

mod config;
mod display;
mod equivalent;
mod listener;
mod network;
mod neutral;
mod value;

use nix::sys::signal::Signal;
use plimsoll_fixtures::probe::Flaw;
use serde_json::Value;

pub(crate) use config::replace;
pub use listener::ListenerFault;
pub use network::NetworkFault;
pub use neutral::Neutral;
pub use value::ValueFault;

use crate::runtime::profile::Op;
use crate::system::process::Ended;

/// One way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The runtime does not look at the property at this JSON pointer.
    Drop(&'static str),
    /// It forgets the last element of the array at this JSON pointer.
    DropLast(&'static str),
    /// It takes the array at this JSON pointer in reverse order.
    Reverse(&'static str),
    /// It takes the property at this JSON pointer for this other value, given as JSON.
    Take(&'static str, &'static str),
    /// It takes the array at this JSON pointer to have one more element, given as JSON.
    Push(&'static str, &'static str),
    /// It takes the elements of the array at the first JSON pointer for more of the array at the second.
    Move(&'static str, &'static str),
    /// It does nothing for this operation, and says that it worked.
    Ignore(Op),
    /// It does what this operation asks, whatever comes of it, and says that it worked.
    Succeed(Op),
    /// It does what this operation asks, and says that it failed.
    Fail(Op),
    /// It does what this operation asks twice.
    Twice(Op),
    /// Its state document has this value, given as JSON, at this JSON pointer.
    Lie(&'static str, &'static str),
    /// It runs the user's program already at create.
    EagerStart,
    /// It sends this signal, whichever it was asked to send.
    Send(Signal),
    /// At delete it removes what the container used and create did not make: the bundle, and the cgroup above.
    DeleteForeign,
    /// It is wrong in all these ways at once.
    All(&'static [Fault]),
    /// Before create it gives the root filesystem to another user.
    GiveAway,
    /// At create it gives `/dev/null` of the host to another user.
    GiveNullAway,
    /// It starts the program in a state that no configuration asks for.
    Flawed(Flaw),
    /// At create it follows a link out of the root filesystem: it writes to the directory `trap` of the bundle.
    Escape,
    /// It gets the value at this JSON pointer wrong in this way. A `-` in the pointer is the last element of an array.
    Value(&'static str, ValueFault),
    /// At delete it leaves this behind.
    Leave(Leftover),
    /// At create it writes a file into the root filesystem.
    Scribble,
    /// At create it lets everybody write to what it keeps of the container.
    OpenState,
    /// It writes the id of another process into the pid file.
    WrongPid,
    /// It takes the container's process out of its control groups.
    MoveOut,
    /// It puts the container's process into control groups beside those that have the limits.
    Beside,
    /// It gives the limits of the container to the control groups above, too.
    Above,
    /// It gives the container's control groups and all their files to another user.
    GiveGroupAway,
    /// It mounts cgroup version 2 on the host, without options, which takes those of the host away.
    DropGroupOptions,
    /// Update gets this value, given as JSON, at this JSON pointer.
    Misupdate(&'static str, &'static str),
    /// It does not come back from this operation.
    Hang(Op),
    /// It executes the program of exec on the host.
    ExecOutside,
    /// It takes the program of exec out of the container's control groups.
    ExecMovedOut,
    /// At each fifth call of this operation it does nothing and exits with this code.
    Flaky(Op, i32),
    /// It does this operation with additional options.
    Amend(Op, &'static [&'static str]),
    /// It takes no notice of this option of an operation, by its name in the profile.
    Forget(Op, &'static str),
    /// When no state directory is named it takes this one, by its path from that of `XDG_RUNTIME_DIR`.
    StateIn(&'static str),
    /// What this operation prints has this value, given as JSON, at this JSON pointer.
    Misreport(Op, &'static str, &'static str),
    /// It does this to the network devices of the container.
    Network(NetworkFault),
    /// It hands the listener of a filter over in this way.
    Listener(ListenerFault),
    /// The process state that it sends to that listener has this value, given as JSON, at this JSON pointer.
    SaysToListener(&'static str, &'static str),
    /// It is wrong in this way at exec alone.
    OfExec(&'static Fault),
    /// It takes the program of exec into each namespace of the container but that of this kind, as named in
    /// `/proc/PID/ns`, and gives it nothing else that a program of the container has: no filter, no limits.
    ExecBeside(&'static str),
    /// Nothing is wrong with it.
    Neutral(Neutral),
}

/// What can be left behind by delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leftover {
    /// The container's control group.
    Cgroup,
    /// A control group of another name.
    OtherCgroup,
    /// A cgroup in each hierarchy whose name is unrelated to the container.
    ForeignCgroup,
    /// A directory of its id in the state root.
    State,
    /// A mount on the host.
    Mount,
    /// A process.
    Process,
    /// A file in the bundle.
    File,
    /// A file somewhere on the host, where a check has laid [`crate::containers::overlay`] to see it.
    HostFile,
}

impl Fault {
    /// The members of the configuration that the runtime gets wrong, as JSON pointers.
    #[must_use]
    pub fn members(self) -> Vec<&'static str> {
        match self {
            Self::Drop(at) | Self::DropLast(at) | Self::Reverse(at) | Self::Take(at, _) | Self::Push(at, _) => vec![at],
            Self::Value(at, _) => vec![at],
            Self::Move(from, to) => vec![from, to],
            Self::All(faults) => faults.iter().flat_map(|fault| fault.members()).collect(),
            _ => Vec::new(),
        }
    }

    /// What is wrong with it at exec.
    #[must_use]
    pub fn at_exec(self) -> Self {
        if let Self::OfExec(fault) = self { *fault } else { self }
    }

    /// Whether the runtime is called at all for `op`.
    #[must_use]
    pub fn ignores(self, op: Op) -> bool {
        match self {
            Self::All(faults) => faults.iter().any(|fault| fault.ignores(op)),
            _ => self == Self::Ignore(op),
        }
    }

    /// The name of its kind, by which reports group.
    #[must_use]
    pub fn group(self) -> &'static str {
        match self {
            Self::Drop(_) => "config dropped",
            Self::DropLast(_) => "config shortened",
            Self::Reverse(_) => "config reversed",
            Self::Take(..) | Self::Move(..) => "config replaced",
            Self::Push(..) => "config extended",
            Self::Value(_, change) => change.group(),
            Self::Ignore(_)
            | Self::Twice(_)
            | Self::Hang(_)
            | Self::Send(_)
            | Self::EagerStart
            | Self::Amend(..)
            | Self::Forget(..)
            | Self::StateIn(_) => "operation wrong",
            Self::Flaky(..) => "operation flaky",
            Self::Succeed(_) | Self::Fail(_) => "exit code inverted",
            Self::Lie(..) | Self::Misreport(..) | Self::WrongPid | Self::SaysToListener(..) => "state false",
            Self::DeleteForeign | Self::Leave(_) => "delete wrong",
            Self::GiveAway
            | Self::GiveNullAway
            | Self::Escape
            | Self::Scribble
            | Self::OpenState
            | Self::DropGroupOptions => "host harmed",
            Self::Above | Self::GiveGroupAway => "group wrong",
            Self::Misupdate(..) => "operation wrong",
            Self::Flawed(_)
            | Self::MoveOut
            | Self::Beside
            | Self::ExecOutside
            | Self::ExecMovedOut
            | Self::ExecBeside(_) => "program misplaced",
            Self::Network(_) => "network device wrong",
            Self::Listener(_) => "listener wrong",
            Self::OfExec(fault) => fault.group(),
            Self::All(_) => "several at once",
            Self::Neutral(_) => "neutral",
        }
    }

    /// What update gets instead of `resources`.
    #[must_use]
    pub fn resources(self, mut resources: Value) -> Value {
        if let Self::Misupdate(pointer, value) = self {
            config::replace(&mut resources, pointer, value);
        }
        resources
    }

    /// How a call of `op` seems to end.
    #[must_use]
    pub fn ended(self, op: Op, ended: Ended) -> Ended {
        match self {
            Self::Succeed(at) if at == op => Ended::Exit(0),
            Self::Fail(at) if at == op && ended == Ended::Exit(0) => Ended::Exit(1),
            Self::All(faults) => faults.iter().fold(ended, |ended, fault| fault.ended(op, ended)),
            _ => ended,
        }
    }

    /// What `op` seems to print.
    #[must_use]
    pub fn said(self, op: Op, stdout: String) -> String {
        if let Self::All(faults) = self {
            return faults.iter().fold(stdout, |stdout, fault| fault.said(op, stdout));
        }
        if let (Self::Neutral(neutral), Op::Features) = (self, op) {
            return neutral.features(stdout);
        }
        let (at, pointer, value) = match self {
            Self::Lie(pointer, value) => (Op::State, pointer, value),
            Self::Misreport(at, pointer, value) => (at, pointer, value),
            _ => return stdout,
        };
        match serde_json::from_str::<Value>(&stdout) {
            Ok(mut document) if at == op => {
                config::replace(&mut document, pointer, value);
                document.to_string()
            }
            Ok(_) | Err(_) => stdout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lie_is_told_by_state_alone() {
        let lie = Fault::Lie("/status", "\"stopped\"");
        assert_eq!(lie.said(Op::State, r#"{"status":"running"}"#.to_owned()), r#"{"status":"stopped"}"#);
        assert_eq!(lie.said(Op::List, r#"{"status":"running"}"#.to_owned()), r#"{"status":"running"}"#);
    }
}
