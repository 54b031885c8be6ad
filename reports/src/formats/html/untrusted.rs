//! Text that a runtime may have chosen. maud escapes markup; this module handles what a reader would not see or be misled by, and what
//! HTML forbids even when escaped.

use std::fmt::Write;

use maud::{Escaper, Render};

use crate::text::{printable, printable_lines};

/// Text for one line.
pub(super) struct Line<'a>(pub(super) &'a str);

impl Render for Line<'_> {
    fn render_to(&self, out: &mut String) {
        escape(&printable(self.0), out);
    }
}

/// Text that keeps its line breaks, for `<pre>`.
pub(super) struct Lines<'a>(pub(super) &'a str);

impl Render for Lines<'_> {
    fn render_to(&self, out: &mut String) {
        escape(&printable_lines(self.0), out);
    }
}

/// maud looks at each character; what lies between those that it escapes is copied at once, since a large report has
/// megabytes of it.
#[expect(clippy::expect_used, reason = "writing to a String never fails")]
fn escape(mut text: &str, out: &mut String) {
    while let Some(at) = text.bytes().position(|byte| b"&<>\"".contains(&byte)) {
        let (plain, rest) = text.split_at(at);
        let (special, rest) = rest.split_at(1);
        out.push_str(plain);
        Escaper::new(out).write_str(special).expect("a String takes all");
        text = rest;
    }
    out.push_str(text);
}

/// A place on the page to link to. What is not plain becomes `_`, so that it needs no escaping in a link.
pub(super) fn anchor(prefix: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-/".contains(c) { c } else { '_' };
    prefix.chars().chain(['-']).chain(name.chars().map(plain)).collect()
}

/// A link to where something is explained; plain text when it is not on the web, so that no other scheme can be run.
pub(super) struct Link<'a>(pub(super) &'a str);

impl Render for Link<'_> {
    fn render_to(&self, out: &mut String) {
        let Self(target) = self;
        let safe = ["https://", "http://"].iter().any(|scheme| target.starts_with(scheme))
            && target.chars().all(|c| c.is_ascii_graphic() && !"\\^`{|}<>\"".contains(c));
        let shown = Line(target);
        let markup = if safe {
            maud::html! { a href=(target) { (shown) } }
        } else {
            maud::html! { (shown) }
        };
        out.push_str(&markup.into_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_for_markup() {
        assert_eq!(Lines("<b>\n&\u{1b}[2J").render().into_string(), "&lt;b&gt;\n&amp;\\u{1b}[2J");
        assert_eq!(Line("a\n\"b\"").render().into_string(), "a\\n&quot;b&quot;");
    }

    #[test]
    fn only_the_web_is_linked_to() {
        let link = |text| Link(text).render().into_string();
        assert_eq!(
            link("https://a.example/x?y=1&z"),
            r#"<a href="https://a.example/x?y=1&amp;z">https://a.example/x?y=1&amp;z</a>"#
        );
        assert_eq!(link("javascript:alert(1)"), "javascript:alert(1)");
        assert_eq!(link("https://a.example/ x"), "https://a.example/ x");
    }

    #[test]
    fn anchors_are_plain() {
        assert_eq!(anchor("check", "a.b/c d\"%"), "check-a.b/c_d__");
    }
}
