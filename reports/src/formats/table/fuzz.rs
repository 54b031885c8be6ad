//! A search: how much was tried, what was found with the minimized case, and what was judged how often.

use std::collections::BTreeSet;

use super::Style;
use super::head::{Origin, head};
use super::page::{Page, Paint};
use crate::model::Verdict;
use crate::model::fuzz::{Failure, Fuzz};
use crate::text::{duration, plural};

/// The whole as text, ending in a line break.
#[must_use]
pub fn render(fuzz: &Fuzz, style: Style) -> String {
    let mut page = Page::new(style);
    for runtime in &fuzz.runtimes {
        head(&mut page, &Origin { runtime, host: &fuzz.host, plimsoll: &fuzz.plimsoll, run: &fuzz.run });
    }
    // One cause may show in many cases: of each property the simplest is shown in full.
    let mut failures: Vec<&Failure> = fuzz.failures.iter().collect();
    failures.sort_by_key(|failure| failure.size);
    let mut shown = BTreeSet::new();
    let mut others = Vec::new();
    for one in failures {
        if style.verbose || (one.is_red() && shown.insert(&one.property)) {
            failure(&mut page, one);
        } else {
            others.push(one);
        }
    }
    others.iter().for_each(|one| brief(&mut page, one));
    for (why, case) in &fuzz.errors {
        page.line(0, &[(Paint::Bad, "ERROR "), (Paint::Plain, &format!("case {case}: {why}"))]);
    }
    if style.verbose {
        distribution(&mut page, fuzz);
    }
    summary(&mut page, fuzz);
    page.finish()
}

fn failure(page: &mut Page, failure: &Failure) {
    let (paint, word) = match failure.verdict {
        Verdict::Warn => (Paint::Doubtful, "WARN "),
        _ => (Paint::Bad, "FAIL "),
    };
    page.line(0, &[(paint, word), (Paint::Strong, &failure.property), (Paint::Dim, &times(failure))]);
    page.value(2, "case", &failure.description);
    for finding in &failure.findings {
        page.value(2, "what", &finding.what);
        page.value(2, "expected", &finding.expected);
        page.value(2, "observed", &finding.observed);
    }
    for clause in &failure.clauses {
        page.value(2, "clause", &format!("{} {}, since {}", clause.level, clause.id, clause.since));
        page.prose_below(2, Paint::Plain, &clause.text);
        page.prose_below(2, Paint::Dim, &clause.link);
    }
    let shrinking = format!("to {} in {} trials and {}", failure.size, failure.trials, duration(ms(failure.shrunk_ms)));
    page.value(2, "shrunk", &shrinking);
    if let Some(known) = &failure.known {
        page.value(2, "known", &known.reason);
        if !known.link.is_empty() {
            page.prose_below(2, Paint::Dim, &known.link);
        }
    }
    page.value(2, "replay", &failure.replay);
    page.blank();
}

fn brief(page: &mut Page, failure: &Failure) {
    let (paint, word) = match failure.verdict {
        _ if failure.known.is_some() => (Paint::Doubtful, "known "),
        Verdict::Warn => (Paint::Doubtful, "WARN  "),
        _ => (Paint::Bad, "FAIL  "),
    };
    let line = format!(": {}{}", failure.description, times(failure));
    page.line(0, &[(paint, word), (Paint::Plain, &failure.property), (Paint::Dim, &line)]);
}

fn times(failure: &Failure) -> String {
    if failure.times == 1 { String::new() } else { format!(" ({} times)", failure.times) }
}

fn distribution(page: &mut Page, fuzz: &Fuzz) {
    for (title, counts) in
        [("How often each edit was made", &fuzz.edits), ("How often each property was judged", &fuzz.properties)]
    {
        page.blank();
        page.line(0, &[(Paint::Strong, title)]);
        let mut counts: Vec<_> = counts.iter().collect();
        counts.sort_by_key(|(_, count)| **count);
        counts.iter().for_each(|(name, count)| page.line(2, &[(Paint::Plain, &format!("{count:>8} {name}"))]));
    }
}

fn summary(page: &mut Page, fuzz: &Fuzz) {
    let of = |count: u64, word: &str| format!("{count} {}", plural(usize::try_from(count).unwrap_or(usize::MAX), word));
    let kinds: Vec<String> = fuzz.cases.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let red = fuzz.failures.iter().filter(|failure| failure.is_red()).count() as u64;
    let known = fuzz.failures.len() as u64 - red;
    let seconds = |ms: u64| (self::ms(ms) / 1000.0).max(0.001);
    let rate = |time: u64| self::ms(fuzz.tried()) / seconds(time);
    let text = format!(
        "{} ({}) and {} of the corpus, seed {}: {} new, {known} known or warned of, in {} ({:.1} a second, {:.1} a second of \
         processor time)",
        of(fuzz.tried(), "case"),
        kinds.join(", "),
        fuzz.corpus,
        fuzz.seed,
        of(red, "failure"),
        duration(ms(fuzz.duration_ms)),
        rate(fuzz.duration_ms),
        rate(fuzz.processor_ms),
    );
    if let Some((name, share)) = fuzz.least() {
        page.line(0, &[(Paint::Dim, &format!("judged least: {name}, in {:.1} % of the bundles", share * 100.0))]);
    }
    if let Some(why) = &fuzz.cut_short {
        page.line(0, &[(Paint::Bad, &format!("cut short: {why}"))]);
    }
    page.line(0, &[(if red > 0 { Paint::Bad } else { Paint::Good }, &text)]);
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a run and counts are far below 2^52")]
fn ms(ms: u64) -> f64 {
    ms as f64
}
