//! Random seccomp filters, for calls that only the questions of the probe make.

use plimsoll_fixtures::Edit;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use super::edits;

const OPERATORS: [&str; 7] =
    ["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"];

/// Everything is allowed but what some rules say of two harmless calls. Each call has one rule: which of two that match
/// counts is not specified.
pub(super) fn filter() -> BoxedStrategy<Vec<Edit>> {
    let rule = || (action(), prop::option::of(compared()));
    (rule(), prop::option::of(rule()))
        .prop_map(|(first, second)| {
            let first = Some(("readahead", first));
            let second = second.map(|rule| ("sync_file_range", rule));
            let rules = first.into_iter().chain(second).map(|(name, rule)| written(name, rule));
            let filter = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules.collect::<Vec<Value>>() });
            edits(|r| r.set("/linux/seccomp", filter))
        })
        .boxed()
}

fn written(name: &str, ((action, errno), compared): ((&str, Option<u32>), Option<Value>)) -> Value {
    let mut rule = json!({ "names": [name], "action": action });
    if let Some(errno) = errno {
        rule["errnoRet"] = errno.into();
    }
    if let Some(compared) = compared {
        rule["args"] = json!([compared]);
    }
    rule
}

/// Error numbers that the kernel gives for neither call.
fn action() -> BoxedStrategy<(&'static str, Option<u32>)> {
    prop_oneof![
        3 => (77..90_u32).prop_map(|errno| ("SCMP_ACT_ERRNO", Some(errno))),
        1 => Just(("SCMP_ACT_ERRNO", None)),
        1 => Just(("SCMP_ACT_KILL_PROCESS", None)),
    ]
    .boxed()
}

fn compared() -> BoxedStrategy<Value> {
    let value = || prop_oneof![0..1000_u64, any::<u64>(), select(vec![0, 1 << 31, 1 << 32, u64::MAX])];
    (0..3_u32, select(OPERATORS.to_vec()), value(), value())
        .prop_map(|(index, op, value, mask)| match op {
            "SCMP_CMP_MASKED_EQ" => json!({ "index": index, "op": op, "value": mask, "valueTwo": value & mask }),
            _ => json!({ "index": index, "op": op, "value": value }),
        })
        .boxed()
}
