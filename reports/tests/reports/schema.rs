//! The JSON Schemas against the models: a serialised document has exactly the members that its schema names. This walks
//! the few keywords that our schemas use, so that it needs no validator.

use std::collections::BTreeSet;

use plimsoll_reports::model::bench::Benchmark;
use plimsoll_reports::model::fuzz::Fuzz;
use plimsoll_reports::model::proof::{Outcome, Proof};
use plimsoll_reports::model::{Axis, Partition, Report, Verdict};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::sample::bench::bench;
use crate::sample::proof::proof;
use crate::sample::report;

const RESULTS: &str = include_str!("../../schema/results.schema.json");
const PROOF: &str = include_str!("../../schema/proof.schema.json");
const FUZZ: &str = include_str!("../../schema/fuzz.schema.json");
const BENCH: &str = include_str!("../../schema/bench.schema.json");

struct Walk {
    root: Value,
    /// The definitions that some value was compared with.
    used: BTreeSet<String>,
}

impl Walk {
    fn new(schema: &str) -> Self {
        let root = serde_json::from_str(schema).expect("the schema is JSON");
        Walk { root, used: BTreeSet::new() }
    }

    /// Compares documents that use, together, each definition.
    fn documents(mut self, documents: &[impl Serialize]) {
        let root = self.root.clone();
        for document in documents {
            self.compare("document", &root, &serde_json::to_value(document).expect("serialise"));
        }
        let defined: BTreeSet<String> = root["$defs"].as_object().expect("definitions").keys().cloned().collect();
        assert_eq!(self.used, defined, "the samples use each definition");
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
        // A member that came later is written always, and may be absent from older files.
        let later =
            |name: &&str| named[*name]["description"].as_str().is_some_and(|text| text.contains("Since schema"));
        let since_ever = there.iter().filter(|name| !later(name)).copied().collect::<BTreeSet<_>>();
        assert_eq!(since_ever, strings(&schema["required"]), "required members of {place}");
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
fn a_search_has_exactly_the_members_that_its_schema_names() {
    let sample: Fuzz = serde_json::from_str(include_str!("../golden/fuzz.json")).expect("the sample is a search");
    Walk::new(FUZZ).documents(&[sample]);
}

#[test]
fn the_models_have_exactly_the_members_that_the_schemas_name() {
    let cut_short = || Some("interrupted".to_owned());
    let partition = Some(Partition { part: 1, of: 2, whole: 22 });
    Walk::new(RESULTS).documents(&[report(), Report { cut_short: cut_short(), partition, ..report() }]);
    Walk::new(PROOF).documents(&[proof(), Proof { cut_short: cut_short(), ..proof() }]);
    Walk::new(BENCH).documents(&[bench(), Benchmark { cut_short: cut_short(), ..bench() }]);
}

#[test]
fn the_schemas_name_every_verdict_axis_and_outcome() {
    let named = |schema: &str, definition: &str| -> Vec<String> {
        serde_json::from_value(Walk::new(schema).root["$defs"][definition]["enum"].clone()).unwrap()
    };
    assert_eq!(named(RESULTS, "verdict"), Verdict::ALL.map(Verdict::as_str));
    assert_eq!(named(RESULTS, "axis"), Axis::ALL.map(Axis::as_str));
    assert_eq!(named(PROOF, "outcome"), Outcome::ALL.map(Outcome::as_str));
    assert!(Verdict::ALL.iter().all(|one| serde_json::to_value(one).unwrap() == one.as_str()));
    assert!(Axis::ALL.iter().all(|one| serde_json::to_value(one).unwrap() == one.as_str()));
    assert!(Outcome::ALL.iter().all(|one| serde_json::to_value(one).unwrap() == one.as_str()));
}

#[test]
fn what_several_schemas_define_is_the_same() {
    let [results, proof, bench] = [RESULTS, PROOF, BENCH].map(|schema| Walk::new(schema).root);
    for name in ["runtime", "host", "verdict"] {
        assert_eq!(results["$defs"][name], proof["$defs"][name]);
    }
    for name in ["runtime", "host"] {
        assert_eq!(results["$defs"][name], bench["$defs"][name]);
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
    look("results", &Walk::new(RESULTS).root);
    look("proof", &Walk::new(PROOF).root);
    look("bench", &Walk::new(BENCH).root);
}
