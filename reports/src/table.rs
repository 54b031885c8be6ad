//! The report as a person reads it in a terminal: what was judged and where, counts by section, why checks were
//! skipped, then each finding with its clause and the command that replays it, and one line that sums up.
//!
//! `page` is the only way to the output, and it escapes whatever it is given.

mod detail;
mod page;
mod sections;

use std::collections::BTreeMap;

use crate::model::{Check, Report, Verdict};
use crate::tally::Tally;
use crate::text::clip;
use page::{Page, Paint, plural};

/// How to print a report. The default suits a file: no colour, no limit of width, long values cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to use the escape codes for colour. Whoever sets it has already looked at `NO_COLOR`.
    pub color: bool,
    /// Columns of the terminal; prose is not broken and the table not squeezed when it is unknown.
    pub width: Option<u16>,
    /// Also lists what passed, names the skipped checks, and cuts nothing short.
    pub verbose: bool,
}

/// The whole report as text, ending in a line break.
pub fn render(report: &Report, style: Style) -> String {
    let mut page = Page::new(style);
    head(&mut page, report);
    sections::table(&mut page, report);
    if style.verbose {
        passed(&mut page, report);
    }
    skipped(&mut page, report);
    known(&mut page, report);
    for verdict in [Verdict::Fail, Verdict::Timeout, Verdict::Error, Verdict::Pass] {
        let unexpected = |check: &&Check| check.is_red() || check.verdict == Verdict::Error;
        with(report, verdict).filter(unexpected).for_each(|check| detail::full(&mut page, check));
    }
    for check in with(report, Verdict::Warn).filter(|check| !check.is_known()) {
        if style.verbose { detail::full(&mut page, check) } else { detail::brief(&mut page, check) }
    }
    summary(&mut page, report);
    page.finish()
}

fn with(report: &Report, verdict: Verdict) -> impl Iterator<Item = &Check> {
    report.checks.iter().filter(move |check| check.verdict == verdict)
}

fn head(page: &mut Page, report: &Report) {
    let (runtime, host) = (&report.runtime, &report.host);
    let cgroups = match host.cgroup_view.as_str() {
        "host" => format!("{}, as mounted on the host", host.cgroups),
        view => format!("{}, seen through a private {view} view", host.cgroups),
    };
    let some = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    page.value(0, "runtime", &runtime.path);
    page.value(0, "version", &some(&runtime.version, "not printed"));
    page.value(0, "sha256", &runtime.sha256.chars().take(12).collect::<String>());
    page.value(0, "profile", &format!("{}, judged by release {} of the specification", runtime.profile, runtime.spec));
    page.value(0, "kernel", &format!("{} {}", host.kernel, host.machine));
    page.value(0, "cgroups", &cgroups);
    page.value(0, "LSMs", &some(&host.lsms.join(", "), "none"));
    if !host.missing_capabilities.is_empty() {
        page.value(0, "lacking", &host.missing_capabilities.join(", "));
    }
    if let Some(accelerator) = &host.accelerator {
        let note = if accelerator == "tcg" { ", emulated by software: times mean nothing" } else { "" };
        page.value(0, "machine", &format!("virtual ({accelerator}){note}"));
    }
    page.value(0, "plimsoll", &format!("{}, run {}", report.plimsoll, report.run));
    page.blank();
}

fn passed(page: &mut Page, report: &Report) {
    if report.tally().pass > 0 {
        page.blank();
    }
    for check in with(report, Verdict::Pass) {
        let took = duration(check.duration_ms);
        page.line(0, &[(Paint::Good, "PASS "), (Paint::Plain, &check.id), (Paint::Dim, &format!(" ({took})"))]);
    }
}

/// One line for each reason, the most frequent first: a user acts on reasons and not on checks.
fn skipped(page: &mut Page, report: &Report) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in with(report, Verdict::Skip) {
        reasons.entry(&check.reason).or_default().push(&check.id);
    }
    if reasons.is_empty() {
        return;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
    page.blank();
    page.line(0, &[(Paint::Strong, "Skipped")]);
    for (reason, ids) in reasons {
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        page.prose(2, Paint::Plain, &format!("{} × {reason}", ids.len()));
        if page.style().verbose {
            ids.iter().for_each(|id| page.line(6, &[(Paint::Dim, id)]));
        }
    }
}

/// One line for each deviation that was expected.
fn known(page: &mut Page, report: &Report) {
    let known: Vec<&Check> = report.checks.iter().filter(|check| check.is_known()).collect();
    if known.is_empty() {
        return;
    }
    page.blank();
    page.line(0, &[(Paint::Strong, "Known deviations")]);
    for check in known {
        let verdict = format!("{:<8}", check.verdict);
        page.line(2, &[(Paint::Doubtful, &verdict), (Paint::Plain, &check.id)]);
        let note = check.known.iter().flat_map(|known| [&known.reason, &known.link]).filter(|text| !text.is_empty());
        note.for_each(|text| page.prose(10, Paint::Dim, text));
        if page.style().verbose {
            detail::full(page, check);
        }
    }
}

fn summary(page: &mut Page, report: &Report) {
    page.blank();
    if let Some(reason) = &report.cut_short {
        page.line(0, &[(Paint::Bad, "The run was cut short: "), (Paint::Plain, reason)]);
    }
    let paint = match report.exit_code() {
        0 => Paint::Good,
        3 => Paint::Doubtful,
        _ => Paint::Bad,
    };
    let took = duration(report.duration_ms as f64);
    let name = name(report);
    page.line(
        0,
        &[
            (Paint::Strong, &name),
            (paint, &format!(": {}{}", counts(&report.tally()), expected(report))),
            (Paint::Plain, &format!(" in {took}")),
        ],
    );
}

/// `runc version 1.1.5` as `runc 1.1.5`, and the file name when the runtime told no version. What it told is cut where
/// no honest version would still go on.
fn name(report: &Report) -> String {
    let runtime = &report.runtime;
    match runtime.version.as_str() {
        "" => runtime.path.rsplit('/').next().unwrap_or_default().to_owned(),
        version => clip(version, 60, 1).head.replacen(" version ", " ", 1),
    }
}

/// `180 passed, 12 failed, 3 warnings`: the passed ones always, the others when there are any.
fn counts(tally: &Tally) -> String {
    let mut counts = vec![format!("{} passed", tally.pass)];
    let others = [
        (tally.fail, "failed".to_owned()),
        (tally.timeout, "timed out".to_owned()),
        (tally.error, plural(tally.error, "error")),
        (tally.warn, plural(tally.warn, "warning")),
        (tally.skip, "skipped".to_owned()),
    ];
    counts.extend(others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    counts.join(", ")
}

/// ` (12 deviations as expected)`, and nothing when nothing was expected.
fn expected(report: &Report) -> String {
    let known = report.checks.iter().filter(|check| check.is_known()).count();
    if known == 0 { String::new() } else { format!(" ({known} {} as expected)", plural(known, "deviation")) }
}

/// A time in the unit that a person would name it in.
fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 60_000.0 => format!("{:.1} s", ms / 1000.0),
        ms => format!("{:.0} min {:.0} s", (ms / 60_000.0).floor(), (ms % 60_000.0 / 1000.0).floor()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_of_their_size() {
        assert_eq!(duration(0.4), "0 ms");
        assert_eq!(duration(4_180.0), "4.2 s");
        assert_eq!(duration(125_900.0), "2 min 5 s");
    }

    #[test]
    fn counts_name_only_what_there_is() {
        assert_eq!(counts(&Tally::default()), "0 passed");
        let tally = Tally { pass: 2, fail: 1, warn: 1, error: 2, timeout: 1, skip: 3 };
        assert_eq!(counts(&tally), "2 passed, 1 failed, 1 timed out, 2 errors, 1 warning, 3 skipped");
    }
}
