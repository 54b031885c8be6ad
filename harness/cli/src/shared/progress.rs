//! Progress of a run: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plimsoll_bench::experiment::Progress as MeasureProgress;
use plimsoll_engine::schedule::Event;
use plimsoll_reports::model::{Check, Verdict};
use plimsoll_reports::text::printable;

use crate::args::DisplayOptions;
use crate::shared::output::say;
use crate::shared::session::interrupted;

/// The bar, or the lines.
pub struct Progress {
    bar: Option<ProgressBar>,
    red: usize,
    quiet: bool,
}

impl Progress {
    /// For so many checks.
    pub fn new(checks: usize, display: DisplayOptions) -> Self {
        let bar = (!display.quiet && std::io::stderr().is_terminal()).then(|| bar(checks));
        Self { bar, red: 0, quiet: display.quiet }
    }

    /// Says how far it is, and no verdicts.
    pub fn quietly(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Takes note of what happened.
    pub fn note(&mut self, event: &Event<'_>) {
        match (event, &self.bar) {
            (Event::Started(id), Some(bar)) => bar.set_message((*id).to_owned()),
            (Event::Started(_), None) => {}
            (Event::Finished(check), _) => self.finished(check),
            (Event::OthersFirst, _) => self.say(
                "plimsoll: waiting for another run on this host, which is finding out which check changed the host",
            ),
            (Event::HostChanged { change, left }, _) => {
                let (what, how) = change.words();
                let now = if *left {
                    "the runtime or another program did it; it was not restored"
                } else {
                    "the runtime, that of another run, or another program did it; it was restored"
                };
                self.say(&format!(
                    "plimsoll: warning: {what} of the host changed during the run ({how}), but not when each check ran alone: {now}"
                ));
            }
            (Event::Interrupted(change), _) => {
                let (what, how) = change.words();
                self.say(&format!(
                    "plimsoll: warning: {what} of the host changed during the run ({how}), which was interrupted before it was known \
                     whether the runtime did it or another program; it was restored"
                ));
            }
        }
    }

    fn say(&self, words: &str) {
        self.bar.as_ref().map_or_else(|| say(words), |bar| bar.println(printable(words)));
    }

    fn finished(&mut self, check: &Check) {
        let red = matches!(check.verdict, Verdict::Fail | Verdict::Error | Verdict::Timeout);
        self.red += usize::from(red);
        match &self.bar {
            Some(bar) => {
                if red && !self.quiet {
                    bar.println(line(check));
                }
                bar.set_prefix(format!("{} red", self.red));
                bar.inc(1);
            }
            None if self.quiet => {}
            None => say(&line(check)),
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// One line on a terminal that says how far a measurement is; nothing elsewhere, where it would disturb what is measured.
pub struct Line(Option<ProgressBar>);

impl Line {
    /// An empty one.
    pub fn new(display: DisplayOptions) -> Self {
        Self((!display.quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(2));
            bar.with_style(
                ProgressStyle::with_template("{elapsed} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        }))
    }

    /// Takes the line away.
    pub fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl MeasureProgress for Line {
    fn report(&self, text: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(text.to_owned());
        }
    }

    fn is_interrupted(&self) -> bool {
        interrupted()
    }
}

fn line(check: &Check) -> String {
    let reason = if check.reason.is_empty() { String::new() } else { format!("  ({})", check.reason) };
    // Also the id: it comes from a process in which the runtime was called.
    let line = format!("{:<8}{} {:.0} ms{reason}", check.verdict, check.id, check.duration_ms);
    printable(&line).into_owned()
}

/// No ticker: a second thread would keep the supervisor from forking.
fn bar(checks: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(checks as u64), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {prefix} {elapsed} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
