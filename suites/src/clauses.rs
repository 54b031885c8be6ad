//! The clauses of the OCI runtime specification for Linux, in our own words (`data/clauses.jsonl`).

use plimsoll_reports::model::Clause;
use serde::Deserialize;

/// The list, one JSON object a line.
const LIST: &str = include_str!("../data/clauses.jsonl");

/// The release of the specification that the list was made from, and that links lead to.
pub const RELEASE: &str = "v1.3.0";

/// A line of the list.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// Stable id.
    pub id: String,
    /// `file#anchor` in the specification.
    pub source: String,
    /// `MUST`, `SHOULD`, … or `DESCRIBED`.
    pub level: String,
    /// Whom it binds.
    pub subject: String,
    /// How it can be tested: `host`, `inside`, `cli`, `static` or `no`.
    pub testable: String,
    /// The first release that says so.
    pub since: String,
    /// What it says.
    pub paraphrase: String,
}

/// Every clause, in the order of the specification.
///
/// # Panics
/// When the list that was compiled in is malformed; a test keeps that from happening.
#[must_use]
pub fn all() -> Vec<Record> {
    LIST.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

/// The clause of this id, as results cite it.
#[must_use]
pub fn find(records: &[Record], id: &str) -> Option<Clause> {
    records.iter().find(|record| record.id == id).map(|record| Clause {
        id: record.id.clone(),
        level: record.level.clone(),
        text: record.paraphrase.clone(),
        link: link(&record.source),
        since: record.since.clone(),
    })
}

/// Where a clause stands: in the release, or, of a draft, where that is discussed.
fn link(source: &str) -> String {
    const SPEC: &str = "https://github.com/opencontainers/runtime-spec";
    if source.starts_with("pull/") { format!("{SPEC}/{source}") } else { format!("{SPEC}/blob/{RELEASE}/{source}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole_and_ids_are_unique() {
        let records = all();
        let mut ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), records.len());
        assert_eq!(records.len(), 708);
    }

    #[test]
    fn every_link_leads_to_the_heading_where_the_clause_stands() {
        let list = include_str!("../data/headings.txt").lines().filter(|line| !line.starts_with('#'));
        let headings: Vec<(&str, Option<&str>)> =
            list.map(|line| line.split_once(' ').map_or((line, None), |(at, ids)| (at, Some(ids)))).collect();
        // A draft is in no release yet.
        let is_of_a_page =
            |record: &&Record| !["schema/", "pull/"].iter().any(|place| record.source.starts_with(place));
        for record in all().iter().filter(is_of_a_page) {
            assert!(headings.iter().any(|(at, _)| *at == record.source), "{}: no heading {}", record.id, record.source);
            for (at, ids) in &headings {
                let stands_there = ids.is_none_or(|ids| !record.id.starts_with(ids)) || record.source == *at;
                assert!(stands_there, "{} stands in {at}, and is linked to {}", record.id, record.source);
            }
        }
    }
}
