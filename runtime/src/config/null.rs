//! Members that are null are absent, as callers mean them whose language writes what is not set that way. To parse each member
//! with this in mind would cost every start; so it is done to the text, once that could not be parsed.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// The same document without members that are null.
///
/// # Errors
/// When it is no JSON.
pub(super) fn without(text: &str) -> serde_json::Result<String> {
    serde_json::to_string(&serde_json::from_str::<Node>(text)?)
}

/// A value that has kept all members of its objects, those of the same name too: they are for the parser to refuse.
enum Node {
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
    Plain(Value),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Node>()? {
            if !matches!(value, Node::Plain(Value::Null)) {
                members.push((name, value));
            }
        }
        Ok(Node::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Plain(value.into()))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
            Self::List(nodes) => {
                let mut list = serializer.serialize_seq(Some(nodes.len()))?;
                nodes.iter().try_for_each(|node| list.serialize_element(node))?;
                list.end()
            }
            Self::Plain(value) => value.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn members_that_are_null_go_and_all_else_stays() {
        let text = r#"{"a":null,"b":[null,{"c":null,"d":-1}],"b":1.5,"e":"null","f":{"g":null}}"#;
        assert_eq!(without(text).unwrap(), r#"{"b":[null,{"d":-1}],"b":1.5,"e":"null","f":{}}"#);
        assert!(without("{").is_err());
    }
}
