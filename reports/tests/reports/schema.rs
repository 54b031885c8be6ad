//! The JSON Schema against the model: a serialised report has exactly the members that the schema names. This walks
//! the few keywords that our schema uses, so that it needs no validator.

use std::collections::BTreeSet;

use plimsoll_reports::model::{Axis, Report, Verdict};
use serde_json::{Map, Value};

use crate::sample::report;

struct Walk {
    root: Value,
    /// The definitions that some value was compared with.
    used: BTreeSet<String>,
}

impl Walk {
    fn new() -> Self {
        let root = serde_json::from_str(include_str!("../../schema/results.schema.json")).expect("the schema is JSON");
        Walk { root, used: BTreeSet::new() }
    }

    fn definition(&mut self, reference: &str) -> Value {
        let name = reference.strip_prefix("#/$defs/").expect("references are to our own definitions");
        self.used.insert(name.to_owned());
        self.root["$defs"][name].clone()
    }

    /// Panics, naming the place, where the value is not what the schema describes.
    fn compare(&mut self, place: &str, schema: &Value, value: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            let definition = self.definition(reference);
            return self.compare(place, &definition, value);
        }
        if let Some(alternatives) = schema["anyOf"].as_array() {
            let chosen = alternatives.iter().find(|one| (one["type"] == "null") == value.is_null());
            return self.compare(place, chosen.expect("one alternative is null and one is not"), value);
        }
        assert!(types(schema).contains(&kind(value)), "{place} is {value}, not {:?}", types(schema));
        if let Some(allowed) = schema["enum"].as_array() {
            assert!(allowed.contains(value), "{place} is {value}");
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.compare(place, &schema["items"], item)),
            Value::Object(members) => self.members(place, schema, members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn members(&mut self, place: &str, schema: &Value, members: &Map<String, Value>) {
        let Some(named) = schema["properties"].as_object() else {
            return; // a map with keys of the user's choice, such as the configurations
        };
        let there: BTreeSet<&str> = members.keys().map(String::as_str).collect();
        assert_eq!(there, named.keys().map(String::as_str).collect(), "members of {place}");
        assert_eq!(there, strings(&schema["required"]), "required members of {place}");
        for (name, member) in members {
            self.compare(&format!("{place}.{name}"), &named[name], member);
        }
    }
}

fn types(schema: &Value) -> BTreeSet<&str> {
    schema["type"].as_str().map_or_else(|| strings(&schema["type"]), |only| BTreeSet::from([only]))
}

fn strings(list: &Value) -> BTreeSet<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The name that JSON Schema has for the type; a model that turns a number into a fraction is noticed by it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[test]
fn the_model_has_exactly_the_members_that_the_schema_names() {
    let mut walk = Walk::new();
    let root = walk.root.clone();
    for cut_short in [None, Some("interrupted".to_owned())] {
        let value = serde_json::to_value(Report { cut_short, ..report() }).unwrap();
        walk.compare("report", &root, &value);
    }
    let defined: BTreeSet<String> = root["$defs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(walk.used, defined, "the sample uses each definition");
}

#[test]
fn the_schema_names_every_verdict_and_axis() {
    let root = Walk::new().root;
    let verdicts: BTreeSet<&str> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    let axes: BTreeSet<&str> = Axis::ALL.iter().map(|axis| axis.as_str()).collect();
    assert_eq!(strings(&root["$defs"]["verdict"]["enum"]), verdicts);
    assert_eq!(strings(&root["$defs"]["axis"]["enum"]), axes);
    for verdict in Verdict::ALL {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
    }
    for axis in Axis::ALL {
        assert_eq!(serde_json::to_value(axis).unwrap(), axis.as_str());
    }
}

#[test]
fn everything_in_the_schema_is_described() {
    fn look(place: &str, schema: &Value) {
        assert!(schema["description"].as_str().is_some_and(|text| !text.is_empty()), "{place} has no description");
        for keyword in ["properties", "$defs"] {
            for (name, inner) in schema[keyword].as_object().into_iter().flatten() {
                look(&format!("{place}.{name}"), inner);
            }
        }
        for keyword in ["items", "additionalProperties"] {
            schema.get(keyword).into_iter().for_each(|inner| look(&format!("{place} {keyword}"), inner));
        }
        schema["anyOf"].as_array().into_iter().flatten().for_each(|inner| look(place, inner));
    }
    look("report", &Walk::new().root);
}
