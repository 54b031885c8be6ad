//! Faults in a value, whatever the value is. They make a mutant of every member that a case sets.

use std::fmt;

use plimsoll_fixtures::recipe;
use serde_json::{Value, json};

/// One way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueFault {
    /// It is not there.
    Drop,
    /// It is an empty array, object or string.
    Empty,
    /// Its last element is not there.
    Shorten,
    /// Its elements come in reverse order.
    Reverse,
    /// One more.
    OffByOne,
    /// Twice as much.
    Double,
    /// True for false.
    Flip,
    /// Another text.
    Replace,
    /// Another path.
    Elsewhere,
}

impl ValueFault {
    /// Those that change a value: every one but the drop.
    pub const OF_VALUES: [Self; 8] = [
        Self::Empty,
        Self::Shorten,
        Self::Reverse,
        Self::OffByOne,
        Self::Double,
        Self::Flip,
        Self::Replace,
        Self::Elsewhere,
    ];

    /// What the value becomes; nothing where the change does not apply to it or would leave it the same.
    #[must_use]
    pub fn of(self, value: &Value) -> Option<Value> {
        let changed = match (self, value) {
            (Self::Empty, Value::Array(_)) => json!([]),
            (Self::Empty, Value::Object(_)) => json!({}),
            (Self::Shorten, Value::Array(items)) => json!(items[..items.len().checked_sub(1)?]),
            (Self::Reverse, Value::Array(items)) => json!(items.iter().rev().collect::<Vec<_>>()),
            (Self::OffByOne, Value::Number(number)) => json!(number.as_i64()?.checked_add(1)?),
            (Self::Double, Value::Number(number)) => json!(number.as_i64()?.checked_mul(2)?),
            (Self::Flip, Value::Bool(value)) => json!(!value),
            (Self::Elsewhere, Value::String(text)) if text.starts_with('/') => json!("/plimsoll-elsewhere"),
            (Self::Replace, Value::String(text)) if !text.starts_with('/') => json!(format!("{text}x")),
            _ => return None,
        };
        (changed != *value).then_some(changed)
    }

    /// Changes what is at `pointer`; nothing where it does not apply.
    pub(super) fn make(self, document: &mut Value, pointer: &str) {
        let Some(pointer) = resolve(document, pointer) else { return };
        if self == Self::Drop {
            return recipe::remove(document, &pointer);
        }
        if let Some(value) = document.pointer_mut(&pointer)
            && let Some(changed) = self.of(value)
        {
            *value = changed;
        }
    }

    pub(super) fn group(self) -> &'static str {
        match self {
            Self::Drop => "config dropped",
            Self::Empty => "config emptied",
            Self::Shorten => "config shortened",
            Self::Reverse => "config reversed",
            Self::OffByOne | Self::Double => "config number wrong",
            Self::Flip => "config flag flipped",
            Self::Replace | Self::Elsewhere => "config replaced",
        }
    }
}

impl fmt::Display for ValueFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Drop => "drops",
            Self::Empty => "empties",
            Self::Shorten => "drops the last of",
            Self::Reverse => "reverses",
            Self::OffByOne => "increments",
            Self::Double => "doubles",
            Self::Flip => "inverts",
            Self::Replace => "replaces",
            Self::Elsewhere => "replaces the path",
        })
    }
}

/// The pointer with the number of the last element for each `-`.
fn resolve(document: &Value, pointer: &str) -> Option<String> {
    let mut resolved = String::new();
    for name in pointer.split('/').skip(1) {
        let last = if name == "-" { document.pointer(&resolved)?.as_array()?.len().checked_sub(1) } else { None };
        resolved.push('/');
        resolved.push_str(&last.map_or_else(|| name.to_owned(), |index| index.to_string()));
    }
    Some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(change: ValueFault, pointer: &str) -> Value {
        let mut document = json!({ "list": [{ "n": 1 }, { "n": 5, "on": true, "path": "/x", "word": "w" }] });
        change.make(&mut document, pointer);
        document["list"].take()
    }

    #[test]
    fn the_last_element_is_changed() {
        assert_eq!(changed(ValueFault::OffByOne, "/list/-/n")[1]["n"], 6);
        assert_eq!(changed(ValueFault::Double, "/list/-/n")[1]["n"], 10);
        assert_eq!(changed(ValueFault::Flip, "/list/-/on")[1]["on"], false);
        assert_eq!(changed(ValueFault::Elsewhere, "/list/-/path")[1]["path"], "/plimsoll-elsewhere");
        assert_eq!(changed(ValueFault::Replace, "/list/-/word")[1]["word"], "wx");
        assert_eq!(changed(ValueFault::Drop, "/list/-/word")[1].get("word"), None);
        assert_eq!(changed(ValueFault::Shorten, "/list"), json!([{ "n": 1 }]));
        assert_eq!(changed(ValueFault::Empty, "/list"), json!([]));
        assert_eq!(changed(ValueFault::Reverse, "/list")[1], json!({ "n": 1 }));
    }

    #[test]
    fn what_would_stay_the_same_is_no_change() {
        assert_eq!(ValueFault::Reverse.of(&json!([1])), None);
        assert_eq!(ValueFault::Empty.of(&json!({})), None);
        assert_eq!(ValueFault::Shorten.of(&json!([])), None);
        assert_eq!(ValueFault::Double.of(&json!(0)), None);
    }
}
