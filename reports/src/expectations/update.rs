//! Updates a file of expectations from a run: removes entries that no longer apply, adds new ones, and keeps text, comments and order of
//! the rest.

use std::collections::BTreeMap;

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::{Expectations, Pattern};
use crate::ids::Ids;
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
        let mut rest = String::new();
        if let Some(tables) = entries.as_array_of_tables_mut() {
            rest = self.prune(tables, report, &mut update);
            let kept = tables.len();
            self.extend(tables, report, &mut update);
            if let Some(next) = tables.get_mut(kept) {
                put_before(next, &std::mem::take(&mut rest));
            }
        }
        if !rest.is_empty() {
            let trailing = document.trailing().as_str().unwrap_or_default();
            document.set_trailing(format!("{rest}{trailing}"));
        }
        update.text = document.to_string();
        Ok(update)
    }

    /// Takes out each pattern of an entry that concerns this runtime and host and that the run contradicts; a glob gives way
    /// to those of its checks that are still so. A pattern of which no check ran is left: the run says nothing of it.
    ///
    /// A comment that a blank line sets apart from an entry that goes, such as that at the head of the file, is put before the
    /// next entry; what is left of these when there is no next one is returned.
    fn prune(&self, tables: &mut ArrayOfTables, report: &Report, update: &mut Update) -> String {
        let checks: Vec<(Ids<'_>, &Check)> = report.checks.iter().map(|check| (self.ids(&check.id), check)).collect();
        let mut empty = Vec::new();
        for (at, (entry, table)) in self.entries().zip(tables.iter_mut()).enumerate() {
            let held = entry.concerns(report) && !entry.sometimes;
            let Some(patterns) = table["checks"].as_array_mut().filter(|_| held) else { continue };
            for (index, pattern) in entry.checks.iter().enumerate().rev() {
                let Some(still) = contradicted(pattern, entry.verdict, &checks) else { continue };
                update.removed.push(pattern.0.glob().to_string());
                patterns.remove(index);
                patterns.extend(still);
            }
            if patterns.is_empty() {
                empty.push(at);
            }
        }
        let mut rest = String::new();
        for at in empty.into_iter().rev() {
            let kept = tables.get(at).map(|entry| kept_comment(entry, at == 0)).unwrap_or_default();
            tables.remove(at);
            match tables.get_mut(at) {
                Some(next) => put_before(next, &kept),
                None => rest.insert_str(0, &kept),
            }
        }
        update.removed.sort();
        rest
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
        let ids = self.ids(&check.id);
        let entry = self.entries().find(|entry| entry.concerns(report) && entry.matches(&ids));
        entry.is_some_and(|entry| entry.verdict == check.verdict)
    }
}

/// The comments before an entry that are not about it alone: all up to the last blank line, and all at the head of a file.
fn kept_comment(entry: &Table, is_first: bool) -> String {
    let before = entry.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    let end = if is_first { before.trim_end().len() } else { before.rfind("\n\n").unwrap_or(0) };
    if before[..end].contains('#') { format!("{}\n", &before[..end]) } else { String::new() }
}

fn put_before(entry: &mut Table, text: &str) {
    if !text.is_empty() {
        let before = entry.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("\n").to_owned();
        entry.decor_mut().set_prefix(format!("{text}{before}"));
    }
}

/// Which of the checks that a pattern requires still get the verdict, if not all that ran do.
fn contradicted<'r>(pattern: &Pattern, verdict: Verdict, checks: &[(Ids<'_>, &'r Check)]) -> Option<Vec<&'r str>> {
    let required = checks.iter().filter(|(ids, _)| ids.are_required_by(&pattern.0)).map(|(_, check)| *check);
    let ran: Vec<&Check> = required.filter(|check| !matches!(check.verdict, Verdict::Skip | Verdict::Error)).collect();
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
