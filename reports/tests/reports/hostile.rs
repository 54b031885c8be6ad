//! A runtime chooses much of what a report says. Whatever it chooses, the terminal obeys none of it, and none of it
//! can be taken for a line of ours.

use plimsoll_reports::model::Report;
use plimsoll_reports::table::{Style, render};
use serde_json::Value;

use crate::sample::report;

/// Clears the screen, sets the title, overwrites the line, reverses the text, and forges a verdict.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}8m\rPASS\u{8}\u{202e}\nPASS forged/check 1 ms\n";

/// Puts the text behind every string in the value, except where only certain ones are allowed.
fn poison(value: &mut Value, with: &str) {
    match value {
        Value::String(text) => text.push_str(with),
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, with)),
        Value::Object(members) => {
            let open = members.iter_mut().filter(|(name, _)| !["verdict", "axis"].contains(&name.as_str()));
            open.for_each(|(_, member)| poison(member, with));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A report of a runtime that puts [`HOSTILE`] and `more` wherever it can.
pub fn poisoned(more: &str) -> Report {
    let mut value = serde_json::to_value(Report { cut_short: Some("why".to_owned()), ..report() }).expect("serialise");
    poison(&mut value, &format!("{HOSTILE}{more}"));
    serde_json::from_value(value).expect("read what was poisoned")
}

#[test]
fn nothing_that_a_terminal_obeys_gets_through() {
    for verbose in [false, true] {
        let text = render(&poisoned(""), Style { color: false, width: Some(80), verbose });
        let obeyed = text.chars().find(|character| character.is_control() && *character != '\n');
        assert_eq!(obeyed, None);
        assert!(!text.contains('\u{202e}'));
        assert!(text.contains("\\u{1b}[2J"));
    }
}

#[test]
fn no_line_can_be_forged() {
    for verbose in [false, true] {
        let text = render(&poisoned(""), Style { verbose, ..Style::default() });
        assert_eq!(text.lines().find(|line| line.starts_with("PASS forged")), None);
    }
}

#[test]
fn with_colour_the_only_codes_are_ours() {
    let text = render(&poisoned(""), Style { color: true, ..Style::default() });
    for code in text.split('\u{1b}').skip(1) {
        let (parameters, _) = code.split_once('m').expect("a colour code ends in m");
        let digits = parameters.strip_prefix('[').expect("a colour code begins with a bracket");
        assert!(digits.chars().all(|character| character.is_ascii_digit() || character == ';'), "{digits:?}");
    }
}
