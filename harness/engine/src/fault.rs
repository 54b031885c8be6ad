//! The wrong runtimes that the engine can pose as. It stands between harness and runtime: it changes the configuration
//! that the runtime reads or the answer that the harness hears, while the harness judges by the true configuration.

use plimsoll_fixtures::{Config, recipe};
use serde_json::Value;

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
    /// Before create it gives the root filesystem to another user.
    GiveAway,
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
            Self::Ignore(_)
            | Self::Succeed(_)
            | Self::Fail(_)
            | Self::Lie(..)
            | Self::EagerStart
            | Self::GiveAway
            | Self::Escape => {}
        }
        config
    }

    /// Whether the runtime is called at all for `op`.
    #[must_use]
    pub fn ignores(self, op: Op) -> bool {
        self == Self::Ignore(op)
    }

    /// What the harness hears of how a call of `op` ended.
    #[must_use]
    pub fn ended(self, op: Op, ended: Ended) -> Ended {
        match self {
            Self::Succeed(at) if at == op => Ended::Exit(0),
            Self::Fail(at) if at == op && ended == Ended::Exit(0) => Ended::Exit(1),
            _ => ended,
        }
    }

    /// What the harness hears of the standard output of `op`.
    #[must_use]
    pub fn said(self, op: Op, stdout: String) -> String {
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

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Drop(pointer) => write!(f, "drops {pointer}"),
            Self::DropLast(pointer) => write!(f, "drops the last of {pointer}"),
            Self::Reverse(pointer) => write!(f, "reverses {pointer}"),
            Self::Take(pointer, value) => write!(f, "takes {pointer} for {value}"),
            Self::Ignore(op) => write!(f, "does nothing for {op} and says it worked"),
            Self::Succeed(op) => write!(f, "says that {op} worked, whatever happened"),
            Self::Fail(op) => write!(f, "says that {op} failed though it worked"),
            Self::Lie(pointer, value) => write!(f, "says {value} for {pointer} of the state"),
            Self::EagerStart => write!(f, "runs the program at create"),
            Self::GiveAway => write!(f, "gives the root filesystem to another user"),
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
        assert_eq!(faulty(Fault::Drop("/none")), json!({ "a": { "b": [1, 2] } }));
    }

    #[test]
    fn a_lie_is_told_by_state_alone() {
        let lie = Fault::Lie("/status", "\"stopped\"");
        assert_eq!(lie.said(Op::State, r#"{"status":"running"}"#.to_owned()), r#"{"status":"stopped"}"#);
        assert_eq!(lie.said(Op::List, r#"{"status":"running"}"#.to_owned()), r#"{"status":"running"}"#);
    }
}
