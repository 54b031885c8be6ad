//! Mutations of a valid configuration as bytes, including some that no JSON library would write.

use std::fmt;

use plimsoll_fixtures::{Config, recipe};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::odd_texts;

/// One change of a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mutation {
    /// A JSON pointer.
    pub at: String,
    /// What becomes of what is there.
    pub how: How,
}

/// What becomes of a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Another value, of whatever type.
    Be(Value),
    /// It is not there.
    Vanish,
    /// Its member is there a second time, with another value.
    Twice(Value),
    /// Arrays within arrays, so deep.
    Nest(usize),
    /// An array of so many copies of it.
    Repeat(usize),
    /// A string of so many bytes.
    Long(usize),
    /// A string that is no UTF-8.
    NotText,
    /// A number that is written like this.
    Number(String),
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: String| text.chars().take(40).collect::<String>();
        let at = &self.at;
        match &self.how {
            How::Be(value) => write!(f, "{at} = {}", short(value.to_string())),
            How::Vanish => write!(f, "no {at}"),
            How::Twice(value) => write!(f, "{at} twice, then {}", short(value.to_string())),
            How::Nest(depth) => write!(f, "{at} nested {depth} deep"),
            How::Repeat(times) => write!(f, "{at} {times} times"),
            How::Long(bytes) => write!(f, "{at} of {bytes} bytes"),
            How::NotText => write!(f, "{at} that is no UTF-8"),
            How::Number(number) => write!(f, "{at} = {number}"),
        }
    }
}

/// Stands in the text for what is put there as bytes.
fn mark(number: usize) -> String {
    format!("@plimsoll-mutation-{number}@")
}

/// The configuration with the mutations, as bytes. Its place-holders for paths have no meaning, since raw bytes are
/// written as they are: the control group is left to the runtime.
#[must_use]
pub fn bytes(config: &Config, mutations: &[Mutation]) -> Vec<u8> {
    let mut document = config.0.clone();
    recipe::remove(&mut document, "/linux/cgroupsPath");
    let mut raw: Vec<(String, Vec<u8>)> = Vec::new();
    for (number, mutation) in mutations.iter().enumerate() {
        if mutation.how == How::Vanish {
            recipe::remove(&mut document, &mutation.at);
            continue;
        }
        let Some(place) = document.pointer_mut(&mutation.at) else { continue };
        let name = mutation.at.rsplit('/').next().unwrap_or_default();
        let written = written(name, place, &mutation.how);
        *place = Value::String(mark(number));
        raw.push((format!("\"{}\"", mark(number)), written));
    }
    let mut bytes = document.to_string().into_bytes();
    // Backwards, so that what was marked within another is there when its turn comes.
    for (mark, with) in raw.iter().rev() {
        bytes = replace(&bytes, mark.as_bytes(), with);
    }
    bytes
}

fn written(name: &str, value: &Value, how: &How) -> Vec<u8> {
    match how {
        How::Be(other) => other.to_string().into_bytes(),
        How::Twice(other) => format!("{value},{}:{other}", json!(name)).into_bytes(),
        How::Nest(depth) => format!("{}{}", "[".repeat(*depth), "]".repeat(*depth)).into_bytes(),
        How::Repeat(times) => format!("[{}]", vec![value.to_string(); *times].join(",")).into_bytes(),
        How::Long(length) => format!("\"{}\"", "x".repeat(*length)).into_bytes(),
        How::NotText => b"\"\xff\xfe\xc0\x80\"".to_vec(),
        How::Number(number) => number.clone().into_bytes(),
        How::Vanish => b"null".to_vec(),
    }
}

fn replace(bytes: &[u8], mark: &[u8], with: &[u8]) -> Vec<u8> {
    match bytes.windows(mark.len()).position(|window| window == mark) {
        Some(at) => [&bytes[..at], with, &bytes[at + mark.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

/// Places of a document, and what may be done there. The path of the root filesystem stays within the bundle: what a
/// runtime does to the host when it is told that `/` is the root filesystem is what it was told to do.
pub fn strategy(config: &Config) -> BoxedStrategy<Mutation> {
    (select(places(config)), how()).prop_map(|(at, how)| Mutation { at, how }).boxed()
}

/// Whether [`strategy`] could have made it of this configuration.
pub(super) fn is_drawn(mutation: &Mutation, config: &Config) -> bool {
    let value = |value: &Value| {
        values().contains(value) || value.as_str().is_some_and(|text| odd_texts().iter().any(|odd| odd == text))
    };
    let how = match &mutation.how {
        How::Be(other) | How::Twice(other) => value(other),
        How::Vanish | How::NotText => true,
        How::Nest(depth) => *depth <= 50_000,
        How::Repeat(times) => *times <= 5000,
        How::Long(bytes) => *bytes <= 1_000_000,
        How::Number(number) => NUMBERS.contains(&number.as_str()),
    };
    how && places(config).contains(&mutation.at)
}

/// Whether [`text`] could have made these bytes. Noise counts only where no reader of JSON can find a member in it.
pub(super) fn is_drawn_text(bytes: &[u8], config: &Config) -> bool {
    let whole = config.0.to_string().into_bytes();
    let changed = || whole.iter().zip(bytes).filter(|(one, other)| one != other).count() <= 1;
    let is_noise = bytes.len() < 200 && !bytes.contains(&b'{');
    whole.starts_with(bytes)
        || (bytes.len() == whole.len() && changed())
        || (bytes.starts_with(&whole) && bytes.len() < whole.len() + 20)
        || is_noise
        || odd_documents().iter().any(|odd| odd == bytes)
}

fn places(config: &Config) -> Vec<String> {
    let mut places = Vec::new();
    collect(&config.0, String::new(), &mut places);
    places.retain(|at| at != "/root/path" && at != "/root" && at != "/linux/cgroupsPath");
    places
}

fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                collect(inner, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(items) => {
            // The first of many says it all.
            items.iter().take(2).enumerate().for_each(|(index, inner)| collect(inner, format!("{at}/{index}"), places));
        }
        _ => {}
    }
    if !at.is_empty() {
        places.push(at);
    }
}

/// Numbers at the borders of types, and what is none.
const NUMBERS: [&str; 16] = [
    "-1",
    "0",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "1e400",
    "0.5",
    "1e3",
    "-0",
    "00",
    "0x10",
    "NaN",
];

fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(""),
        json!([]),
        json!({}),
        json!([null]),
        json!({ "": null }),
    ]
}

fn how() -> BoxedStrategy<How> {
    let value = || prop_oneof![select(values()), select(odd_texts()).prop_map(Value::String)];
    prop_oneof![
        6 => value().prop_map(How::Be),
        3 => Just(How::Vanish),
        2 => value().prop_map(How::Twice),
        1 => select(vec![10, 100, 127, 128, 129, 1000, 50_000]).prop_map(How::Nest),
        1 => select(vec![0, 2, 100, 5000]).prop_map(How::Repeat),
        1 => select(vec![255, 4096, 65_536, 1_000_000]).prop_map(How::Long),
        1 => Just(How::NotText),
        3 => select(NUMBERS.map(str::to_owned).to_vec()).prop_map(How::Number),
    ]
    .boxed()
}

/// Bytes that are no configuration: nothing, noise, a part of one, one with something in or after it.
pub fn text(config: &Config) -> BoxedStrategy<Vec<u8>> {
    let whole = config.0.to_string().into_bytes();
    let length = whole.len();
    let (cut, changed, followed) = (whole.clone(), whole.clone(), whole);
    prop_oneof![
        // Without a brace it is no configuration of anybody's own: `is_drawn_text` tells it from one by that.
        prop::collection::vec(any::<u8>(), 0..200)
            .prop_map(|bytes| bytes.into_iter().map(|byte| if byte == b'{' { b'(' } else { byte }).collect()),
        (0..length).prop_map(move |at| cut[..at].to_vec()),
        (0..length, any::<u8>()).prop_map(move |(at, byte)| {
            let mut bytes = changed.clone();
            bytes[at] = byte;
            bytes
        }),
        prop::collection::vec(any::<u8>(), 1..20).prop_map(move |more| [followed.clone(), more].concat()),
        select(odd_documents()),
    ]
    .boxed()
}

/// Documents that are none, or not an object.
fn odd_documents() -> Vec<Vec<u8>> {
    let texts = [b"".as_slice(), b"\xef\xbb\xbf{}", b"null", b"[]", b"\"\""].map(<[u8]>::to_vec).into_iter();
    texts.chain([b"{".repeat(100_000), vec![0; 4096]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutated(at: &str, how: How) -> String {
        let config = Config(json!({ "a": { "b": 1 }, "c": "x" }));
        String::from_utf8_lossy(&bytes(&config, &[Mutation { at: at.to_owned(), how }])).into_owned()
    }

    #[test]
    fn what_no_library_writes_is_written() {
        assert_eq!(mutated("/a/b", How::Twice(json!(2))), r#"{"a":{"b":1,"b":2},"c":"x"}"#);
        assert_eq!(mutated("/a/b", How::Number("1e400".to_owned())), r#"{"a":{"b":1e400},"c":"x"}"#);
        assert_eq!(mutated("/a", How::Vanish), r#"{"c":"x"}"#);
        assert_eq!(mutated("/c", How::Repeat(2)), r#"{"a":{"b":1},"c":["x","x"]}"#);
        assert_eq!(mutated("/c", How::Nest(2)), r#"{"a":{"b":1},"c":[[]]}"#);
    }

    #[test]
    fn a_mutation_within_another_is_kept() {
        let config = Config(json!({ "a": { "b": 1 } }));
        let inner = Mutation { at: "/a/b".to_owned(), how: How::Be(json!(7)) };
        let outer = Mutation { at: "/a".to_owned(), how: How::Repeat(2) };
        let text = String::from_utf8(bytes(&config, &[inner, outer])).unwrap();
        assert!(text.starts_with(r#"{"a":[{"b":7}"#), "{text}");
    }
}
