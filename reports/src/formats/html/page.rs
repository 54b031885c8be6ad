//! The frame of the page: head, navigation, script. The page is written piece by piece.

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::untrusted::Line;
use crate::text::{clip, printable};

/// The place in a frame where more is to come. No text holds this character: it is one of those that are escaped.
pub(super) const GAP: PreEscaped<&str> = PreEscaped("\0");

/// Puts out a frame, and in its gap what `fill` puts out.
pub(super) fn framed(
    out: &mut dyn Write,
    frame: &Markup,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let (before, after) = frame.0.split_once(GAP.0).unwrap_or((&frame.0, ""));
    out.write_all(before.as_bytes())?;
    fill(out)?;
    out.write_all(after.as_bytes())
}

/// Puts out what is small enough to be held as a whole.
pub(super) fn put(out: &mut dyn Write, markup: &Markup) -> io::Result<()> {
    out.write_all(markup.0.as_bytes())
}

/// The frame around the body. The policy lets the page load nothing, whatever is in it.
pub(super) fn page(title: &str, contents: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
                title { (Line(&short(title))) " · Plimsoll" }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                header {
                    p.brand { (PreEscaped(MARK)) "Plimsoll" }
                    nav aria-label="Parts of the report" { (contents) }
                }
                main id="main" {
                    h1 { (Line(title)) }
                    (GAP)
                }
                footer { p { "Rendered by Plimsoll " (env!("CARGO_PKG_VERSION")) " from its JSON results." } }
                script { (PreEscaped(include_str!("filter.js"))) }
            }
        }
    }
}

/// What fits into the tab of a browser.
fn short(title: &str) -> String {
    let title = printable(title);
    let clipped = clip(&title, 50, 1);
    if clipped.left_out == 0 { title.into_owned() } else { format!("{}…", clipped.head) }
}

/// The load line of a ship: a ring and the line through it.
const MARK: &str = r#"<svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" focusable="false"><circle cx="11" cy="11" r="7" fill="none" stroke="currentColor" stroke-width="2"/><path d="M1 11h20" stroke="currentColor" stroke-width="2"/></svg>"#;
