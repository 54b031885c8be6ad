//! A benchmark: tables, distributions, phases, curves, time lines.

use maud::{Markup, html};

use super::plot::{Lane, Scale, Series, lanes, lines, stacked};
use super::untrusted::Line;
use crate::model::bench::{Axis, Benchmark, Curve, Difference, Measured, Scenario, Summary, Trace};
use crate::table::bench::{phase_names, time};

/// The phases that make up a lifecycle, in order.
const LIFECYCLE: [&str; 4] = ["create", "start", "kill-to-exit", "delete"];

pub(super) fn bench(benchmark: &Benchmark) -> Markup {
    html! {
        section {
            @for scenario in &benchmark.scenarios { (self::scenario(benchmark, scenario)) }
            (curves(&benchmark.curves))
            (traces(&benchmark.traces))
            h2 { "Machine" }
            (facts(benchmark))
        }
    }
}

fn scenario(benchmark: &Benchmark, scenario: &Scenario) -> Markup {
    html! {
        h2 { (Line(&scenario.name)) }
        p.aside { (scenario.blocks) " blocks in random order, " (benchmark.design.cadence) ", intervals of 95 %" }
        div.scroll { table {
            thead { tr {
                th { "phase" } th { "" }
                @for head in ["median ms", "95 %", "p90", "p99", "min", "MAD", "outliers"] { th.number { (head) } }
                th { "ratios" }
            } }
            tbody { @for name in phase_names(scenario) { @for one in &scenario.subjects { (row(scenario, name, one)) } } }
        } }
        @for one in &scenario.subjects { @for mishap in &one.mishaps {
            p.note { (Line(&one.subject)) ", block " (mishap.block) ", " (Line(&mishap.phase)) ": " (Line(&mishap.what)) }
        } }
        (lifecycle(scenario))
        @for name in ["run", "create"] { (distribution(scenario, name)) }
    }
}

fn row(scenario: &Scenario, name: &str, one: &Measured) -> Markup {
    let Some(s) = summary(one, name) else { return html! {} };
    let ratios = scenario.ratios.iter().filter(|ratio| ratio.phase == name && ratio.subject == one.subject);
    html! { tr {
        th { (name) } td { (Line(&one.subject)) }
        td.number { (time(s.median_ms)) } td.number { (time(s.low_ms)) "–" (time(s.high_ms)) }
        @for value in [s.p90_ms, s.p99_ms, s.min_ms, s.mad_ms] { td.number { (time(value)) } }
        td.number { (s.outliers) }
        td { @for ratio in ratios {
            @let (value, low, high) = (ratio.ratio.value, ratio.ratio.low, ratio.ratio.high);
            div { (format!("{value:.2} ({low:.2}–{high:.2}) × ")) (Line(&ratio.against))
                (format!(", {:+.2} ms", ratio.difference_ms.value))
                @if ratio.verdict == Difference::None { ", no difference" }
                @if ratio.verdict == Difference::Inconclusive { ", inconclusive" } }
        } }
    } }
}

fn summary<'m>(measured: &'m Measured, name: &str) -> Option<&'m Summary> {
    measured.phases.iter().find(|phase| phase.name == name)?.summary.as_ref()
}

/// Medians of the phases of a lifecycle, one after the other.
fn lifecycle(scenario: &Scenario) -> Markup {
    let medians = |one: &Measured| -> Option<Vec<f64>> {
        LIFECYCLE.iter().map(|name| summary(one, name).map(|summary| summary.median_ms)).collect()
    };
    let rows: Vec<(&str, Vec<f64>)> =
        scenario.subjects.iter().filter_map(|one| Some((one.subject.as_str(), medians(one)?))).collect();
    if rows.is_empty() {
        html! {}
    } else {
        stacked("Lifecycle: medians of the phases", "ms", &LIFECYCLE, &rows)
    }
}

/// The share of samples that took no longer than a time. The slowest hundredth is cut off, for all would be squeezed by it.
fn distribution(scenario: &Scenario, name: &str) -> Markup {
    let series = |one: &'_ Measured| -> Vec<(f64, f64)> {
        let samples = one.phases.iter().find(|phase| phase.name == name).map(|phase| phase.samples_ms.clone());
        let mut samples = samples.unwrap_or_default();
        samples.sort_by(f64::total_cmp);
        let count = samples.len() as f64;
        let share = |at: usize| at as f64 / count;
        samples.iter().enumerate().flat_map(|(at, &ms)| [(ms, share(at)), (ms, share(at + 1))]).collect()
    };
    let most = scenario.subjects.iter().filter_map(|one| summary(one, name)).map(|s| s.p99_ms).fold(0.0, f64::max);
    let series = scenario.subjects.iter().map(|one| Series {
        name: &one.subject,
        points: series(one).into_iter().filter(|(ms, _)| *ms <= most).collect(),
    });
    let series: Vec<Series<'_>> = series.filter(|one| !one.points.is_empty()).collect();
    if series.is_empty() {
        return html! {};
    }
    let title = format!("Distribution of {name}");
    lines(&title, &Scale::even("ms", most), &Scale::even("cumulative share", 1.0), &series)
}

fn curves(all: &[Curve]) -> Markup {
    html! {
        @for (axis, title, across) in [
            (Axis::Parallel, "Concurrent starts", "starts at once"),
            (Axis::Population, "Starts with other containers running", "running containers"),
        ] {
            @let of_axis: Vec<&Curve> = all.iter().filter(|curve| curve.axis == axis).collect();
            @if !of_axis.is_empty() {
                h2 { (title) }
                (curve(&of_axis, "median ms", across, |point| point.summary.as_ref().map(|s| s.median_ms)))
                (curve(&of_axis, "99th percentile ms", across, |point| point.summary.as_ref().map(|s| s.p99_ms)))
                @if axis == Axis::Parallel { (curve(&of_axis, "containers a second", across, |point| Some(point.rate))) }
            }
        }
    }
}

/// One figure over the number of containers, of which each doubling is as wide as the other.
fn curve(
    of_axis: &[&Curve],
    title: &str,
    across: &str,
    figure: impl Fn(&crate::model::bench::Point) -> Option<f64>,
) -> Markup {
    let place = |at: u64| ((at + 1) as f64).log2();
    let points = |curve: &Curve| -> Vec<(f64, f64)> {
        curve.points.iter().filter_map(|point| Some((place(point.at), figure(point)?))).collect()
    };
    let series: Vec<Series<'_>> =
        of_axis.iter().map(|curve| Series { name: &curve.subject, points: points(curve) }).collect();
    let most = series.iter().flat_map(|one| &one.points).map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max);
    let numbers = of_axis.iter().flat_map(|curve| &curve.points).map(|point| point.at);
    let numbers: std::collections::BTreeSet<u64> = numbers.collect();
    let ticks: Vec<(f64, String)> = numbers.iter().map(|at| (place(*at), at.to_string())).collect();
    let widest = ticks.last().map_or(1.0, |tick| tick.0.max(1.0));
    lines(title, &Scale { title: across, most: widest, ticks }, &Scale::even(title, most), &series)
}

fn traces(traces: &[Trace]) -> Markup {
    let mut operations: Vec<&str> = traces.iter().map(|trace| trace.operation.as_str()).collect();
    operations.dedup();
    operations.sort_unstable();
    operations.dedup();
    html! {
        @for operation in operations {
            @let same: Vec<&Trace> = traces.iter().filter(|trace| trace.operation == operation).collect();
            h2 { "Where the time of " (Line(operation)) " goes" }
            (shares(&same))
            @for trace in &same { (time_line(trace)) }
        }
    }
}

/// Names of the steps of several traces, in the order of their first appearance.
fn step_names<'t>(traces: &[&'t Trace]) -> Vec<&'t str> {
    let mut names: Vec<&str> = Vec::new();
    for step in traces.iter().flat_map(|trace| &trace.steps) {
        if !names.contains(&step.name.as_str()) {
            names.push(&step.name);
        }
    }
    names
}

fn shares(traces: &[&Trace]) -> Markup {
    let names = step_names(traces);
    let ms = |trace: &Trace, name: &str| trace.steps.iter().find(|step| step.name == name).map_or(0.0, |step| step.ms);
    let rows: Vec<(&str, Vec<f64>)> = traces
        .iter()
        .map(|trace| (trace.subject.as_str(), names.iter().map(|name| ms(trace, name)).collect()))
        .collect();
    stacked("Time of all its processes by step", "ms", &names, &rows)
}

fn time_line(trace: &Trace) -> Markup {
    let names = step_names(&[trace]);
    let mut tasks: Vec<u32> = trace.spans.iter().map(|span| span.task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    let labels: Vec<String> = tasks.iter().map(|task| format!("task {task}")).collect();
    let of = |task: u32| trace.spans.iter().filter(move |span| span.task == task);
    let rows = tasks.iter().zip(&labels).map(|(task, label)| Lane {
        name: label,
        spans: of(*task)
            .map(|span| {
                (names.iter().position(|name| *name == span.step).unwrap_or(0), span.at_ms, span.ms, span.step.as_str())
            })
            .collect(),
    });
    let title = format!("{}: {:.1} ms, {} system calls", trace.subject, trace.total_ms, trace.system_calls);
    lanes(&crate::text::printable(&title), trace.total_ms, &names, &rows.collect::<Vec<_>>())
}

fn facts(benchmark: &Benchmark) -> Markup {
    let Benchmark { machine, host, design, .. } = benchmark;
    let virtual_machine = if machine.virtual_machine { " in a virtual machine" } else { "" };
    let mitigations = machine.mitigations.join("; ");
    let lsms = if host.lsms.is_empty() { "none".to_owned() } else { host.lsms.join(", ") };
    let values = [
        ("processors", format!("{} × {}{virtual_machine}", machine.processors, machine.cpu)),
        ("governor", machine.governor.clone()),
        ("clock", machine.clock_source.clone()),
        ("mitigations", mitigations),
        ("kernel", format!("{} {}", host.kernel, host.machine)),
        ("cgroups", format!("{}, view {}", host.cgroups, host.cgroup_view)),
        ("security modules", lsms),
        ("filesystem", machine.filesystem.clone()),
        ("design", format!("seed {}, {}, {} ms of quiet", design.seed, design.cadence, design.quiet_ms)),
    ];
    html! {
        dl.facts {
            @for (name, value) in &values { dt { (name) } dd { (Line(value)) } }
            @for subject in &benchmark.subjects {
                dt { (Line(&subject.name)) }
                dd { (Line(subject.runtime.path.raw())) " " (Line(subject.runtime.version.raw())) " " code { (Line(&subject.runtime.sha256)) } }
            }
        }
        @for warning in &benchmark.warnings { p.note { (Line(warning)) } }
    }
}
