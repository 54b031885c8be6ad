//! A benchmark in a terminal: one table per scenario, with a bar for each median.

use comfy_table::{Cell, CellAlignment, Color};

use super::page::{Page, Paint};
use super::sections::{aligned, blank_table};
use super::{Style, bench_more};
use crate::model::bench::{Benchmark, Difference, Measured, MishapKind, Phase, Ratio, Scenario};
use crate::text::{plural, printable};

/// The benchmark as text, ending in a line break.
pub(super) fn render(benchmark: &Benchmark, style: Style) -> String {
    let mut page = Page::new(style);
    head(&mut page, benchmark);
    benchmark.scenarios.iter().for_each(|one| scenario(&mut page, benchmark, one));
    bench_more::costs(&mut page, &benchmark.costs);
    bench_more::curves(&mut page, &benchmark.curves);
    bench_more::soaks(&mut page, &benchmark.soaks);
    bench_more::traces(&mut page, &benchmark.traces);
    for warning in &benchmark.warnings {
        page.prose(0, Paint::Doubtful, &format!("Note: {warning}."));
    }
    page.finish()
}

fn head(page: &mut Page, benchmark: &Benchmark) {
    let Benchmark { host, machine, design, .. } = benchmark;
    for subject in &benchmark.subjects {
        let runtime = &subject.runtime;
        let version = if runtime.version.is_empty() { String::new() } else { format!(", {}", runtime.version) };
        let hash: String = runtime.sha256.chars().take(12).collect();
        page.line(
            0,
            &[(Paint::Strong, &subject.name), (Paint::Plain, &format!(" {}{version} ({hash})", runtime.path))],
        );
    }
    let kind = if machine.virtual_machine { ", a virtual machine" } else { "" };
    page.value(0, "machine", &format!("{} × {}{kind}", machine.processors, machine.cpu));
    page.value(0, "kernel", &format!("{} {}, cgroups {}", host.kernel, host.machine, host.cgroups));
    let order = format!("seed {}, {} ({} ms of quiet)", design.seed, design.cadence, design.quiet_ms);
    page.value(0, "design", &format!("blocks in random order, {order}"));
    page.blank();
}

/// Columns of the longest bar.
const BAR: f64 = 24.0;

fn scenario(page: &mut Page, benchmark: &Benchmark, scenario: &Scenario) {
    let settled = if scenario.settled { "precise enough" } else { "ended by its limit" };
    let blocks = format!(": {} {}, {settled}", scenario.blocks, plural(scenario.blocks as usize, "block"));
    page.line(0, &[(Paint::Strong, &scenario.name), (Paint::Plain, &blocks)]);
    let floor = benchmark.subjects.iter().find(|subject| subject.floor).map(|subject| subject.name.as_str());
    let mut table = blank_table(page.style());
    let against = printable(&benchmark.design.against);
    let vs = format!("against {against}");
    let heads = ["phase", "", "median ms", "95 %", "p90", "p99", "min", "MAD", "× floor", &vs, ""];
    table.set_header(heads.iter().enumerate().map(|(at, head)| aligned(usize::from(at > 1), head)));
    for name in phase_names(scenario) {
        let of = |one: &Measured| one.phases.iter().find(|phase| phase.name == name).and_then(|phase| phase.summary);
        let most = scenario.subjects.iter().filter_map(of).map(|summary| summary.median_ms).fold(0.0, f64::max);
        let rows = scenario.subjects.iter().filter_map(|one| Some((one, phase(one, name)?)));
        for (row, (one, phase)) in rows.enumerate() {
            let ratio = |other: &str| ratio(scenario, name, &one.subject, other);
            let label = if row == 0 { name } else { "" };
            let times = floor.and_then(ratio).map_or(String::new(), |ratio| format!("{:.1}", ratio.ratio.value));
            let mut cells = vec![aligned(0, label), aligned(0, &printable(&one.subject))];
            cells.extend(figures(phase));
            cells.extend([aligned(1, &times), verdict(ratio(&benchmark.design.against)), bar(phase, most)]);
            table.add_row(cells);
        }
    }
    page.laid_out(&table.to_string());
    scenario.subjects.iter().for_each(|one| mishaps(page, one));
    page.blank();
}

fn phase<'m>(measured: &'m Measured, name: &str) -> Option<&'m Phase> {
    measured.phases.iter().find(|phase| phase.name == name)
}

/// Names of the phases that anybody has, in order.
pub(crate) fn phase_names(scenario: &Scenario) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for phase in scenario.subjects.iter().flat_map(|one| &one.phases) {
        if !names.contains(&phase.name.as_str()) {
            names.push(&phase.name);
        }
    }
    names
}

fn figures(phase: &Phase) -> Vec<Cell> {
    let Some(s) = phase.summary else { return vec![Cell::new(""); 6] };
    let texts = [
        time(s.median_ms),
        format!("{}–{}", time(s.low_ms), time(s.high_ms)),
        time(s.p90_ms),
        time(s.p99_ms),
        time(s.min_ms),
        time(s.mad_ms),
    ];
    texts.iter().map(|text| aligned(1, text)).collect()
}

/// Three digits that mean something.
pub(crate) fn time(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms >= 100.0 => format!("{ms:.0}"),
        ms if ms >= 10.0 => format!("{ms:.1}"),
        ms => format!("{ms:.2}"),
    }
}

fn ratio<'s>(scenario: &'s Scenario, phase: &str, subject: &str, against: &str) -> Option<&'s Ratio> {
    let fits = |ratio: &&Ratio| ratio.phase == phase && ratio.subject == subject && ratio.against == against;
    scenario.ratios.iter().find(fits)
}

fn verdict(ratio: Option<&Ratio>) -> Cell {
    let Some(ratio) = ratio else { return Cell::new("") };
    let interval = ratio.ratio;
    let excess = ratio.difference_ms.value;
    let text = format!("{:.2} ({:.2}–{:.2}) {excess:+.2} ms", interval.value, interval.low, interval.high);
    let cell = match ratio.verdict {
        Difference::Faster => Cell::new(text).fg(Color::DarkGreen),
        Difference::Slower => Cell::new(text).fg(Color::DarkRed),
        Difference::None => Cell::new(format!("{text} no difference")),
        Difference::Inconclusive => Cell::new(format!("{text} inconclusive")),
    };
    cell.set_alignment(CellAlignment::Right)
}

fn bar(phase: &Phase, most: f64) -> Cell {
    let width = phase.summary.map_or(0.0, |summary| summary.median_ms / most * BAR);
    Cell::new(blocks(width))
}

/// A bar of so many columns, to an eighth of one.
pub(super) fn blocks(width: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (width.max(0.0) * 8.0).round() as usize;
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

/// How many times what went wrong, and the first time in words.
fn mishaps(page: &mut Page, measured: &Measured) {
    for (kind, word) in
        [(MishapKind::Failed, "failed"), (MishapKind::Hung, "hung"), (MishapKind::Wrong, "wrong result")]
    {
        let of_kind: Vec<_> = measured.mishaps.iter().filter(|mishap| mishap.kind == kind).collect();
        if let Some(first) = of_kind.first() {
            let count = format!("{} {} {word}", of_kind.len(), plural(of_kind.len(), "cycle"));
            let what = format!("{}: {count}, the first in {}: {}", measured.subject, first.phase, first.what);
            page.prose(2, Paint::Bad, &what);
        }
    }
}
