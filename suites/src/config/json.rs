//! `config.json` as a JSON document: other spellings of the same document, and invalid documents (`config.md`).

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Op;
use plimsoll_foreign::read;
use plimsoll_reports::model::Axis;
use serde_json::{Map, Value, json};

use super::unknown::{as_configured, asks};
use crate::refusal;

const SAME: &[&str] = &["json.config.member-order-free", "runtime.create.makes-container"];
const TEXT: &[&str] = &["json.config.utf8", "runtime.create.makes-container"];
const PROVES: &[Fault] = &[
    Fault::Take("/process/args/1", "\"other\""),
    Fault::Take("/process/cwd", "\"/etc\""),
    Fault::Drop("/hostname"),
    Fault::DropLast("/process/env"),
];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("config.json/members-reversed", SAME, PROVES, |lab, out| {
        written_as(lab, out, |config| reordered(config, |members| members.reverse()).to_string())
    }),
    Scenario::new("config.json/members-sorted", SAME, PROVES, |lab, out| {
        written_as(lab, out, |config| reordered(config, |members| members.sort_by(|a, b| a.0.cmp(&b.0))).to_string())
    }),
    Scenario::new("config.json/indented", TEXT, PROVES, |lab, out| {
        written_as(lab, out, |config| format!("\r\n\t {config:#}\r\n\n"))
    }),
    Scenario::new("config.json/escaped", TEXT, PROVES, |lab, out| {
        written_as(lab, out, |config| escaped(&config.to_string()))
    }),
    Scenario::new("config.json/null-is-absent", &[], PROVES, |lab, out| {
        written_as(lab, out, |config| nulls(config.clone()))
    })
    .axis(Axis::Compat),
    Scenario::new("config.json/large", &["config.annotations.free-content"], PROVES, |lab, out| {
        written_as(lab, out, |config| {
            let mut config = config.clone();
            config["annotations"] = json!({ "com.example.large": "0123456789abcdef".repeat(64 * 1024) });
            config.to_string()
        })
    }),
];

/// Writes the document anew, and expects the container to be as configured.
fn written_as(lab: &Lab<'_>, out: &mut Judgement, write: impl FnOnce(&Value) -> String) -> StepResult {
    let bundle = lab.bundle(|r| {
        r.set("/process/args", ["/probe", "größer/\u{1f6a2}", "\"\\"]).set("/process/cwd", "/tmp");
        r.set("/hostname", "plimsoll").set("/process/env", ["PATH=/bin", "A=b", "LAST=船"])
    })?;
    bundle.write_config(write(&on_disk(&bundle.dir)?).as_bytes())?;
    let container = lab.create(&bundle)?;
    container.started()?;
    as_configured(&bundle.config, &container.evidence(asks())?, out);
    container.finish_and_delete()
}

fn on_disk(bundle: &std::path::Path) -> StepResult<Value> {
    let bytes = read::file(&bundle.join("config.json"), read::DOCUMENT)?;
    serde_json::from_slice(&bytes).map_err(|why| Stop::Error(format!("config.json of our own: {why}")))
}

/// What is not set, as some languages write it: members that are null.
fn nulls(mut config: Value) -> String {
    for at in ["/annotations", "/hooks", "/process/rlimits", "/process/capabilities/ambient", "/linux/seccomp"] {
        plimsoll_fixtures::recipe::remove(&mut config, at);
        let (parent, name) = at.rsplit_once('/').unwrap_or_default();
        if let Some(members) = config.pointer_mut(parent).and_then(Value::as_object_mut) {
            members.insert(name.to_owned(), Value::Null);
        }
    }
    config.to_string()
}

/// The document with the members of every object in another order.
fn reordered(value: &Value, order: fn(&mut Vec<(String, Value)>)) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| reordered(item, order)).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, item)| (name.clone(), reordered(item, order))).collect();
            order(&mut members);
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// The same document in ASCII, with each slash and each other character escaped.
fn escaped(text: &str) -> String {
    let mut ascii = String::new();
    for c in text.chars() {
        match c {
            '/' => ascii.push_str("\\/"),
            c if c.is_ascii() => ascii.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| ascii.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    ascii
}

macro_rules! no_document {
    (advisory $cites:expr; $($name:literal, $bytes:expr;)*) => {
        &[$(Scenario::new(concat!("config.json/", $name), $cites, &[Fault::Succeed(Op::Create)], |lab, out| {
            let bytes: fn(&str) -> Vec<u8> = $bytes;
            refused_as(lab, out, bytes)
        })
        .advisory(LENIENT)),*]
    };
    ($cites:expr; $($name:literal, $bytes:expr;)*) => {
        &[$(Scenario::new(concat!("config.json/", $name), $cites, &[Fault::Succeed(Op::Create)], |lab, out| {
            let bytes: fn(&str) -> Vec<u8> = $bytes;
            refused_as(lab, out, bytes)
        })),*]
    };
}

pub(super) const MALFORMED: &[Scenario] = no_document! {
    &["config.values.invalid-error", "runtime.create.unappliable-property-error", "runtime.errors.no-side-effects"];
    "empty", |_| Vec::new();
    "blank", |_| b" \n".to_vec();
    "truncated", |text| text.as_bytes()[..text.len() - 1].to_vec();
    "null", |_| b"null".to_vec();
    "a-list", |text| format!("[{text}]").into_bytes();
    "a-string", |_| b"\"config\"".to_vec();
    "empty-object", |_| b"{}".to_vec();
    "zero-bytes", |_| vec![0; 4096];
};

/// The standard of JSON that the glossary leads to (RFC 8259, section 9).
const LENIENT: &str = "RFC 8259 lets a parser accept more than JSON";
const AMBIGUOUS: &str =
    "RFC 8259 leaves open what a parser makes of names that repeat, and the rule binds the author alone";

/// Documents of a dialect, which lenient readers take.
pub(super) const DIALECTS: &[Scenario] = no_document! {
    advisory &["config.values.invalid-error"];
    "trailing-comma", |text| text.replacen("\"args\":[\"/probe\"]", "\"args\":[\"/probe\",]", 1).into_bytes();
    "single-quotes", |text| text.replace('"', "'").into_bytes();
    "comment", |text| format!("/* a comment */ {text}").into_bytes();
    "not-a-number", |text| text.replacen("\"uid\":0", "\"uid\":NaN", 1).into_bytes();
    "leading-zero", |text| text.replacen("\"uid\":0", "\"uid\":00", 1).into_bytes();
};

/// A document all the same for lenient readers.
pub(super) const DUBIOUS: &[Scenario] = &[
    Scenario::new(
        "config.json/duplicate-member",
        &["json.config.no-duplicate-names"],
        &[Fault::Succeed(Op::Create)],
        |lab, out| refused_as(lab, out, |text| text.replacen('{', "{\"hostname\":\"a\",\"hostname\":\"b\",", 1).into()),
    )
    .advisory(AMBIGUOUS),
    Scenario::new(
        "config.json/text-after-it",
        &["config.values.invalid-error"],
        &[Fault::Succeed(Op::Create)],
        |lab, out| refused_as(lab, out, |text| format!("{text}\n{text}").into_bytes()),
    )
    .advisory(LENIENT),
    Scenario::new("config.json/invalid-utf-8", &["json.config.utf8"], &[Fault::Succeed(Op::Create)], |lab, out| {
        refused_as(lab, out, |text| {
            let (front, back) = text.split_at(1);
            [front.as_bytes(), b"\"hostname\":\"a\xff\xfeb\",", back.as_bytes()].concat()
        })
    })
    .advisory(LENIENT),
    Scenario::new("config.json/utf-16", &["json.config.utf8"], &[Fault::Succeed(Op::Create)], |lab, out| {
        refused_as(lab, out, |text| {
            [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
        })
    })
    .advisory(LENIENT),
    // A reader that calls itself for each level must not crash.
    Scenario::new(
        "config.json/deep-nesting",
        &["config.values.invalid-error"],
        &[Fault::Succeed(Op::Create)],
        |lab, out| {
            refused_as(lab, out, |text| {
                let deep = "[".repeat(200_000);
                text.replacen('{', &format!("{{\"com.example.deep\":{deep}"), 1).into_bytes()
            })
        },
    ),
];

fn refused_as(lab: &Lab<'_>, out: &mut Judgement, bytes: impl FnOnce(&str) -> Vec<u8>) -> StepResult {
    let bundle = lab.bundle(|r| r)?;
    let text = on_disk(&bundle.dir)?.to_string();
    let changed = bytes(&text);
    out.expect("the changed document", changed != text.as_bytes(), "another one", ());
    bundle.write_config(&changed)?;
    refusal::by_create(lab, out, &bundle)
}
