//! The members of the document have the right types (`features.md`, `features-linux.md`).

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::profile::Op;
use serde_json::Value;

use super::document;

/// Members that say yes or no, wherever they stand.
const YES_OR_NO: [&str; 8] = ["enabled", "v1", "v2", "systemd", "systemdUser", "rdma", "schemata", "monitoring"];

/// Members that list words.
const WORDS: [&str; 12] = [
    "hooks",
    "mountOptions",
    "namespaces",
    "capabilities",
    "actions",
    "operators",
    "archs",
    "knownFlags",
    "supportedFlags",
    "modes",
    "flags",
    "potentiallyUnsafeConfigAnnotations",
];

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "features.members/of-their-types",
    &["schema.features.required-members"],
    &[
        Fault::Misreport(Op::Features, "/linux/cgroup/systemd", r#""yes""#),
        Fault::Misreport(Op::Features, "/linux/selinux/enabled", r#""true""#),
        Fault::Misreport(Op::Features, "/hooks", r#"["prestart", 1]"#),
        Fault::Misreport(Op::Features, "/linux/namespaces", r#""mount""#),
    ],
    |lab, out| {
        let document = document(lab)?;
        document.as_object().into_iter().flatten().for_each(|(name, value)| typed(out, name, value));
        Ok(())
    },
)];

/// Judges a member and all below it; what is null is not said.
fn typed(out: &mut Judgement, name: &str, value: &Value) {
    let known = name.rsplit('.').next().unwrap_or(name);
    let is_word = |word: &Value| word.as_str().is_some_and(|word| !word.is_empty());
    match value {
        Value::Null => {}
        _ if name == "annotations" => {}
        _ if YES_OR_NO.contains(&known) => out.expect(name, value.is_boolean(), "true or false", value),
        _ if WORDS.contains(&known) => {
            out.expect(name, value.as_array().is_some_and(|words| words.iter().all(is_word)), "a list of words", value);
        }
        Value::Object(members) => {
            members.iter().for_each(|(below, value)| typed(out, &format!("{name}.{below}"), value));
        }
        _ => {}
    }
}
