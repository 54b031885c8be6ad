//! Lines of text with indents and colour. Every string on the page is escaped here, since the runtime may have chosen any of them. Only
//! the table of counts, escaped cell by cell, bypasses this.

use super::Style;
use crate::text::{clip, plural, printable, wrap};

/// Columns that the labels of fields take.
const LABEL: usize = 10;
/// Prose is not squeezed into less than this, however narrow the terminal is.
const LEAST_ROOM: usize = 30;
/// How much of a value is shown unless the user asked for all of it.
const VALUE_CHARACTERS: usize = 400;
const VALUE_LINES: usize = 12;

/// What a piece of text is, and thereby its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Good,
    Bad,
    Doubtful,
    Dim,
    Strong,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Paint::Plain => "",
            Paint::Good => "\u{1b}[32m",
            Paint::Bad => "\u{1b}[31m",
            Paint::Doubtful => "\u{1b}[33m",
            Paint::Dim => "\u{1b}[2m",
            Paint::Strong => "\u{1b}[1m",
        }
    }
}

/// The text so far.
pub(super) struct Page {
    text: String,
    style: Style,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Page { text: String::new(), style }
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// One line, never broken: for what is copied from a terminal, such as commands and links.
    pub(super) fn line(&mut self, indent: usize, spans: &[(Paint, &str)]) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        for (paint, text) in spans {
            self.span(*paint, text);
        }
        self.blank();
    }

    /// One paragraph, broken between words at the width of the terminal.
    pub(super) fn prose(&mut self, indent: usize, paint: Paint, text: &str) {
        let text = printable(text);
        let room =
            self.style.width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(indent).max(LEAST_ROOM));
        for part in wrap(&text, room) {
            self.line(indent, &[(paint, &part)]);
        }
    }

    /// A label and a value that may have many lines: the others hang below the first, so none can pass for ours.
    pub(super) fn value(&mut self, indent: usize, label: &str, value: &str) {
        let all = self.style.verbose;
        let (characters, lines) = if all { (usize::MAX, usize::MAX) } else { (VALUE_CHARACTERS, VALUE_LINES) };
        let clipped = clip(value, characters, lines);
        if clipped.head.is_empty() {
            self.hang(indent, label, Paint::Dim, "(empty)");
        } else {
            self.hang(indent, label, Paint::Plain, clipped.head);
        }
        if clipped.left_out > 0 {
            let note = format!("… {} more {}", clipped.left_out, plural(clipped.left_out, "character"));
            self.line(indent + LABEL, &[(Paint::Dim, &note)]);
        }
    }

    /// The lines of `text` below each other, the first one beside the label.
    pub(super) fn hang(&mut self, indent: usize, label: &str, paint: Paint, text: &str) {
        let labels = std::iter::once(label).chain(std::iter::repeat(""));
        for (label, line) in labels.zip(text.lines()) {
            self.line(indent, &[(Paint::Dim, &format!("{label:LABEL$}")), (paint, line)]);
        }
    }

    /// A paragraph below the value of a field.
    pub(super) fn prose_below(&mut self, indent: usize, paint: Paint, text: &str) {
        self.prose(indent + LABEL, paint, text);
    }

    /// Text that is laid out already and holds nothing of unknown origin.
    pub(super) fn laid_out(&mut self, text: &str) {
        self.text.push_str(text);
        self.blank();
    }

    fn span(&mut self, paint: Paint, text: &str) {
        let painted = self.style.color && paint != Paint::Plain;
        if painted {
            self.text.push_str(paint.code());
        }
        self.text.push_str(&printable(text));
        if painted {
            self.text.push_str("\u{1b}[0m");
        }
    }
}
