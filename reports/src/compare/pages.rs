//! A comparison as text for a terminal, and as Markdown for a pull request.

use super::{Change, Comparison, Kind};
use crate::markdown::{Page, code};
use crate::model::{Report, Verdict};
use crate::text::{duration, printable};

/// How many changes of a kind the terminal shows unless all are asked for.
const LISTED: usize = 20;

/// For a terminal, ending in a line break.
#[must_use]
pub fn text(comparison: &Comparison<'_>, verbose: bool) -> String {
    let mut out = format!("old  {}\nnew  {}\n", run(comparison.old), run(comparison.new));
    for kind in Kind::ALL {
        let changes = comparison.changes.get(&kind).map_or(&[][..], Vec::as_slice);
        if changes.is_empty() {
            continue;
        }
        out.push_str(&format!("\n{}: {}\n", kind.title(), changes.len()));
        let shown = if verbose { changes.len() } else { changes.len().min(LISTED) };
        for change in &changes[..shown] {
            out.push_str(&format!("  {} {}\n", printable(&change.new.id), moved(kind, *change)));
            clause(*change).into_iter().for_each(|clause| out.push_str(&format!("      {clause}\n")));
        }
        if shown < changes.len() {
            out.push_str(&format!("  … {} more; -v shows all\n", changes.len() - shown));
        }
    }
    out + &format!("\n{}\n", summary(comparison))
}

/// For a comment on a pull request.
#[must_use]
pub fn markdown(comparison: &Comparison<'_>) -> String {
    let mut page = Page::default();
    let word = if comparison.exit_code() == 0 { "✅" } else { "❌" };
    page.add(&format!("## {word} Plimsoll: {}\n\n", summary(comparison)));
    page.add(&format!(
        "| | runtime | results |\n|---|---|---|\n{}{}",
        row("old", comparison.old),
        row("new", comparison.new)
    ));
    for kind in Kind::ALL {
        let changes = comparison.changes.get(&kind).into_iter().flatten();
        page.list(
            kind.title(),
            changes.map(|change| {
                let clause = clause(*change).map_or(String::new(), |clause| format!("\n  - {}", code(&clause)));
                format!("- {} {}{clause}\n", code(&change.new.id), code(&moved(kind, *change)))
            }),
        );
    }
    page.text
}

fn row(which: &str, report: &Report) -> String {
    format!("| {which} | {} | {} |\n", code(&report.runtime.name()), report.tally().sentence())
}

fn run(report: &Report) -> String {
    let name = printable(&report.runtime.name()).into_owned();
    format!("{name}, {}, in {}", report.tally().sentence(), duration(report.duration_ms as f64))
}

fn summary(comparison: &Comparison<'_>) -> String {
    let counts = Kind::ALL.iter().filter_map(|kind| {
        let changes = comparison.changes.get(kind)?;
        Some(format!("{} {}", changes.len(), kind.title().to_lowercase()))
    });
    let counts: Vec<String> = counts.collect();
    match counts.as_slice() {
        [] => format!("nothing changed in {} checks", comparison.compared),
        some => format!("{} of {} checks", some.join(", "), comparison.compared),
    }
}

/// From what to what.
fn moved(kind: Kind, change: Change<'_>) -> String {
    let Change { old, new } = change;
    match kind {
        Kind::Timing => format!("{} → {}", duration(old.duration_ms), duration(new.duration_ms)),
        Kind::Evidence => format!("{} → {}", old.headline(), new.headline()),
        _ if matches!(new.verdict, Verdict::Pass) => format!("{} → {}", old.verdict, new.verdict),
        _ if new.is_known() => format!("{} → {} (known)", old.verdict, new.verdict),
        _ => format!("{} → {}: {}", old.verdict, new.verdict, new.headline()),
    }
}

/// The clause that is broken now.
fn clause(change: Change<'_>) -> Option<String> {
    let broken =
        matches!(change.new.verdict, Verdict::Fail | Verdict::Warn) && change.old.verdict != change.new.verdict;
    let clause = change.new.clauses.first().filter(|_| broken)?;
    Some(format!("{} {} {}", printable(&clause.level), printable(&clause.id), printable(&clause.link)))
}
