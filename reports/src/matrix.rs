//! Several runs side by side, for renderers that show more than one runtime. One run is a matrix of one column.

use std::collections::BTreeMap;

use crate::model::{Check, Host, Report, Runtime, Verdict};
use crate::tally::Tally;
use crate::text::{clip, printable};

/// Runs beside each other, and their checks in rows.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    /// The runs, one a column.
    pub reports: Vec<&'a Report>,
    /// A name for each column; no two are the same.
    pub labels: Vec<String>,
    /// Each check that any of the runs has, sorted by id.
    pub rows: Vec<Row<'a>>,
}

/// One check in all runs.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Id of the check.
    pub id: &'a str,
    /// The check in each run; none where a run does not have it.
    pub checks: Vec<Option<&'a Check>>,
}

impl<'a> Matrix<'a> {
    /// Puts the runs side by side, in this order.
    #[must_use]
    pub fn new(reports: &'a [Report]) -> Self {
        let mut rows: BTreeMap<&str, Vec<Option<&Check>>> = BTreeMap::new();
        for (column, report) in reports.iter().enumerate() {
            for check in &report.checks {
                rows.entry(&check.id).or_insert_with(|| vec![None; reports.len()])[column] = Some(check);
            }
        }
        let rows = rows.into_iter().map(|(id, checks)| Row { id, checks }).collect();
        Self { reports: reports.iter().collect(), labels: labels(reports), rows }
    }

    /// The counts of each section in each run.
    #[must_use]
    pub fn sections(&self) -> BTreeMap<&'a str, Vec<Tally>> {
        self.rows_of(Report::sections)
    }

    /// The counts under each circumstance in each run; empty when all checks are of the plain suite.
    #[must_use]
    pub fn circumstances(&self) -> BTreeMap<&'a str, Vec<Tally>> {
        self.rows_of(Report::circumstances)
    }

    fn rows_of(&self, tallies: impl Fn(&'a Report) -> BTreeMap<&'a str, Tally>) -> BTreeMap<&'a str, Vec<Tally>> {
        let mut rows: BTreeMap<&str, Vec<Tally>> = BTreeMap::new();
        for (column, report) in self.reports.iter().enumerate() {
            for (name, tally) in tallies(report) {
                rows.entry(name).or_insert_with(|| vec![Tally::default(); self.reports.len()])[column] = tally;
            }
        }
        rows
    }

    /// The checks whose verdicts are not the same in all runs.
    pub fn differences(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(|row| row.differs())
    }
}

impl<'a> Row<'a> {
    /// The check in those runs that have it; there is one at least.
    pub fn present(&self) -> impl Iterator<Item = &'a Check> {
        self.checks.iter().copied().flatten()
    }

    /// Whether the runs that have it do not agree.
    #[must_use]
    pub fn differs(&self) -> bool {
        let mut verdicts = self.present().map(|check| check.verdict);
        let first = verdicts.next();
        verdicts.any(|verdict| Some(verdict) != first)
    }

    /// The worst verdict of all runs.
    #[must_use]
    pub fn worst(&self) -> Verdict {
        self.present().map(|check| check.verdict).max_by_key(|verdict| verdict.severity()).unwrap_or(Verdict::Skip)
    }
}

impl Runtime {
    /// `runc version 1.1.5` as `runc 1.1.5`, and the file name when the runtime told no version. What it told is cut
    /// where no honest version would still go on.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self.version.raw() {
            "" => self.path.raw().rsplit('/').next().unwrap_or_default().to_owned(),
            version => clip(version, 60, 1).head.replacen(" version ", " ", 1),
        };
        printable(&name).into_owned()
    }
}

impl Host {
    /// What tells this host from others: kernel, control groups, and the security module that labels.
    #[must_use]
    pub fn environment(&self) -> String {
        let labelling = |name: &&String| matches!(name.as_str(), "selinux" | "apparmor");
        let lsm = self.lsms.iter().find(labelling).map(|name| format!(" {name}")).unwrap_or_default();
        format!("{} {}{lsm}", self.kernel, self.cgroups)
    }
}

/// The name of each runtime, made longer where two would be the same.
fn labels(reports: &[Report]) -> Vec<String> {
    let longer: [fn(&Report) -> String; 4] = [
        |report| report.runtime.name(),
        |report| format!("{} on {}", report.runtime.name(), report.host.environment()),
        |report| format!("{} ({})", report.runtime.name(), report.runtime.path),
        |report| format!("{} (run {})", report.runtime.name(), report.run),
    ];
    let name = |level: usize| reports.iter().map(|report| longer[level](report)).collect::<Vec<_>>();
    let distinct = |names: &[String]| names.iter().collect::<std::collections::BTreeSet<_>>().len() == names.len();
    (0..longer.len()).map(name).find(|names| distinct(names)).unwrap_or_else(|| {
        name(0).into_iter().enumerate().map(|(column, name)| format!("{name} #{}", column + 1)).collect()
    })
}
