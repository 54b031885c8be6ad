//! A proof: how many mutants of each group were killed and how, then survivors, verdicts changed by neutral variations, errors, and checks
//! that prove nothing.

use std::collections::BTreeMap;

use comfy_table::{Attribute, Cell, Color};

use super::Style;
use super::head::{Origin, head};
use super::page::{Page, Paint};
use super::sections::{aligned, blank_table, number};
use crate::model::proof::{Mutant, Outcome, Pair, Proof, Totals};
use crate::text::{duration, plural, printable};

/// How many of a long list are shown unless the user asked for all of them; `proof.json` has the rest.
const LISTED: usize = 20;

/// The whole proof as text, ending in a line break.
#[must_use]
pub fn render(proof: &Proof, style: Style) -> String {
    let mut page = Page::new(style);
    head(&mut page, &Origin::from(proof));
    let fates = proof.fates();
    groups(&mut page, proof, &fates);
    let with = |fate| proof.mutants.iter().filter(|mutant| fates[mutant.id.as_str()] == fate).collect();
    survivors(&mut page, proof, with(Outcome::Survived));
    fairness(&mut page, proof);
    errors(&mut page, proof);
    if style.verbose {
        by_others(&mut page, proof);
        absent(&mut page, &with(Outcome::NotApplicable));
    }
    list(&mut page, "Checks that kill no mutant", &proof.vacuous);
    unsound(&mut page, proof);
    summary(&mut page, proof);
    page.finish()
}

/// A row for each group of mutants and one for all of them.
fn groups(page: &mut Page, proof: &Proof, fates: &BTreeMap<&str, Outcome>) {
    let mut groups: BTreeMap<&str, [u64; Outcome::ALL.len()]> = BTreeMap::new();
    let mut all = [0; Outcome::ALL.len()];
    for mutant in &proof.mutants {
        let fate = fates[mutant.id.as_str()] as usize;
        groups.entry(&mutant.group).or_default()[fate] += 1;
        all[fate] += 1;
    }
    let mut table = blank_table(page.style());
    let columns = ["mutants of", "all"].into_iter().chain(Outcome::ALL.iter().map(|outcome| outcome.as_str()));
    table.set_header(columns.enumerate().map(|(index, name)| aligned(index, name).add_attribute(Attribute::Dim)));
    for (group, counts) in &groups {
        table.add_row(row(&printable(group), counts));
    }
    table.add_row(row("total", &all).into_iter().map(|cell| cell.add_attribute(Attribute::Bold)));
    page.laid_out(&table.to_string());
}

fn row(name: &str, counts: &[u64]) -> Vec<Cell> {
    let mut row = vec![aligned(0, name), aligned(1, &counts.iter().sum::<u64>().to_string())];
    row.extend(Outcome::ALL.iter().zip(counts).map(|(outcome, count)| {
        let cell = number(*count);
        match outcome {
            Outcome::Killed => cell.fg(Color::DarkGreen),
            Outcome::KilledByOther => cell.fg(Color::DarkYellow),
            Outcome::Survived | Outcome::Error => cell.fg(Color::DarkRed),
            Outcome::NotApplicable => cell.add_attribute(Attribute::Dim),
        }
    }));
    row
}

fn survivors(page: &mut Page, proof: &Proof, mut survivors: Vec<&Mutant>) {
    // What nobody has explained is what the reader has to do something about.
    survivors.sort_by_key(|mutant| proof.explanation(&mutant.id).is_some());
    for mutant in survivors {
        let explained = proof.explanation(&mutant.id);
        page.blank();
        let paint = if explained.is_some() { Paint::Doubtful } else { Paint::Bad };
        page.line(0, &[(paint, "SURVIVED "), (Paint::Strong, &mutant.id)]);
        page.value(2, "mutant", &format!("a runtime that {}", mutant.description));
        page.value(2, "where", &mutant.applies_to);
        let tried = proof.pairs.iter().filter(|pair| pair.mutant == mutant.id && pair.verdict.is_some());
        let tried: Vec<String> = tried.map(|pair| pair.check.clone()).collect();
        page.value(2, "checks", &shortened(page, &tried).join("\n"));
        page.value(2, "why", explained.unwrap_or("not explained: extend a check, or add a reason to the list"));
    }
}

fn fairness(page: &mut Page, proof: &Proof) {
    if proof.fairness.is_empty() {
        return;
    }
    page.blank();
    page.line(0, &[(Paint::Strong, "Neutral variations")]);
    for neutral in &proof.fairness {
        let (count, compared) = (neutral.differences.len(), neutral.compared);
        let paint = if count == 0 { Paint::Good } else { Paint::Bad };
        let counted = format!("{count} of {compared} verdicts changed");
        page.line(2, &[(paint, &counted), (Paint::Plain, &format!(" by a runtime that {}", neutral.description))]);
        for difference in &neutral.differences {
            let changed = format!(": {} alone, {} with it ", difference.alone, difference.behind);
            page.line(4, &[(Paint::Strong, &difference.check), (paint, &changed), (Paint::Dim, &difference.reason)]);
        }
    }
}

fn errors(page: &mut Page, proof: &Proof) {
    let errors: Vec<&Pair> = proof.pairs.iter().filter(|pair| pair.outcome == Outcome::Error).collect();
    let lines: Vec<String> =
        errors.iter().map(|pair| format!("{} against {}: {}", pair.check, pair.mutant, pair.reason)).collect();
    list(page, "Errors, which prove nothing", &lines);
}

fn by_others(page: &mut Page, proof: &Proof) {
    let pairs = proof.pairs.iter().filter(|pair| pair.outcome == Outcome::KilledByOther);
    let lines: Vec<String> =
        pairs.map(|pair| format!("{} misses {}; killed by {}", pair.check, pair.mutant, pair.by.join(", "))).collect();
    list(page, "Killed by other checks only", &lines);
}

fn absent(page: &mut Page, mutants: &[&Mutant]) {
    let lines: Vec<String> =
        mutants.iter().map(|mutant| format!("{}: needs {}", mutant.id, mutant.applies_to)).collect();
    list(page, "Not applicable here", &lines);
}

fn unsound(page: &mut Page, proof: &Proof) {
    let lines: Vec<String> =
        proof.unsound.iter().map(|one| format!("{:<8} {} {}", one.verdict, one.check, one.reason)).collect();
    let title = "Checks that do not pass without a mutant, so they prove nothing";
    if page.style().verbose {
        list(page, title, &lines);
    } else if !lines.is_empty() {
        page.blank();
        page.line(0, &[(Paint::Strong, title), (Paint::Plain, &format!(": {}", lines.len()))]);
    }
}

fn list(page: &mut Page, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    page.blank();
    page.line(0, &[(Paint::Strong, title), (Paint::Plain, &format!(": {}", lines.len()))]);
    for line in shortened(page, lines) {
        page.line(2, &[(Paint::Plain, &line)]);
    }
}

/// The lines, or the first of them and how many more there are.
fn shortened(page: &Page, lines: &[String]) -> Vec<String> {
    let shown = if page.style().verbose { lines.len() } else { lines.len().min(LISTED) };
    let mut kept: Vec<String> = lines[..shown].to_vec();
    if shown < lines.len() {
        kept.push(format!("… {} more in proof.json", lines.len() - shown));
    }
    kept
}

fn summary(page: &mut Page, proof: &Proof) {
    page.blank();
    if let Some(reason) = &proof.cut_short {
        page.line(0, &[(Paint::Bad, "The proof was cut short: "), (Paint::Plain, reason)]);
    }
    let paint = match proof.exit_code() {
        0 => Paint::Good,
        3 => Paint::Doubtful,
        _ => Paint::Bad,
    };
    let took = duration(proof.duration_ms as f64);
    page.line(0, &[(paint, &counts(&proof.counted())), (Paint::Plain, &format!(" in {took}"))]);
}

/// `231 of 240 mutants killed, 2 survived (1 unexplained), 180 checks proven`: the killed ones always, the others when
/// there are any.
pub(crate) fn counts(totals: &Totals) -> String {
    let of = |outcome| totals.mutants.get(&outcome).copied().unwrap_or_default();
    let killed = of(Outcome::Killed) + of(Outcome::KilledByOther);
    let tried = totals.mutants.values().sum::<u64>() - of(Outcome::NotApplicable);
    let mut counts = vec![format!(
        "{killed} of {tried} mutants killed{}",
        aside(of(Outcome::KilledByOther), "by other checks only")
    )];
    let survived = format!("survived{}", aside(totals.unexplained, "unexplained"));
    let others = [
        (of(Outcome::Survived), survived.as_str()),
        (of(Outcome::Error), "met errors only"),
        (of(Outcome::NotApplicable), "not applicable"),
    ];
    counts.extend(others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    let checks = |count: u64, what: &str| {
        let noun = plural(usize::try_from(count).unwrap_or(usize::MAX), "check");
        format!("{count} {noun} {what}")
    };
    counts.push(checks(totals.proven, "proven"));
    if totals.vacuous > 0 {
        counts.push(checks(totals.vacuous, "vacuous"));
    }
    if totals.differences > 0 {
        counts.push(format!("verdicts changed by neutral variations: {}", totals.differences));
    }
    counts.join(", ")
}

/// ` (2 unexplained)`, and nothing for none.
fn aside(count: u64, what: &str) -> String {
    if count == 0 { String::new() } else { format!(" ({count} {what})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_name_only_what_there_is() {
        let mutants = BTreeMap::from([(Outcome::Killed, 5), (Outcome::NotApplicable, 2)]);
        let totals = Totals { mutants, proven: 1, ..Totals::default() };
        assert_eq!(counts(&totals), "5 of 5 mutants killed, 2 not applicable, 1 check proven");
        let mutants = BTreeMap::from([(Outcome::KilledByOther, 1), (Outcome::Survived, 1)]);
        let totals = Totals { mutants, vacuous: 2, unexplained: 1, differences: 3, ..Totals::default() };
        let expected = "1 of 2 mutants killed (1 by other checks only), 1 survived (1 unexplained), 0 checks proven, \
                        2 checks vacuous, verdicts changed by neutral variations: 3";
        assert_eq!(counts(&totals), expected);
    }
}
