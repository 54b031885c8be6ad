//! Faults as text for reports.

use std::fmt;

use super::{Fault, Leftover};

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop(pointer) => write!(f, "drops {pointer}"),
            Self::DropLast(pointer) => write!(f, "drops the last of {pointer}"),
            Self::Reverse(pointer) => write!(f, "reverses {pointer}"),
            Self::Take(pointer, value) => write!(f, "reads {pointer} as {value}"),
            Self::Push(pointer, value) => write!(f, "adds {value} to {pointer}"),
            Self::Move(from, to) => write!(f, "reads {from} as {to}"),
            Self::Ignore(op) => write!(f, "does nothing for {op} and says it worked"),
            Self::Succeed(op) => write!(f, "says that {op} worked, whatever happened"),
            Self::Fail(op) => write!(f, "says that {op} failed though it worked"),
            Self::Twice(op) => write!(f, "runs {op} twice"),
            Self::Lie(pointer, value) => write!(f, "says {value} for {pointer} of the state"),
            Self::EagerStart => write!(f, "runs the program at create"),
            Self::Send(signal) => write!(f, "sends {signal} whatever it is asked to send"),
            Self::DeleteForeign => write!(f, "deletes what create did not make"),
            Self::All(faults) => {
                let each: Vec<String> = faults.iter().map(ToString::to_string).collect();
                write!(f, "{}", each.join(", "))
            }
            Self::GiveAway => write!(f, "gives the root filesystem to another user"),
            Self::GiveNullAway => write!(f, "gives /dev/null of the host to another user"),
            Self::Flawed(flaw) => write!(f, "starts the program {flaw}"),
            Self::Escape => write!(f, "follows a link out of the root filesystem"),
            Self::Value(pointer, change) => write!(f, "{change} {pointer}"),
            Self::Leave(Leftover::OtherCgroup) => write!(f, "leaves a cgroup of another name behind at delete"),
            Self::Leave(Leftover::ForeignCgroup) => {
                write!(f, "leaves a foreign cgroup in each hierarchy behind at delete")
            }
            Self::Leave(leftover) => write!(f, "leaves a {} behind at delete", format!("{leftover:?}").to_lowercase()),
            Self::OpenState => write!(f, "lets everybody write to its state"),
            Self::Scribble => write!(f, "writes a file into the root filesystem"),
            Self::WrongPid => write!(f, "writes another process into the pid file"),
            Self::MoveOut => write!(f, "takes the process out of its control groups"),
            Self::Beside => write!(f, "puts the process into control groups beside those that have the limits"),
            Self::Above => write!(f, "gives the limits to the control groups above, too"),
            Self::GiveGroupAway => write!(f, "gives the control groups and their files to another user"),
            Self::DropGroupOptions => write!(f, "removes the mount options of the host's cgroup version 2"),
            Self::Misupdate(pointer, value) => write!(f, "updates {pointer} to {value}"),
            Self::Hang(op) => write!(f, "hangs in {op}"),
            Self::ExecOutside => write!(f, "executes the program of exec on the host"),
            Self::ExecMovedOut => write!(f, "takes the program of exec out of the control groups"),
            Self::Flaky(op, code) => write!(f, "does nothing on every fifth {op} and exits with {code}"),
            Self::Amend(op, words) => write!(f, "runs {op} as if given {}", words.join(" ")),
            Self::Forget(op, name) => write!(f, "ignores {name} at {op}"),
            Self::StateIn(place) => write!(f, "keeps its state in $XDG_RUNTIME_DIR/{place} by default"),
            Self::Misreport(op, pointer, value) => write!(f, "prints {value} for {pointer} at {op}"),
            Self::Network(wrong) => write!(f, "{wrong}"),
            Self::Listener(wrong) => write!(f, "{wrong}"),
            Self::SaysToListener(pointer, value) => write!(f, "sends {value} for {pointer} to the listener"),
            Self::OfExec(fault) => write!(f, "at exec {fault}"),
            Self::ExecBeside("") => write!(f, "runs the program of exec in the namespaces without its settings"),
            Self::ExecBeside(kind) => write!(f, "runs the program of exec in another {kind} namespace"),
            Self::Neutral(neutral) => write!(f, "{neutral}"),
        }
    }
}
