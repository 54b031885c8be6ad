//! A JSON document that is passed on without being parsed. As text it takes a tenth of the memory of its values, and a large report has
//! thousands of configurations.

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON document, without white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    /// Its value.
    ///
    /// # Errors
    /// When it is JSON by its grammar alone: a string holds half of a surrogate pair, or the nesting is too deep.
    pub fn value(&self) -> serde_json::Result<Value> {
        serde_json::from_str(&self.0)
    }

    /// Its text with a line for each member and element, as serde_json would indent it.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut text = String::with_capacity(2 * self.0.len());
        let mut depth = 0;
        let mut tokens = Tokens(&self.0).peekable();
        while let Some(token) = tokens.next() {
            match token.as_bytes() {
                [b'{' | b'['] => {
                    text.push_str(token);
                    match tokens.next_if(|next| matches!(next.as_bytes(), [b'}' | b']'])) {
                        Some(closing) => text.push_str(closing),
                        None => {
                            depth += 1;
                            new_line(&mut text, depth);
                        }
                    }
                }
                [b'}' | b']'] => {
                    depth -= 1;
                    new_line(&mut text, depth);
                    text.push_str(token);
                }
                [b','] => {
                    text.push_str(token);
                    new_line(&mut text, depth);
                }
                [b':'] => text.push_str(": "),
                _ => text.push_str(token),
            }
        }
        text
    }
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

/// What a valid document is made of: punctuation, and strings and other scalars as they are written.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_ascii_start();
        let bytes = text.as_bytes();
        let length = match bytes.first()? {
            b'"' => string(bytes),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => bytes.iter().position(|byte| !is_of_scalar(*byte)).unwrap_or(bytes.len()),
        };
        let (token, rest) = text.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

/// Length of the string at the beginning, with its quotes.
fn string(bytes: &[u8]) -> usize {
    let mut end = 1;
    while let Some(at) = bytes[end..].iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        end += at + 1;
        match bytes[end - 1] {
            b'"' => return end,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// Whether a number or a word goes on with it.
fn is_of_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| {
            let mut text = String::with_capacity(raw.get().len());
            text.extend(Tokens(raw.get()));
            Self(text.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#" { "a\\" : [ ] , "\"b}" : { } ,"c":[1.5e3 , null,
        {"d": "é\u00e9", "e" :[true]}] } "#;

    #[test]
    fn white_space_goes_and_strings_stay() {
        let json: Json = serde_json::from_str(TEXT).expect("it is JSON");
        assert_eq!(&*json.0, r#"{"a\\":[],"\"b}":{},"c":[1.5e3,null,{"d":"é\u00e9","e":[true]}]}"#);
    }

    #[test]
    fn it_is_indented_as_its_value_would_be() {
        for text in [TEXT, "{}", "[]", "1", "\"a\\\"\"", "[[],[{}]]"] {
            let json = Json::from(serde_json::from_str::<Value>(text).expect("it is JSON"));
            assert_eq!(json.pretty(), format!("{:#}", json.value().expect("it is JSON")));
        }
    }
}
