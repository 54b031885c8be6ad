//! A benchmark besides phases: cost, curves, soaks, traces.

use super::bench::{blocks, time};
use super::page::{Page, Paint};
use super::sections::{aligned, blank_table};
use crate::model::bench::{Axis, Cost, Curve, Soak, Trace};
use crate::text::printable;

pub(super) fn costs(page: &mut Page, costs: &[Cost]) {
    if costs.is_empty() {
        return;
    }
    page.line(0, &[(Paint::Strong, "Cost of a call")]);
    let mut table = blank_table(page.style());
    let heads = ["", "", "peak MiB", "user ms", "system ms", "page faults", "system calls", "tasks"];
    table.set_header(heads.iter().enumerate().map(|(at, head)| aligned(usize::from(at > 1), head)));
    for cost in costs {
        for (row, operation) in cost.operations.iter().enumerate() {
            let name = if row == 0 { printable(&cost.subject).into_owned() } else { String::new() };
            let figures = [
                format!("{:.1}", operation.peak_kib as f64 / 1024.0),
                time(operation.user_ms),
                time(operation.system_ms),
                operation.page_faults.to_string(),
                operation.system_calls.to_string(),
                operation.tasks.to_string(),
            ];
            let figures = figures.iter().map(|text| aligned(1, text));
            table.add_row([aligned(0, &name), aligned(0, &operation.name)].into_iter().chain(figures));
        }
    }
    page.laid_out(&table.to_string());
    page.line(0, &[(Paint::Strong, "Cost of a running container")]);
    let mut table = blank_table(page.style());
    let heads = ["", "processes", "PSS KiB", "cgroup KiB", "smallest limit KiB"];
    table.set_header(heads.iter().enumerate().map(|(at, head)| aligned(at, head)));
    for cost in costs {
        let figures = [
            format!("{:.1}", cost.processes),
            format!("{:.0}", cost.pss_kib),
            cost.cgroup_kib.map_or_else(|| "–".to_owned(), |kib| format!("{kib:.0}")),
            cost.smallest_limit_kib.map_or_else(|| "–".to_owned(), |kib| kib.to_string()),
        ];
        let figures = figures.iter().map(|text| aligned(1, text));
        table.add_row([aligned(0, &printable(&cost.subject))].into_iter().chain(figures));
    }
    page.laid_out(&table.to_string());
    page.blank();
}

pub(super) fn curves(page: &mut Page, curves: &[Curve]) {
    for (axis, title, column) in [
        (Axis::Parallel, "Starts at once", "at once"),
        (Axis::Population, "Starts with other containers running", "running"),
    ] {
        let mut of_axis = curves.iter().filter(|curve| curve.axis == axis).peekable();
        if of_axis.peek().is_none() {
            continue;
        }
        page.line(0, &[(Paint::Strong, title)]);
        let mut table = blank_table(page.style());
        let heads = ["", column, "a second", "median ms", "p99", "max", "failed"];
        table.set_header(heads.iter().enumerate().map(|(at, head)| aligned(at, head)));
        for curve in of_axis {
            for (row, point) in curve.points.iter().enumerate() {
                let name = if row == 0 { printable(&curve.subject).into_owned() } else { String::new() };
                let figure = |pick: fn(&crate::model::bench::Summary) -> f64| {
                    point.summary.as_ref().map_or_else(String::new, |summary| time(pick(summary)))
                };
                let failed = point.mishaps.len();
                let cells = [
                    point.at.to_string(),
                    format!("{:.0}", point.rate),
                    figure(|summary| summary.median_ms),
                    figure(|summary| summary.p99_ms),
                    figure(|summary| summary.max_ms),
                    if failed == 0 { String::new() } else { failed.to_string() },
                ];
                table.add_row([aligned(0, &name)].into_iter().chain(cells.iter().map(|text| aligned(1, text))));
            }
        }
        page.laid_out(&table.to_string());
        page.blank();
    }
}

pub(super) fn soaks(page: &mut Page, soaks: &[Soak]) {
    for soak in soaks {
        let (before, after) = (soak.before, soak.after);
        let grown = |before: u64, after: u64| i128::from(after) - i128::from(before);
        let text = format!(
            "after {} cycles {:+} KiB of memory, {:+} cgroups, {:+} mounts, {:+} files of state; {} failed",
            soak.cycles,
            grown(before.memory_kib, after.memory_kib),
            grown(before.cgroups, after.cgroups),
            grown(before.mounts, after.mounts),
            grown(before.state_files, after.state_files),
            soak.mishaps.len(),
        );
        page.line(0, &[(Paint::Strong, &soak.subject), (Paint::Plain, " "), (Paint::Plain, &text)]);
    }
    if !soaks.is_empty() {
        page.blank();
    }
}

/// Columns of the bar of a step that takes all of the time.
const BAR: f64 = 40.0;

pub(super) fn traces(page: &mut Page, traces: &[Trace]) {
    let mut operations: Vec<&str> = Vec::new();
    for trace in traces {
        if !operations.contains(&trace.operation.as_str()) {
            operations.push(&trace.operation);
        }
    }
    for operation in operations {
        page.line(0, &[(Paint::Strong, operation)]);
        let mut table = blank_table(page.style());
        let heads = ["", "step", "ms", "share", "calls", "", "mostly"];
        table.set_header(heads.map(|head| aligned(0, head)));
        for trace in traces.iter().filter(|trace| trace.operation == operation) {
            let whole = format!("{} ms, {} system calls", time(trace.total_ms), trace.system_calls);
            table.add_row([printable(&trace.subject).as_ref(), &whole].map(|text| aligned(0, text)));
            for step in &trace.steps {
                let foremost = step.foremost.join(", ");
                let share = format!("{:.0} %", step.share * 100.0);
                table.add_row([
                    aligned(0, ""),
                    aligned(0, &step.name),
                    aligned(1, &time(step.ms)),
                    aligned(1, &share),
                    aligned(1, &step.system_calls.to_string()),
                    aligned(0, &blocks(step.share * BAR)),
                    aligned(0, &printable(&foremost)),
                ]);
            }
        }
        page.laid_out(&table.to_string());
        page.blank();
    }
}
