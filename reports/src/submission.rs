//! A submission to a conformance programme: the product, the results, and how to reproduce them.

use std::path::Path;

use plimsoll_foreign::read;

use crate::file::Document;
use crate::format::{Documents, Format, Rendered, render};
use crate::model::Report;
use crate::oci;
use crate::table::Style;
use crate::text::{chain, quoted, tail};

/// The product, with the fields that the OCI asks for in `PRODUCT.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// Name of the legal entity.
    pub vendor: String,
    /// Name of the product.
    pub name: String,
    /// Version of the product.
    pub version: String,
    /// Address of its site.
    pub website_url: String,
    /// Address of its documentation.
    pub documentation_url: String,
    /// What it is, in one sentence.
    pub description: String,
    /// Address of its sources; empty when they are not public.
    pub repo_url: String,
}

/// The fields of `PRODUCT.yaml` in order, and whether each has to be there.
const FIELDS: [(&str, bool); 8] = [
    ("vendor", true),
    ("name", true),
    ("version", true),
    ("website_url", true),
    ("repo_url", false),
    ("documentation_url", true),
    ("type", true),
    ("description", true),
];

impl Product {
    /// As `PRODUCT.yaml`.
    fn yaml(&self) -> String {
        let values = [
            &self.vendor,
            &self.name,
            &self.version,
            &self.website_url,
            &self.repo_url,
            &self.documentation_url,
            "runtime",
            &self.description,
        ];
        let lines = FIELDS.iter().zip(values).filter(|(_, value)| !value.is_empty());
        lines.map(|((field, _), value)| format!("{field}: {}\n", quoted(value))).collect()
    }
}

/// The files of a submission, by name.
///
/// # Errors
/// When the run does not stand for the whole suite, whose checks `suite` names.
pub fn build(report: &Report, product: &Product, suite: &[String]) -> Result<Vec<(&'static str, String)>, String> {
    if let Some(why) = unfit(report, suite) {
        return Err(why);
    }
    let mut files = vec![("PRODUCT.yaml", product.yaml()), ("README.md", readme(report, product))];
    files.extend(rendered(report));
    Ok(files)
}

/// What is made from the results alone, and so can be made again.
fn rendered(report: &Report) -> Vec<(&'static str, String)> {
    let documents = Documents { reports: vec![report.clone()], ..Documents::default() };
    let log = match render(Format::Table, &documents, Style { verbose: true, ..Style::default() }) {
        Ok(Rendered::Text(text)) => text.into_string(),
        Ok(Rendered::Folder(_)) | Err(_) => unreachable!("a table is text"),
    };
    let mut files = vec![("log.txt", log)];
    files.extend(oci::files(report).map(|(name, text)| (name, text.into_string())));
    files
}

/// Why the results cannot be submitted.
fn unfit(report: &Report, suite: &[String]) -> Option<String> {
    if let Some(reason) = &report.cut_short {
        return Some(format!("the run was cut short: {reason}"));
    }
    let ids: std::collections::BTreeSet<&str> = report.checks.iter().map(|check| check.id.as_str()).collect();
    let missing = suite.iter().filter(|id| !ids.contains(id.as_str())).count();
    (missing > 0).then(|| format!("the results lack {missing} of the {} checks of the suite", suite.len()))
}

fn readme(report: &Report, product: &Product) -> String {
    let Report { runtime, host, plimsoll, .. } = report;
    let view = if host.cgroup_view == "host" { String::new() } else { format!(" --cgroup-view {}", host.cgroup_view) };
    let facts = [
        ("product", product.name.as_str()),
        ("product version", &product.version),
        ("runtime version", runtime.version.raw()),
        ("SHA-256 of the runtime", &runtime.sha256),
        ("specification", &runtime.spec),
        ("plimsoll", plimsoll),
        ("kernel", &host.kernel),
        ("machine", &host.machine),
        ("cgroups", &host.cgroups),
    ];
    let rows: String =
        facts.iter().map(|(name, value)| format!("| {name} | {} |\n", crate::markdown::code(value))).collect();
    let command =
        format!("plimsoll run --runtime {} --profile {} --spec {}{view}", runtime.path, runtime.profile, runtime.spec);
    format!(
        "# Conformance results\n\n| | |\n|---|---|\n{rows}\nTo reproduce them, as root:\n\n{}\n\n`report.html` is for \
         people, `junit.xml`, `results.yaml` and `results.json` for programs; `log.txt` has every check in full.\n",
        crate::markdown::code(&command)
    )
}

/// What is wrong with the submission in a directory; nothing when it is good. `suite` names the checks of the whole suite
/// when `version` is that of the results.
#[must_use]
pub fn verify(dir: &Path, suite: &[String], version: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let read = |name: &str, wrong: &mut Vec<String>| {
        let text = read::text(&dir.join(name), read::RESULTS);
        text.map_err(|why| wrong.push(format!("{}: {why}", dir.join(name).display()))).ok()
    };
    if let Some(text) = read("PRODUCT.yaml", &mut wrong) {
        wrong.extend(
            product_flaws(&text).into_iter().map(|why| format!("{}: {why}", dir.join("PRODUCT.yaml").display())),
        );
    }
    read("README.md", &mut wrong);
    let report = match Report::read(&dir.join("results.json")) {
        Ok(report) => report,
        Err(why) => {
            wrong.push(chain(&why));
            return wrong;
        }
    };
    if report.plimsoll != version {
        wrong.push(format!(
            "results.json was written by plimsoll {}, and this is {version}: verify with that one",
            report.plimsoll
        ));
        return wrong;
    }
    wrong.extend(unfit(&report, suite).map(|why| format!("results.json: {why}")));
    for (name, expected) in rendered(&report) {
        if let Some(text) = read(name, &mut wrong)
            && text != expected
        {
            let line = text.lines().zip(expected.lines()).take_while(|(one, other)| one == other).count() + 1;
            wrong.push(format!("{name}, line {line}: it is not what results.json renders to"));
        }
    }
    wrong
}

/// What is wrong with a `PRODUCT.yaml`: a flat mapping of names to strings.
fn product_flaws(text: &str) -> Vec<String> {
    let value = |field: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned())
    };
    let mut flaws = Vec::new();
    for (field, required) in FIELDS {
        match value(field).filter(|value| !value.is_empty()) {
            None if required => flaws.push(format!("{field} is missing")),
            Some(address) if field.ends_with("_url") && !address.starts_with("https://") => {
                flaws.push(format!("{field} is no https:// address: {address}"));
            }
            None | Some(_) => {}
        }
    }
    flaws
}

/// The last part of a version line, which is where runtimes have their number.
#[must_use]
pub fn version_of(report: &Report) -> String {
    let name = report.runtime.name();
    let (_, last) = tail(&name, 1);
    last.first().and_then(|line| line.split_whitespace().last()).unwrap_or_default().to_owned()
}
