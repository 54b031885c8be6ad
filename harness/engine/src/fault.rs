//! The wrong runtimes that the engine can pose as. It stands between harness and runtime: it changes the configuration
//! that the runtime reads or the answer that the harness hears, while the harness judges by the true configuration.

use nix::sys::signal::Signal;
use plimsoll_fixtures::probe::{Flaw, PATH};
use plimsoll_fixtures::{Bundle, Config, recipe};
use serde_json::Value;

use crate::cgroup;
use crate::observer::files::if_there;
use crate::process::Ended;
use crate::profile::Op;

/// One way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// It starts the program in a state that no configuration asks for.
    Flawed(Flaw),
    /// At create it follows a link out of the root filesystem: it writes to the directory `trap` of the bundle.
    Escape,
}

impl Fault {
    /// The configuration that the runtime gets to read.
    #[must_use]
    pub fn config(self, config: &Config) -> Config {
        let mut config = config.clone();
        match self {
            Self::Drop(pointer) => recipe::remove(&mut config.0, pointer),
            Self::DropLast(pointer) => {
                if let Some(items) = config.0.pointer_mut(pointer).and_then(Value::as_array_mut) {
                    items.pop();
                }
            }
            Self::Reverse(pointer) => {
                if let Some(items) = config.0.pointer_mut(pointer).and_then(Value::as_array_mut) {
                    items.reverse();
                }
            }
            Self::Take(pointer, value) => replace(&mut config.0, pointer, value),
            Self::Flawed(flaw) => {
                if let Some(args) = config.0.pointer_mut("/process/args").and_then(Value::as_array_mut) {
                    args.splice(0..0, [PATH.to_owned(), flaw.argument()].map(Value::from));
                }
            }
            Self::Push(pointer, value) => {
                append(&mut config.0, pointer, [value].into_iter().flat_map(parsed).collect())
            }
            Self::Move(from, to) => {
                let items = config.list(from).to_vec();
                recipe::remove(&mut config.0, from);
                append(&mut config.0, to, items);
            }
            Self::All(faults) => return faults.iter().fold(config, |config, fault| fault.config(&config)),
            // The others leave the configuration as it is.
            _ => {}
        }
        config
    }

    /// The members of the configuration that the runtime gets wrong, as JSON pointers.
    #[must_use]
    pub fn members(self) -> Vec<&'static str> {
        match self {
            Self::Drop(at) | Self::DropLast(at) | Self::Reverse(at) | Self::Take(at, _) | Self::Push(at, _) => vec![at],
            Self::Move(from, to) => vec![from, to],
            Self::All(faults) => faults.iter().flat_map(|fault| fault.members()).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the runtime is called at all for `op`.
    #[must_use]
    pub fn ignores(self, op: Op) -> bool {
        match self {
            Self::All(faults) => faults.iter().any(|fault| fault.ignores(op)),
            _ => self == Self::Ignore(op),
        }
    }

    /// The signal that the runtime sends when it is asked for `signal`.
    #[must_use]
    pub fn signal(self, signal: Signal) -> Signal {
        if let Self::Send(other) = self { other } else { signal }
    }

    /// What the harness hears of how a call of `op` ended.
    #[must_use]
    pub fn ended(self, op: Op, ended: Ended) -> Ended {
        match self {
            Self::Succeed(at) if at == op => Ended::Exit(0),
            Self::Fail(at) if at == op && ended == Ended::Exit(0) => Ended::Exit(1),
            Self::All(faults) => faults.iter().fold(ended, |ended, fault| fault.ended(op, ended)),
            _ => ended,
        }
    }

    /// What the harness hears of the standard output of `op`.
    #[must_use]
    pub fn said(self, op: Op, stdout: String) -> String {
        if let Self::All(faults) = self {
            return faults.iter().fold(stdout, |stdout, fault| fault.said(op, stdout));
        }
        let Self::Lie(pointer, value) = self else { return stdout };
        match (op, serde_json::from_str::<Value>(&stdout)) {
            (Op::State, Ok(mut state)) => {
                replace(&mut state, pointer, value);
                state.to_string()
            }
            _ => stdout,
        }
    }
}

/// The deed of [`Fault::DeleteForeign`].
pub(crate) fn delete_foreign(bundle: &Bundle) -> std::io::Result<()> {
    if_there(std::fs::remove_dir_all(bundle.dir.join("data")))?;
    let Some((above, _)) = bundle.config.text("/linux/cgroupsPath").and_then(|path| path.rsplit_once('/')) else {
        return Ok(());
    };
    for hierarchy in cgroup::hierarchies()? {
        let group = hierarchy.mount.join(above.trim_start_matches('/'));
        // Those that other checks use at this time are busy.
        let removed = if_there(std::fs::remove_dir(group));
        removed.map(drop).or_else(|why| if why.raw_os_error() == Some(libc::EBUSY) { Ok(()) } else { Err(why) })?;
    }
    Ok(())
}

/// Puts `json` at `pointer` where the parent is there. A value that is no JSON takes the member away.
fn replace(document: &mut Value, pointer: &str, json: &str) {
    let Ok(value) = serde_json::from_str::<Value>(json) else { return recipe::remove(document, pointer) };
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.insert(name.replace("~1", "/").replace("~0", "~"), value)),
        Some(Value::Array(items)) => {
            if let Some(item) = name.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                *item = value;
            }
        }
        _ => {}
    }
}

fn parsed(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}

/// Appends to the array at `pointer`, which is made when its parent is there.
fn append(document: &mut Value, pointer: &str, items: Vec<Value>) {
    if document.pointer(pointer).is_none() {
        replace(document, pointer, "[]");
    }
    if let Some(array) = document.pointer_mut(pointer).and_then(Value::as_array_mut) {
        array.extend(items);
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Drop(pointer) => write!(f, "drops {pointer}"),
            Self::DropLast(pointer) => write!(f, "drops the last of {pointer}"),
            Self::Reverse(pointer) => write!(f, "reverses {pointer}"),
            Self::Take(pointer, value) => write!(f, "takes {pointer} for {value}"),
            Self::Push(pointer, value) => write!(f, "adds {value} to {pointer}"),
            Self::Move(from, to) => write!(f, "takes {from} for {to}"),
            Self::Ignore(op) => write!(f, "does nothing for {op} and says it worked"),
            Self::Succeed(op) => write!(f, "says that {op} worked, whatever happened"),
            Self::Fail(op) => write!(f, "says that {op} failed though it worked"),
            Self::Lie(pointer, value) => write!(f, "says {value} for {pointer} of the state"),
            Self::EagerStart => write!(f, "runs the program at create"),
            Self::Send(signal) => write!(f, "sends {signal} whatever it is asked to send"),
            Self::DeleteForeign => write!(f, "deletes what create did not make"),
            Self::All(faults) => {
                let each: Vec<String> = faults.iter().map(ToString::to_string).collect();
                write!(f, "{}", each.join(", "))
            }
            Self::GiveAway => write!(f, "gives the root filesystem to another user"),
            Self::Flawed(flaw) => write!(f, "starts the program {flaw}"),
            Self::Escape => write!(f, "follows a link out of the root filesystem"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faulty(fault: Fault) -> Value {
        fault.config(&Config(json!({ "a": { "b": [1, 2] } }))).0
    }

    #[test]
    fn each_config_fault_changes_what_it_names() {
        assert_eq!(faulty(Fault::Drop("/a/b")), json!({ "a": {} }));
        assert_eq!(faulty(Fault::DropLast("/a/b")), json!({ "a": { "b": [1] } }));
        assert_eq!(faulty(Fault::Reverse("/a/b")), json!({ "a": { "b": [2, 1] } }));
        assert_eq!(faulty(Fault::Take("/a/b/0", "7")), json!({ "a": { "b": [7, 2] } }));
        assert_eq!(faulty(Fault::Push("/a/b", "\"x\"")), json!({ "a": { "b": [1, 2, "x"] } }));
        assert_eq!(faulty(Fault::Move("/a/b", "/a/c")), json!({ "a": { "c": [1, 2] } }));
        assert_eq!(faulty(Fault::All(&[Fault::Drop("/a/b/0"), Fault::DropLast("/a/b")])), json!({ "a": { "b": [] } }));
        assert_eq!(faulty(Fault::Drop("/none")), json!({ "a": { "b": [1, 2] } }));
    }

    #[test]
    fn a_flawed_program_is_started_by_the_probe() {
        let config = Config(json!({ "process": { "args": ["/x", "y"] } }));
        let expected = json!({ "process": { "args": ["/probe", "flaw=descriptor", "/x", "y"] } });
        assert_eq!(Fault::Flawed(Flaw::Descriptor).config(&config).0, expected);
    }

    #[test]
    fn a_lie_is_told_by_state_alone() {
        let lie = Fault::Lie("/status", "\"stopped\"");
        assert_eq!(lie.said(Op::State, r#"{"status":"running"}"#.to_owned()), r#"{"status":"stopped"}"#);
        assert_eq!(lie.said(Op::List, r#"{"status":"running"}"#.to_owned()), r#"{"status":"running"}"#);
    }
}
