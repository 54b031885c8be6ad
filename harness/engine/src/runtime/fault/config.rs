//! Faults in what the runtime reads as its configuration.

use plimsoll_fixtures::probe::PATH;
use plimsoll_fixtures::{Config, recipe};
use serde_json::Value;

use super::Fault;

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
            Self::Value(pointer, change) => change.make(&mut config.0, pointer),
            Self::Flawed(flaw) => {
                if let Some(args) = config.0.pointer_mut("/process/args").and_then(Value::as_array_mut) {
                    args.splice(0..0, [PATH.to_owned(), flaw.argument()].map(Value::from));
                }
            }
            Self::Push(pointer, value) => {
                append(&mut config.0, pointer, [value].into_iter().flat_map(parsed).collect());
            }
            Self::Move(from, to) => {
                let items = config.list(from).to_vec();
                recipe::remove(&mut config.0, from);
                append(&mut config.0, to, items);
            }
            Self::All(faults) => return faults.iter().fold(config, |config, fault| fault.config(&config)),
            Self::Neutral(neutral) => neutral.config(&mut config),
            // The others leave the configuration as it is.
            _ => {}
        }
        config
    }
}

/// Puts `json` at `pointer` where the parent is there. A value that is no JSON takes the member away.
pub(crate) fn replace(document: &mut Value, pointer: &str, json: &str) {
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

#[cfg(test)]
mod tests {
    use plimsoll_fixtures::probe::Flaw;
    use serde_json::json;

    use super::*;

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
}
