//! `ps`: the processes of a container.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::confined;
use crate::error::{Context, Error, Result};

/// How the processes are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The lines of ps(1) that are about the container.
    Table,
    /// A JSON array of numbers.
    Json,
}

/// The processes as text. `options` go to ps(1), whose output must have a column `PID`; without any they are `-ef`.
///
/// # Errors
/// When the container has no cgroup, or ps(1) cannot be run or prints no such column.
pub fn ps(root: &Path, id: &str, format: Format, options: &[String]) -> Result<String> {
    let (_, cgroup) = confined(root, id)?;
    let pids: BTreeSet<_> = cgroup.processes()?.into_iter().map(|pid| pid.as_raw_nonzero().get()).collect();
    if format == Format::Json {
        return serde_json::to_string(&pids).map(|text| text + "\n").doing(|| "write the list".into());
    }
    let everything = ["-ef".to_owned()];
    let options = if options.is_empty() { &everything } else { options };
    let output = Command::new("ps").args(options).output().doing(|| "run ps".into())?;
    if !output.status.success() {
        return Err(Error::new(format!("run ps: {}", String::from_utf8_lossy(&output.stderr).trim_end())));
    }
    select(&String::from_utf8_lossy(&output.stdout), &pids)
}

/// The heading and the lines of the given processes.
fn select(table: &str, pids: &BTreeSet<i32>) -> Result<String> {
    let heading = table.lines().next().unwrap_or_default();
    let column = heading.split_whitespace().position(|name| name == "PID");
    let column = column.ok_or_else(|| Error::new("ps prints no column PID; choose other options"))?;
    let pid = |line: &str| line.split_whitespace().nth(column).and_then(|field| field.parse().ok());
    let lines = table.lines().skip(1).filter(|line| pid(line).is_some_and(|pid| pids.contains(&pid)));
    Ok(std::iter::once(heading).chain(lines).map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_selected_by_their_column() {
        let table = "UID  PID CMD\nroot   1 init\nroot  12 sh -c 1\n";
        assert_eq!(select(table, &[12].into()).unwrap(), "UID  PID CMD\nroot  12 sh -c 1\n");
        assert!(select("UID CMD\n", &[12].into()).is_err());
    }
}
