//! A file of expectations brought up to date with a run: what is no longer so goes, what is new comes, what stays keeps
//! its words, comments and order.

use std::collections::BTreeMap;

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::{Expectations, Pattern};
use crate::model::{Check, Report, Verdict};

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// The text of the file.
    pub text: String,
    /// Ids or globs that were taken out.
    pub removed: Vec<String>,
    /// Ids of checks that were put in.
    pub added: Vec<String>,
}

impl Expectations {
    /// The text of this file, changed so that the run is as expected. `text` is what it was read from; the report is as it
    /// came, with nothing noted in it.
    ///
    /// # Errors
    /// When the text is not what was read; the error names the line.
    pub fn update(&self, text: &str, report: &Report) -> Result<Update, toml_edit::TomlError> {
        let mut document: DocumentMut = text.parse()?;
        let mut update = Update::default();
        let entries = document.entry("expect").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        if let Some(tables) = entries.as_array_of_tables_mut() {
            self.prune(tables, report, &mut update);
            self.extend(tables, report, &mut update);
        }
        update.text = document.to_string();
        Ok(update)
    }

    /// Takes out each pattern of an entry that concerns this runtime and host and that the run contradicts; a glob gives way
    /// to those of its checks that are still so. A pattern of which no check ran is left: the run says nothing of it.
    fn prune(&self, tables: &mut ArrayOfTables, report: &Report, update: &mut Update) {
        let mut empty = Vec::new();
        for (at, (entry, table)) in self.entries().zip(tables.iter_mut()).enumerate() {
            let held = entry.concerns(report) && !entry.sometimes;
            let Some(patterns) = table["checks"].as_array_mut().filter(|_| held) else { continue };
            for (index, pattern) in entry.checks.iter().enumerate().rev() {
                let Some(still) = contradicted(pattern, entry.verdict, report) else { continue };
                update.removed.push(pattern.0.glob().to_string());
                patterns.remove(index);
                patterns.extend(still);
            }
            if patterns.is_empty() {
                empty.push(at);
            }
        }
        empty.into_iter().rev().for_each(|at| drop(tables.remove(at)));
        update.removed.sort();
    }

    /// Puts in what deviates and is not expected, an entry for each verdict of a subject.
    fn extend(&self, tables: &mut ArrayOfTables, report: &Report, update: &mut Update) {
        let mut fresh: BTreeMap<(&str, Verdict), Vec<&Check>> = BTreeMap::new();
        let bad = report.checks.iter().filter(|check| matches!(check.verdict, Verdict::Fail | Verdict::Timeout));
        for check in bad.filter(|check| !self.expects(check, report)) {
            let subject = check.id.split('/').next().unwrap_or(&check.id);
            fresh.entry((subject, check.verdict)).or_default().push(check);
        }
        for ((_, verdict), checks) in fresh {
            update.added.extend(checks.iter().map(|check| check.id.clone()));
            tables.push(entry(verdict, &checks, report));
        }
    }

    fn expects(&self, check: &Check, report: &Report) -> bool {
        let entry = self.entries().find(|entry| entry.concerns(report) && entry.matches(&check.id));
        entry.is_some_and(|entry| entry.verdict == check.verdict)
    }
}

/// Which of the checks that a pattern means still get the verdict, if not all that ran do.
fn contradicted<'r>(pattern: &Pattern, verdict: Verdict, report: &'r Report) -> Option<Vec<&'r str>> {
    let meant = report.checks.iter().filter(|check| pattern.0.is_match(&check.id));
    let ran: Vec<&Check> = meant.filter(|check| !matches!(check.verdict, Verdict::Skip | Verdict::Error)).collect();
    let still: Vec<&str> = ran.iter().filter(|check| check.verdict == verdict).map(|check| check.id.as_str()).collect();
    (still.len() < ran.len()).then_some(still)
}

/// A new entry. Its reason is what was seen; why that is so, a person has to say.
fn entry(verdict: Verdict, checks: &[&Check], report: &Report) -> Table {
    let mut table = Table::new();
    table["checks"] = value(checks.iter().map(|check| check.id.as_str()).collect::<Array>());
    table["verdict"] = value(verdict.as_str());
    let name = report.runtime.name();
    if let Some((runtime, version)) = name.split_once(' ') {
        table["runtime"] = value([runtime].into_iter().collect::<Array>());
        table["versions"] = value([version].into_iter().collect::<Array>());
    }
    table["reason"] = value(checks.first().map(|check| check.headline()).unwrap_or_default());
    table
}
