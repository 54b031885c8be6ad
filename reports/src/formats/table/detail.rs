//! One check that did not pass: in full for a failure or an error, in a few lines for a warning.

use super::page::{Page, Paint};
use crate::model::{Axis, Call, Check, Clause, Evidence, Finding, Verdict};
use crate::text::{clip, duration, plural, tail};

/// Indent of all that belongs to a check.
const INDENT: usize = 2;
/// What is shown of long lists unless the user asked for all of it; `results.json` has the rest.
const FINDINGS: usize = 20;
const CALLS: usize = 12;
const STDERR_LINES: usize = 8;
const LINE_CHARACTERS: usize = 400;
/// How much of a finding fits into the short form of a warning.
const BRIEF_CHARACTERS: usize = 120;

/// All that a reader needs to judge the verdict by herself.
pub(super) fn full(page: &mut Page, check: &Check) {
    title(page, check);
    if !check.reason.is_empty() {
        page.value(INDENT, "reason", &check.reason);
    }
    if let Some(known) = check.known.as_ref().filter(|_| check.is_red()) {
        page.value(INDENT, "expected", &format!("{}: {}", known.verdict, known.reason));
        if !known.link.is_empty() {
            page.prose_below(INDENT, Paint::Dim, &known.link);
        }
    }
    findings(page, &check.findings);
    for clause in &check.clauses {
        page.hang(INDENT, "clause", Paint::Plain, &format!("{} {}, since {}", clause.level, clause.id, clause.since));
        page.prose_below(INDENT, Paint::Plain, &clause.text);
        link(page, clause);
    }
    if let Some(evidence) = &check.evidence {
        followed_by(page, evidence);
    }
}

/// The first finding and where the clauses are.
pub(super) fn brief(page: &mut Page, check: &Check) {
    title(page, check);
    match check.findings.as_slice() {
        [] => page.prose(INDENT, Paint::Plain, &one_line(&check.reason)),
        [first, others @ ..] => {
            let Finding { what, expected, observed } = first;
            let parts = [what, expected, observed].map(|part| one_line(part));
            let more = match others.len() {
                0 => String::new(),
                count => format!(" (and {count} more {})", plural(count, "finding")),
            };
            let [what, expected, observed] = parts;
            page.prose(INDENT, Paint::Plain, &format!("{what}: expected {expected}, observed {observed}{more}"));
        }
    }
    for clause in &check.clauses {
        page.line(INDENT, &[(Paint::Plain, &format!("{} {} ", clause.level, clause.id)), (Paint::Dim, &clause.link)]);
    }
}

fn title(page: &mut Page, check: &Check) {
    let paint = match check.verdict {
        Verdict::Pass => Paint::Good,
        Verdict::Fail | Verdict::Error | Verdict::Timeout => Paint::Bad,
        Verdict::Warn | Verdict::Skip => Paint::Doubtful,
    };
    let verdict = check.verdict.as_str().to_uppercase();
    let standard = match check.axis {
        Axis::Spec => String::new(),
        axis @ (Axis::Compat | Axis::Security) => format!("{axis}, "),
    };
    let aside = format!(" ({standard}{})", duration(check.duration_ms));
    page.blank();
    page.line(0, &[(paint, &verdict), (Paint::Plain, " "), (Paint::Strong, &check.id), (Paint::Dim, &aside)]);
}

fn findings(page: &mut Page, findings: &[Finding]) {
    let shown = if page.style().verbose { findings.len() } else { findings.len().min(FINDINGS) };
    for finding in &findings[..shown] {
        page.value(INDENT, "what", &finding.what);
        page.value(INDENT, "expected", &finding.expected);
        page.value(INDENT, "observed", &finding.observed);
    }
    left_out(page, findings.len() - shown, "more finding");
}

fn link(page: &mut Page, clause: &Clause) {
    page.hang(INDENT, "", Paint::Dim, &clause.link);
}

fn followed_by(page: &mut Page, evidence: &Evidence) {
    let calls = &evidence.calls;
    let skipped = if page.style().verbose { 0 } else { calls.len().saturating_sub(CALLS) };
    left_out(page, skipped, "earlier call");
    calls[skipped..].iter().for_each(|made| call(page, made));
    if let Some(kept) = &evidence.kept {
        page.hang(INDENT, "kept", Paint::Plain, kept);
    }
    page.hang(INDENT, "replay", Paint::Plain, &evidence.replay);
}

/// The command, how it ended, and the end of what it complained of.
fn call(page: &mut Page, call: &Call) {
    let took = duration(call.duration_ms);
    page.hang(INDENT, "call", Paint::Plain, &format!("{} → {} ({took})", shortened(page, &call.command), call.ended));
    let lines = if page.style().verbose { usize::MAX } else { STDERR_LINES };
    let (before, last) = tail(call.stderr.raw(), lines);
    if before > 0 {
        page.hang(INDENT, "", Paint::Dim, &format!("| … {before} {} before", plural(before, "line")));
    }
    for line in last {
        page.hang(INDENT, "", Paint::Dim, &format!("| {}", shortened(page, line)));
    }
}

fn left_out(page: &mut Page, count: usize, noun: &str) {
    if count > 0 {
        page.hang(INDENT, "", Paint::Dim, &format!("… {count} {} in results.json", plural(count, noun)));
    }
}

fn shortened(page: &Page, line: &str) -> String {
    if page.style().verbose { line.to_owned() } else { clipped(line, LINE_CHARACTERS) }
}

fn one_line(text: &str) -> String {
    clipped(text, BRIEF_CHARACTERS)
}

fn clipped(text: &str, characters: usize) -> String {
    let clip = clip(text, characters, usize::MAX);
    match clip.left_out {
        0 if clip.head.is_empty() => "nothing".to_owned(),
        0 => clip.head.to_owned(),
        count => format!("{}… ({count} more {})", clip.head, plural(count, "character")),
    }
}
