//! Text of unknown origin, made printable. A runtime chooses its messages; a report must neither let them drive the user's terminal nor
//! hide anything that was written.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

/// Text that a runtime chose. Shown, it is [`printable`]; as it is, it is had by [`Foreign::raw`] alone, for who compares it or
/// makes it fit for a format in another way. In JSON it is a plain string.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Foreign(String);

impl Foreign {
    /// As it came.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&printable(&self.0))
    }
}

impl From<String> for Foreign {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The text with every character escaped that a terminal would obey or not show: control characters (also line breaks
/// and tabs), and the Unicode ones that reorder or hide their neighbours. A backslash stays as it is: the result is
/// for people, and doubling each one would make paths and quoted commands harder to read.
///
/// A line that a CI service would obey as a command (`::error::…`, `##[…]`) has its first character escaped, too.
pub fn printable(text: &str) -> Cow<'_, str> {
    if let Some(at) = command(text) {
        let (before, rest) = text.split_at(at);
        let (first, rest) = rest.split_at(1);
        return Cow::Owned(format!("{}{}{}", printable(before), first.escape_unicode(), printable(rest)));
    }
    // Nearly all text is plain, and seeing that from its bytes is many times faster.
    if text.bytes().all(is_plain) || !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hostile(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// The same for text of several lines, whose line breaks stay but for one at the end.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| is_plain(byte) || byte == b'\n') && !text.lines().any(|line| command(line).is_some()) {
        return Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text));
    }
    Cow::Owned(text.lines().map(printable).collect::<Vec<_>>().join("\n"))
}

/// Where a command to the CI service that shows this text begins, if it is one: leading blanks do not matter to those.
fn command(text: &str) -> Option<usize> {
    let line = text.trim_start();
    let is_workflow = || {
        let named = line.strip_prefix("::")?;
        let is_name = named.starts_with(|first: char| first.is_ascii_alphabetic());
        (is_name && named.contains("::")).then_some(())
    };
    (line.starts_with("##[") || is_workflow().is_some()).then(|| text.len() - line.len())
}

fn is_plain(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

/// The text as a string of JSON, which is one of YAML too: that spares us its rules of quoting.
#[must_use]
pub fn quoted(text: &str) -> String {
    // YAML has no surrogates and allows fewer raw characters than JSON, so what is hostile is escaped before.
    serde_json::Value::from(printable_lines(text).into_owned()).to_string()
}

/// JSON that stays what it is, with what a terminal would obey or not show written as escapes: it stands in strings alone.
#[must_use]
pub fn printable_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && is_hostile(character) {
            let units =
                character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            shown.push_str(&units);
        } else {
            shown.push(character);
        }
    }
    shown
}

fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'      // soft hyphen, marks of direction, no-break space
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' // of no width; line separators, embedding, override
            | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' // isolates; annotations
            | '\u{e0000}'..='\u{e007f}') // tags
}

/// The beginning of a text, and how many characters were left out behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clipped<'a> {
    /// What is kept.
    pub head: &'a str,
    /// The number of characters that are not.
    pub left_out: usize,
}

/// Keeps at most `characters` and at most `lines` of a text, without the line breaks at its end.
pub fn clip(text: &str, characters: usize, lines: usize) -> Clipped<'_> {
    let text = text.trim_end_matches(['\n', '\r']);
    let by_characters = text.char_indices().nth(characters).map(|(at, _)| at);
    let by_lines = text.match_indices('\n').nth(lines.saturating_sub(1)).map(|(at, _)| at);
    let end = by_characters.into_iter().chain(by_lines).min().unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    Clipped { head, left_out: rest.chars().count() }
}

/// The last `lines` lines of a text, and how many lines came before them.
pub fn tail(text: &str, lines: usize) -> (usize, Vec<&str>) {
    let mut last: Vec<&str> = text.lines().rev().take(lines).collect();
    last.reverse();
    (text.lines().count() - last.len(), last)
}

/// Breaks a line at spaces so that no part is wider than `room` characters, unless a single word is.
pub fn wrap(line: &str, room: usize) -> Vec<Cow<'_, str>> {
    if line.chars().count() <= room {
        return vec![Cow::Borrowed(line)];
    }
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut width = 0;
    for (index, word) in line.split(' ').enumerate() {
        let wide = word.chars().count();
        if index > 0 && width + 1 + wide > room {
            parts.push(Cow::Owned(std::mem::take(&mut part)));
            width = 0;
        } else if index > 0 {
            part.push(' ');
            width += 1;
        }
        part.push_str(word);
        width += wide;
    }
    parts.push(Cow::Owned(part));
    parts
}

/// An error and its causes, in one line.
#[must_use]
pub fn chain(why: &dyn Error) -> String {
    let mut text = why.to_string();
    let mut next = why.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some errors repeat their cause in their own text.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text.replace('\n', " ")
}

/// The noun for that many.
#[must_use]
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// A time in the unit that a person would name it in.
#[must_use]
pub fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{:.1} s", ms / 1000.0),
        ms => format!("{:.0} min {:.0} s", (ms / 60_000.0).floor(), (ms % 60_000.0 / 1000.0).floor()),
    }
}

/// Seconds since the epoch as RFC 3339 writes them, in UTC.
#[must_use]
pub fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    moment.map_or_else(
        || format!("{seconds} s since the epoch"),
        |moment| moment.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_moment_can_be_named() {
        assert_eq!(moment(1_753_000_000), "2025-07-20T08:26:40Z");
        assert_eq!(moment(u64::MAX), "18446744073709551615 s since the epoch");
    }

    #[test]
    fn durations_have_a_unit_of_their_size() {
        assert_eq!(duration(0.4), "0 ms");
        assert_eq!(duration(4_180.0), "4.2 s");
        assert_eq!(duration(125_900.0), "2 min 5 s");
    }

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(printable("\u{9b}31m\u{7}\r\n\t\u{7f}"), "\\u{9b}31m\\u{7}\\r\\n\\t\\u{7f}");
        assert_eq!(printable("user\u{202e}txt\u{200b}"), "user\\u{202e}txt\\u{200b}");
    }

    #[test]
    fn foreign_text_is_shown_printable_and_kept_as_it_is() {
        let text = Foreign::from("a\u{1b}[2J\n");
        assert_eq!((text.to_string().as_str(), text.raw()), ("a\\u{1b}[2J\\n", "a\u{1b}[2J\n"));
        assert_eq!(serde_json::to_string(&text).unwrap(), r#""a\u001b[2J\n""#);
    }

    #[test]
    fn leaves_ordinary_text_alone() {
        assert!(matches!(printable("C:\\x é 漢字 ×"), Cow::Borrowed(_)));
    }

    #[test]
    fn no_line_is_a_command_to_a_ci_service() {
        assert_eq!(printable("::error::forged"), "\\u{3a}:error::forged");
        assert_eq!(
            printable_lines("x\n  ::stop-commands::t\n##[error]y"),
            "x\n  \\u{3a}:stop-commands::t\n\\u{23}#[error]y"
        );
        for text in ["::1/128", "std::path::Path", "a ::b:: c"] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn line_breaks_stay_however_plain_the_lines_are() {
        assert_eq!(printable_lines("a\nb\n\n"), "a\nb\n");
        assert_eq!(printable_lines("a\né\n\n"), "a\né\n");
        assert_eq!(printable_lines("a\r\nb\u{7}"), "a\nb\\u{7}");
    }

    #[test]
    fn quotes_what_both_json_and_yaml_read() {
        assert_eq!(quoted("a\n\"b\"\u{9b}\u{e0001}"), r#""a\n\"b\"\\u{9b}\\u{e0001}""#);
    }

    #[test]
    fn clips_at_characters_and_lines() {
        assert_eq!(clip("äöü", 2, 9), Clipped { head: "äö", left_out: 1 });
        assert_eq!(clip("a\nb\nc\n", 99, 2), Clipped { head: "a\nb", left_out: 2 });
        assert_eq!(clip("a\nb\n\n", 99, 2), Clipped { head: "a\nb", left_out: 0 });
        assert_eq!(clip("", 9, 9), Clipped { head: "", left_out: 0 });
    }

    #[test]
    fn keeps_the_last_lines() {
        assert_eq!(tail("a\nb\nc\n", 2), (1, vec!["b", "c"]));
        assert_eq!(tail("", 2), (0, vec![]));
    }

    #[test]
    fn wraps_at_spaces_and_loses_none_within_a_line() {
        assert_eq!(wrap("one two  three", 9), ["one two ", "three"]);
        assert_eq!(wrap("a-very-long-word b", 4), ["a-very-long-word", "b"]);
        assert_eq!(wrap(" x", 1), ["", "x"]);
    }
}
