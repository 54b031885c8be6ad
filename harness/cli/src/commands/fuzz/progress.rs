//! Progress of a search, and the result of a replayed case.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plimsoll_engine::fuzz_case::CaseResult;
use plimsoll_reports::model::fuzz::Failure as Found;
use plimsoll_reports::text::printable;

use super::case::SavedCase;
use crate::args::DisplayOptions;
use crate::shared::failure::Failure;
use crate::shared::output::{print, say};

/// A line on a terminal that says how far the search is, and a line for each failure anywhere.
pub struct Reporter {
    bar: Option<ProgressBar>,
    quiet: bool,
    told: usize,
}

impl Reporter {
    pub fn new(display: DisplayOptions) -> Self {
        // No ticker: a second thread would keep the supervisor from forking.
        let bar = (!display.quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            let style = ProgressStyle::with_template("{elapsed} {wide_msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, quiet: display.quiet, told: 0 }
    }

    /// Says how many cases were tried, and what is new.
    pub fn report(&mut self, tried: u64, failures: &[Found]) {
        for found in &failures[self.told..] {
            let word = if found.known.is_some() { "known" } else { found.verdict.as_str() };
            let line = format!("{word:<8}{}: {}", found.property, found.description);
            let line = printable(&line).into_owned();
            match &self.bar {
                Some(bar) => bar.println(line),
                None if self.quiet => {}
                None => say(&line),
            }
        }
        self.told = failures.len();
        if let Some(bar) = &self.bar {
            let red = failures.iter().filter(|found| found.is_red()).count();
            bar.set_message(format!("{tried} cases, {red} failures"));
            bar.tick();
        }
    }
}

/// Prints the result of a replayed case.
pub fn replayed(kept: &SavedCase, result: &CaseResult, display: DisplayOptions) -> Result<(), Failure> {
    if display.quiet {
        return Ok(());
    }
    let mut text = format!("{}\n", printable(&kept.description));
    for broken in &result.broken {
        text.push_str(&format!("BROKEN {}\n", printable(&broken.property)));
        for finding in &broken.findings {
            for (label, value) in
                [("what", &finding.what), ("expected", &finding.expected), ("observed", &finding.observed)]
            {
                text.push_str(&format!("  {label:<10}{}\n", printable(value)));
            }
        }
    }
    for call in &result.calls {
        text.push_str(&format!("  {:<10}{} → {}\n", "call", printable(&call.command), printable(&call.ended)));
        for line in call.stderr.raw().lines() {
            text.push_str(&format!("  {:<10}  {}\n", "", printable(line)));
        }
    }
    match &result.error {
        Some(why) => text.push_str(&format!("ERROR {}\n", printable(why))),
        None if result.broken.is_empty() => text.push_str(&format!("{} holds\n", printable(&kept.property))),
        None => {}
    }
    print(&text)
}
