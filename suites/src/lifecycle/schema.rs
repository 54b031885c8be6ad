//! The JSON schema of the state (`schema/state-schema.json`), and Semantic Versioning 2.0.0.

use serde_json::{Map, Value};

/// What of a state document breaks the schema, in words for the reader. Members that it does not know are allowed.
pub(crate) fn breaches(state: &Value) -> Vec<String> {
    let Some(members) = state.as_object() else { return vec![format!("no object: {state}")] };
    let mut found: Vec<String> = ["ociVersion", "id", "status", "bundle"]
        .iter()
        .filter(|name| !members.get(**name).is_some_and(Value::is_string))
        .map(|name| format!("{name} is {}, not a string", shown(members, name)))
        .collect();
    let status = members.get("status").and_then(Value::as_str);
    if !matches!(status, Some("creating" | "created" | "running" | "stopped")) {
        found.push(format!("status is {}, none of the four", shown(members, "status")));
    }
    if members.get("pid").is_some_and(|pid| !pid.is_u64()) {
        found.push(format!("pid is {}, not a number from 0", shown(members, "pid")));
    }
    match members.get("annotations") {
        None => {}
        Some(Value::Object(all)) if all.values().all(Value::is_string) => {}
        Some(other) => found.push(format!("annotations is {other}, not a map of strings")),
    }
    found
}

fn shown(members: &Map<String, Value>, name: &str) -> String {
    members.get(name).map_or_else(|| "absent".to_owned(), Value::to_string)
}

/// Whether a text is a version: three numbers, then perhaps `-` and a pre-release, then perhaps `+` and a build.
pub(crate) fn is_semantic_version(text: &str) -> bool {
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    let numbers: Vec<&str> = core.split('.').collect();
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let number = |text: &str| digits(text) && (text == "0" || !text.starts_with('0'));
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    numbers.len() == 3
        && numbers.iter().all(|part| number(part))
        && pre.is_none_or(|pre| pre.split('.').all(|part| word(part) && (!digits(part) || number(part))))
        && build.is_none_or(|build| build.split('.').all(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state() -> Value {
        json!({ "ociVersion": "1.0.2", "id": "a", "status": "created", "pid": 7, "bundle": "/b", "owner": "x" })
    }

    fn broken_by(name: &str, value: Value) -> usize {
        let mut state = state();
        state[name] = value;
        breaches(&state).len()
    }

    #[test]
    fn the_schema_is_kept_or_broken_member_by_member() {
        assert!(breaches(&state()).is_empty());
        assert_eq!(breaches(&json!([])).len(), 1);
        assert_eq!(broken_by("ociVersion", json!(1)), 1);
        assert_eq!(broken_by("status", json!("paused")), 1);
        assert_eq!(broken_by("pid", json!(-1)), 1);
        assert_eq!(broken_by("pid", json!("7")), 1);
        assert_eq!(broken_by("pid", json!(0)), 0);
        assert_eq!(broken_by("annotations", Value::Null), 1);
        assert_eq!(broken_by("annotations", json!({ "a": 1 })), 1);
        assert_eq!(broken_by("annotations", json!({})), 0);
    }

    #[test]
    fn versions_are_told_from_other_texts() {
        for version in ["1.0.2", "1.1.0-rc.1", "1.2.0+dev", "1.0.2-dev+git.7", "0.0.0"] {
            assert!(is_semantic_version(version), "{version}");
        }
        for other in ["1.0", "v1.0.0", "", "1.0.02", "1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0-01"] {
            assert!(!is_semantic_version(other), "{other}");
        }
    }
}
