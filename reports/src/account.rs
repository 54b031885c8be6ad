//! A check in a few words, for formats that have a line or a block of plain text for it. Text of the runtime is made printable.

use crate::ids;
use crate::model::{Check, Finding};
use crate::text::{clip, printable, printable_lines};

/// What fits into one line of a list.
const LINE: usize = 200;

impl Check {
    /// The circumstance under which it was judged, if any.
    #[must_use]
    pub fn circumstance(&self) -> Option<&str> {
        ids::circumstance(&self.id)
    }

    /// One line: the first finding, else the reason, else that an expected deviation is gone.
    #[must_use]
    pub fn headline(&self) -> String {
        match self.findings.as_slice() {
            [] if self.reason.is_empty() && self.is_red() => {
                format!("got {}, though {}", self.verdict, self.expectation())
            }
            [] => one_line(&self.reason),
            [Finding { what, expected, observed }, ..] => {
                format!("{}: expected {}, observed {}", one_line(what), one_line(expected), one_line(observed))
            }
        }
    }

    /// All findings, clauses and the way to see it again, in lines.
    #[must_use]
    pub fn account(&self) -> String {
        let mut lines = Vec::new();
        if !self.reason.is_empty() {
            lines.push(format!("reason: {}", self.reason));
        }
        if self.is_red() && self.known.is_some() {
            lines.push(self.expectation());
        }
        for Finding { what, expected, observed } in &self.findings {
            lines.push(format!("what: {what}\nexpected: {expected}\nobserved: {observed}"));
        }
        lines.extend(
            self.clauses
                .iter()
                .map(|clause| format!("{} {}: {} {}", clause.level, clause.id, clause.text, clause.link)),
        );
        lines.extend(self.evidence.iter().map(|evidence| format!("replay: {}", evidence.replay)));
        printable_lines(&lines.join("\n")).into_owned()
    }

    /// What was expected of it, if that is a deviation.
    #[must_use]
    pub fn expectation(&self) -> String {
        self.known.as_ref().map_or_else(String::new, |known| {
            let link = if known.link.is_empty() { String::new() } else { format!(" ({})", known.link) };
            format!("{} is expected: {}{link}", known.verdict, known.reason)
        })
    }

    /// Whether a reader has to do something about it: it is red, or nothing is known of it.
    #[must_use]
    pub fn is_unexpected(&self) -> bool {
        self.is_red() || self.verdict == crate::model::Verdict::Error
    }
}

fn one_line(text: &str) -> String {
    let text = printable(text.trim_end());
    match clip(&text, LINE, 1) {
        clip if clip.left_out == 0 && clip.head.is_empty() => "nothing".to_owned(),
        clip if clip.left_out == 0 => clip.head.to_owned(),
        clip => format!("{}…", clip.head),
    }
}
